"""An IOC for the tests: status PVs, autosave, and a PV that misbehaves on request."""

import time
from pathlib import Path

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager
from ioc_ops.channel import ChannelData
from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    SubGroup,
    ioc_arg_parser,
    pvproperty,
    run,
    scan_wrapper,
)
from ioc_ops.status import StatusHelper

GO_ON = Path("go_on")


def _hang() -> None:
    while not GO_ON.exists():
        time.sleep(0.01)


class StatusIOC(PVGroup):
    """
    Status PVs under Ioc:, and PVs that misbehave: block holds up the loop for as many seconds as
    are written to it, hang until there is a file go_on in the directory of the IOC, late is a scan
    of 5 Hz that takes as many seconds as it holds.
    """

    async def _stand_still(self, instance: ChannelData, value: float) -> None:
        _hang()

    async def _block(self, instance: ChannelData, value: float) -> None:
        time.sleep(value)  # noqa: ASYNC251 - what must never happen, on purpose

    async def _scan(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        await async_lib.sleep(self.late.value)

    late = pvproperty(value=0.0, scan=scan_wrapper(0.2)(_scan))
    block = pvproperty(value=0.0, put=_block)
    hang = pvproperty(value=0.0, put=_stand_still)
    status = SubGroup(StatusHelper, prefix="Ioc:")
    autosave = SubGroup(AutosaveHelper, file_manager=RotatingFileManager("status.json"))


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="st:", desc=StatusIOC.__doc__)
    ioc = StatusIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
