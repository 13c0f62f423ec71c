"""A function with its arguments and its result as PVs."""

import random

from ioc_ops.server import PVGroup, PvpropertyData, ioc_arg_parser, pvfunction, pvproperty, run


class MyPVGroup(PVGroup):
    """
    A random number, and a function that gives one from a range.

    fixed_random        another number from 1 to 100 at each reading
    get_random:low      the arguments of the function
    get_random:high
    get_random:Process  write here to call it; complete when it has returned
    get_random:Retval   what it returned
    get_random:Status   Success, or what it raised

    Channel Access knows no calls: of two clients that use the function at the same
    time one sees the arguments and results of the other.
    """

    @pvproperty
    async def fixed_random(self, instance: PvpropertyData) -> int:
        """A number from 1 to 100."""
        return random.randint(1, 100)

    @pvfunction(default=[0])
    async def get_random(self, low: int = 100, high: int = 1000) -> int:
        """A number from a range of one's own."""
        return random.randint(low, high)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="rpc:", desc=MyPVGroup.__doc__)
    ioc = MyPVGroup(**ioc_options)
    print("get_random is a group of these PVs:")
    for name, pv in ioc.get_random.pvdb.items():
        print(f"  {name:<24} {type(pv).__name__}", flush=True)
    run(ioc.pvdb, **run_options)
