"""Status PVs that are set once, at the start, and the one that restarts the IOC."""

import os
from collections.abc import Mapping

from ioc_ops.channel import ChannelData
from ioc_ops.group import PVGroup
from ioc_ops.server import RESTART, AsyncLibraryLayer, current_context
from ioc_ops.status.host import LocalHost
from ioc_ops.status.probe import ProcessProbe
from ioc_ops.status.properties import mark_unread, show, status_pv
from ioc_ops.status.readings import Readings
from ioc_ops.status.table import Period

__all__ = ["BasicStatusHelper"]


class BasicStatusHelper(PVGroup):
    """Who and where the IOC is, under the names of iocStats, and SYSRESET.

    Writing 1 to SYSRESET (or its other name SysReset) stops the IOC in good order with the exit
    status ``ioc_ops.server.RESTART``, upon which a supervisor starts it again. Other values do
    nothing.

    Args:
        prefix, macros, parent, name: as for every ``PVGroup``.
        probe: what to read the host with; by default this machine and this process.
    """

    def __init__(
        self,
        prefix: str,
        *,
        macros: Mapping[str, str] | None = None,
        parent: PVGroup | None = None,
        name: str | None = None,
        probe: ProcessProbe | None = None,
    ) -> None:
        super().__init__(prefix, macros=macros, parent=parent, name=name)
        self._probe = ProcessProbe(LocalHost(), os.environ) if probe is None else probe
        mark_unread(self)

    async def _describe(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        # The working directory may lie on a disk that hangs: never on the loop.
        host = await async_lib.run_in_thread(self._probe.host)
        await show(self, Readings(host=host), {Period.START})

    async def _restart(self, instance: ChannelData, value: float) -> None:
        # The stop begins after this write has been answered.
        if value == 1:
            current_context().request_stop(RESTART)

    process_id = status_pv("PROCESS_ID", startup=_describe)
    parent_id = status_pv("PARENT_ID")
    cpu_count = status_pv("CPU_CNT")
    hostname = status_pv("HOSTNAME")
    kernel_version = status_pv("KERNEL_VERS")
    release = status_pv("EPICS_VERS")
    version = status_pv("EPICS_VERSION")
    engineer = status_pv("ENGINEER")
    location = status_pv("LOCATION")
    directory = status_pv("APP_DIR")
    directory_head = status_pv("APP_DIR1")
    directory_tail = status_pv("APP_DIR2")
    source_file = status_pv("SOURCE_FILE")
    reset = status_pv("SYSRESET", put=_restart)
    reset_alias = status_pv("SysReset", put=_restart)
