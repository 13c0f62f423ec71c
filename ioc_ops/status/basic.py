"""Status PVs that are set once, at the start, and the commands to the IOC."""

from ioc_ops.channel import AlarmSeverity, AlarmStatus, ChannelData
from ioc_ops.errors import ChannelError, ConfigurationError
from ioc_ops.group import SubGroup
from ioc_ops.server import RESTART, AsyncLibraryLayer, current_context
from ioc_ops.status.family_rows import ENVIRONMENT_ROWS
from ioc_ops.status.probing import ProbingGroup
from ioc_ops.status.properties import show, status_pv
from ioc_ops.status.readings import Readings
from ioc_ops.status.row import Period

__all__ = ["BasicStatusHelper"]


class BasicStatusHelper(ProbingGroup):
    """Who and where the IOC is, under the names of iocStats, and SYSRESET and READACF.

    Writing 1 to SYSRESET (alias SysReset) stops the IOC in good order with the exit
    status ``ioc_ops.server.RESTART``, upon which a supervisor starts it again. Writing 1 to
    READACF reads the access security file anew; when that fails the old rules stay, the write
    fails and READACF is INVALID. Other values do nothing.

    Args:
        prefix, macros, parent, name: as for every ``PVGroup``.
        probe: what to read the host and the environment with; by default this machine and this
            process.
    """

    _async_lib: AsyncLibraryLayer | None = None

    async def _describe(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        # The working directory may lie on a disk that hangs: never on the loop.
        self._async_lib = async_lib
        host = await async_lib.run_in_thread(self.probe.host)
        await show(self, Readings(host=host), {Period.START})

    async def _restart(self, instance: ChannelData, value: float) -> None:
        # The stop begins after this write has been answered.
        if value == 1:
            current_context().request_stop(RESTART)

    async def _read_access_file(self, instance: ChannelData, value: float) -> None:
        if value != 1:
            return
        access, async_lib = current_context().access, self._async_lib
        try:
            # The file may lie on a disk that hangs, and name a host to be looked up.
            policy = (
                access.load() if async_lib is None else await async_lib.run_in_thread(access.load)
            )
        except ConfigurationError as problem:
            self.log.error("READACF: %s", problem)
            await instance.write(
                value,
                verify_value=False,
                status=AlarmStatus.SOFT,
                severity=AlarmSeverity.INVALID_ALARM,
            )
            raise ChannelError(f"{instance.name}: {problem}") from None
        access.use(policy)

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
    script = status_pv("ST_SCRIPT")
    script_head = status_pv("ST_SCRIPT1")
    script_tail = status_pv("ST_SCRIPT2")
    source_file = status_pv("SOURCE_FILE")
    read_access_file = status_pv("READACF", put=_read_access_file)
    reset = status_pv("SYSRESET", put=_restart)
    environment = SubGroup(
        {
            f"variable_{row.suffix.lower()}": status_pv(row.suffix)
            for row in ENVIRONMENT_ROWS
            if not row.alias_of
        },
        prefix="",
    )
