"""A putter that drops the write and does something else instead."""

from ioc_ops import SkipWrite
from ioc_ops.server import PVGroup, PvpropertyData, ioc_arg_parser, pvproperty, run

FAVOURITE = 85


class SkipWriteIOC(PVGroup):
    """
    A PV that is 1 until it is written to, and 85 from then on, whatever is written.

    Writing 85 changes nothing: no monitor sees an event, the timestamp stays.
    """

    value = pvproperty(value=1, doc="85, sooner or later")

    @value.putter
    async def value(self, instance: PvpropertyData, value: int) -> None:
        """Returning the class SkipWrite instead of raising it does the same."""
        if value != FAVOURITE:
            print(f"{value}? Make that {FAVOURITE}.", flush=True)
            # Else this putter would be called for its own write.
            await instance.write(FAVOURITE, verify_value=False)
        raise SkipWrite


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="skip:", desc=SkipWriteIOC.__doc__)
    ioc = SkipWriteIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
