"""Reading and writing customized where the PV is declared."""

import random

from ioc_ops.server import PVGroup, PvpropertyData, ioc_arg_parser, pvproperty, run


class InlineStyleIOC(PVGroup):
    """
    PVs that are their own getters.

    random_int  another number from 1 to 100 at each reading
    random_str  a, b or c at each reading
    A           text; the IOC prints who reads and what is written
    """

    @pvproperty  # an integer, when nothing else is said
    async def random_int(self, instance: PvpropertyData) -> int:
        """A number from 1 to 100."""
        return random.randint(1, 100)

    @pvproperty(dtype=str)
    async def random_str(self, instance: PvpropertyData) -> str:
        """One of three letters."""
        return random.choice("abc")

    @pvproperty(value="c")
    async def A(self, instance: PvpropertyData) -> str:
        """A text that tells of its readers."""
        print(f"{instance.name} is read", flush=True)
        return str(instance.value)

    @A.putter
    async def A(self, instance: PvpropertyData, value: str) -> str:
        """What is returned becomes the value."""
        print(f"{instance.name} becomes {value!r}", flush=True)
        return value


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(
        default_prefix="inline_style:", desc=InlineStyleIOC.__doc__
    )
    ioc = InlineStyleIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
