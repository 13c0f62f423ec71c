"""An IOC for the tests whose numbers stand both in PVs and in metrics."""

import asyncio
import time

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager, autosaved
from ioc_ops.channel import ChannelData
from ioc_ops.server import PVGroup, SubGroup, ioc_arg_parser, pvproperty, run
from ioc_ops.status import MemoryTracingHelper, StatusHelper


class Saver(AutosaveHelper):
    period = 0.2
    debounce = 0.1


class NumbersIOC(PVGroup):
    """
    PVs under n:.
    """

    async def _die(self, instance: ChannelData, async_lib: object) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("a task that dies")

    async def _block(self, instance: ChannelData, value: float) -> None:
        time.sleep(value)  # noqa: ASYNC251 - what must never happen, on purpose

    kept = autosaved(pvproperty(value=1.0))
    dies = pvproperty(value=0, startup=_die)
    block = pvproperty(value=0.0, put=_block)
    status = SubGroup(StatusHelper, prefix="Ioc:")
    # One look when tracing begins, and what it has seen stands.
    memory = SubGroup(MemoryTracingHelper, prefix="Mem:", period=3600.0)
    autosave = SubGroup(
        Saver, prefix="Save:", file_manager=RotatingFileManager("state/numbers.json")
    )


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="n:", desc=NumbersIOC.__doc__)
    ioc = NumbersIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
