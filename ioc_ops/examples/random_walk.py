"""A value that takes a random step every `dt` seconds."""

import random

from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    ioc_arg_parser,
    pvproperty,
    run,
)


class RandomWalkIOC(PVGroup):
    """
    A value that wanders.

    x   moves by at most 1 up or down in each step
    dt  seconds from one step to the next; write it to change the pace
    """

    dt = pvproperty(value=3.0, doc="Seconds between two steps")
    x = pvproperty(value=0.0, doc="Where the walk is now")

    @x.startup
    async def x(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Step for as long as the IOC runs; its stop ends the loop by cancelling it."""
        while True:
            await instance.write(instance.value + random.uniform(-1.0, 1.0))
            # Whatever a client has written, nan and infinity among it: a hundred steps a second
            # at most, one an hour at least.
            await async_lib.sleep(min(max(0.01, self.dt.value), 3600.0))


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(
        default_prefix="random_walk:", desc=RandomWalkIOC.__doc__
    )
    ioc = RandomWalkIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
