"""An IOC for the tests: exported PVs, hooks that take their time, autosave on storage to spoil."""

from typing import Any

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager, autosaved
from ioc_ops.channel import ChannelData
from ioc_ops.metrics import exported
from ioc_ops.server import PVGroup, SubGroup, ioc_arg_parser, pvproperty, run


class Saver(AutosaveHelper):
    period = 0.2
    debounce = 0.1
    restore_timeout = 30.0


class WebIOC(PVGroup):
    """
    PVs under w:.
    """

    async def _read(self, instance: ChannelData) -> float:
        await self.async_lib.sleep(0.02)
        return 99.0

    async def _write(self, instance: ChannelData, value: float) -> None:
        await self.async_lib.sleep(0.02)

    async def _start(self, instance: ChannelData, async_lib: Any) -> None:
        self.async_lib = async_lib

    level = autosaved(exported(pvproperty(value=1.5)))
    slow = exported(pvproperty(_read, _write, _start, value=4.0))
    other = pvproperty(value=2.0)
    autosave = SubGroup(Saver, file_manager=RotatingFileManager("state/web.json"))


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="w:", desc=WebIOC.__doc__)
    ioc = WebIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
