"""An IOC for the tests that leaks on request: each scan keeps another 2 kB."""

from ioc_ops.channel import ChannelData
from ioc_ops.server import AsyncLibraryLayer, PVGroup, SubGroup, ioc_arg_parser, pvproperty, run
from ioc_ops.status import MemoryTracingHelper


class LeakingIOC(PVGroup):
    """
    Memory PVs under Mem:, and a leak while leak is above 0.
    """

    kept: list[bytearray] = []

    async def _leak(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        while True:
            if self.leak.value:
                self.kept.append(bytearray(2000))  # the leak
            await async_lib.sleep(0.01)

    leak = pvproperty(value=0, startup=_leak)
    memory = SubGroup(MemoryTracingHelper, prefix="Mem:", period=0.5)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="lk:", desc=LeakingIOC.__doc__)
    ioc = LeakingIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
