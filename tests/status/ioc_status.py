"""An IOC for the tests: status PVs, autosave, and a PV that misbehaves on request."""

import time

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager
from ioc_ops.channel import ChannelData
from ioc_ops.server import PVGroup, SubGroup, ioc_arg_parser, pvproperty, run
from ioc_ops.status import StatusHelper


class StatusIOC(PVGroup):
    """
    Status PVs under Ioc:, and block: writing to it holds up the loop for as many seconds.
    """

    async def _block(self, instance: ChannelData, value: float) -> None:
        time.sleep(value)  # noqa: ASYNC251 - what must never happen, on purpose

    block = pvproperty(value=0.0, put=_block)
    status = SubGroup(StatusHelper, prefix="Ioc:")
    autosave = SubGroup(AutosaveHelper, file_manager=RotatingFileManager("status.json"))


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="st:", desc=StatusIOC.__doc__)
    ioc = StatusIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
