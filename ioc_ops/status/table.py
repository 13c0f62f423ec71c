"""The status PVs as data: one row each, facts of iocStats 4.0.1 (iocAdmin/Db/ioc.template).

Suffixes, types, units, precision, limits and periods are a contract with operator screens and
archivers. Where a row differs from iocStats, its text says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from math import nan
from types import MappingProxyType

from ioc_ops.channel import ChannelType

__all__ = ["ACCESS_SEVERITIES", "ACCESS_STATES", "SCHEDULED", "TABLE", "Period", "StatusPv"]


class Period(Enum):
    """When a PV is updated. Where clients set the period, the value is the suffix of its PV."""

    START = "at the start"
    SECOND = "every second"
    ON_WRITE = "when somebody writes"
    CA = "CA_UPD_TIME"
    DESCRIPTORS = "FD_UPD_TIME"
    LOAD = "LOAD_UPD_TIME"
    MEMORY = "MEM_UPD_TIME"


@dataclass(frozen=True, slots=True)
class StatusPv:
    """One PV.

    ``reading`` is the path of its number or text in ``Readings``, None for a PV that clients or
    hooks set. Limits are those of the wire: ``nan`` means that there is none, which is also what
    the records answer. ``length`` above 1 is that of a CHAR array which holds text.
    """

    suffix: str
    doc: str
    period: Period
    reading: str | None = None
    data_type: ChannelType = ChannelType.DOUBLE
    length: int = 1
    value: float | str = 0.0
    units: str = ""
    precision: int = 0
    lopr: float = 0.0
    hopr: float = 0.0
    drvl: float = 0.0
    drvh: float = 0.0
    hihi: float = nan
    high: float = nan
    low: float = nan
    lolo: float = nan
    read_only: bool = True
    saved: bool = False


ACCESS_STATES = ("Running", "Maintenance", "Test", "OFFLINE")

# ZRSV, ONSV, TWSV and THSV of the ACCESS record, as AlarmSeverity.
ACCESS_SEVERITIES = (0, 1, 1, 2)


def _text(suffix: str, reading: str, doc: str, period: Period = Period.START) -> StatusPv:
    return StatusPv(suffix, doc, period, reading, ChannelType.STRING, value="")


def _long_text(suffix: str, reading: str, length: int, doc: str) -> StatusPv:
    return StatusPv(suffix, doc, Period.START, reading, ChannelType.CHAR, length, value="")


def _period(suffix: str, default: float, what: str) -> StatusPv:
    return StatusPv(
        suffix,
        f"Time between two updates of {what}",
        Period.ON_WRITE,
        value=default,
        units="sec",
        hopr=60.0,
        drvl=1.0,
        drvh=60.0,
        read_only=False,
    )


def _load(suffix: str, reading: str, doc: str) -> StatusPv:
    return StatusPv(
        suffix,
        doc,
        Period.LOAD,
        reading,
        units="%",
        precision=1,
        hopr=100.0,
        drvh=100.0,
        hihi=80.0,
        high=70.0,
    )


def _reset(suffix: str) -> StatusPv:
    return StatusPv(
        suffix,
        "Write 1 to restart the IOC",
        Period.ON_WRITE,
        read_only=False,
    )


_ROWS = (
    # Set once, at the start.
    StatusPv("PROCESS_ID", "Process id", Period.START, "host.process_id"),
    StatusPv("PARENT_ID", "Process id of the parent", Period.START, "host.parent_id"),
    StatusPv("CPU_CNT", "CPUs of the host", Period.START, "host.cpus"),
    _text("HOSTNAME", "host.hostname", "Name of the host"),
    _text("KERNEL_VERS", "host.kernel", "Operating system, release and machine"),
    _text("EPICS_VERS", "host.release", "Name and version of this server"),
    _long_text("EPICS_VERSION", "host.version", 120, "Versions of this server and of Python"),
    _text("ENGINEER", "host.engineer", "Who looks after the IOC (ENGINEER, LOGNAME or USER)"),
    _text("LOCATION", "host.location", "Where the IOC is (LOCATION)"),
    _long_text("APP_DIR", "host.directory", 160, "Working directory"),
    _text("APP_DIR1", "host.directory_head", "Working directory, first 39 characters"),
    _text("APP_DIR2", "host.directory_tail", "Working directory, next 39 characters"),
    _long_text("SOURCE_FILE", "host.source_file", 255, "Program that runs (a name of caproto)"),
    _text("STARTTOD", "clock.started", "Time of the start"),
    # Clients may set it: channel watchers restore it, operators reset it.
    StatusPv("START_CNT", "Number of starts", Period.START, read_only=False, saved=True),
    # Every second.
    _text("TOD", "clock.now", "Time of day", Period.SECOND),
    _text("UPTIME", "clock.uptime", "Time since the start", Period.SECOND),
    StatusPv("HEARTBEAT", "Seconds counted since the start", Period.SECOND),
    # Channel Access. iocStats counts its records once, but here PVs may come and go.
    StatusPv(
        "CA_CLNT_CNT",
        "Channel Access connections",
        Period.CA,
        "server.circuits",
        hopr=200.0,
        drvh=200.0,
        hihi=175.0,
        high=100.0,
    ),
    StatusPv(
        "CA_CONN_CNT",
        "Channels that clients hold",
        Period.CA,
        "server.channels",
        hopr=5000.0,
        drvh=5000.0,
        hihi=4500.0,
        high=4000.0,
    ),
    StatusPv("RECORD_CNT", "PVs that the IOC serves", Period.CA, "server.pvs"),
    # The process and its host.
    StatusPv("FD_MAX", "Limit of file descriptors", Period.DESCRIPTORS, "descriptors.limit"),
    StatusPv("FD_CNT", "Open file descriptors", Period.DESCRIPTORS, "descriptors.used"),
    StatusPv(
        "FD_FREE",
        "File descriptors left",
        Period.DESCRIPTORS,
        "descriptors.free",
        hopr=150.0,
        drvh=150.0,
        low=20.0,
        lolo=5.0,
    ),
    StatusPv(
        "NumThreads",
        "Threads of the process (a name of caproto)",
        Period.DESCRIPTORS,
        "descriptors.threads",
    ),
    _load("SYS_CPU_LOAD", "load.system", "CPU load of the host"),
    _load("IOC_CPU_LOAD", "load.process", "CPU load of the IOC, of all CPUs together"),
    _load("LOAD", "load.process", "IOC_CPU_LOAD by its other name"),
    StatusPv(
        "SUSP_TASK_CNT",
        "Startup hooks and scans that died",
        Period.LOAD,
        "server.failed_tasks",
        hihi=1.0,
    ),
    StatusPv("MEM_USED", "Resident memory", Period.MEMORY, "memory.used", units="byte"),
    # MemAvailable; iocStats adds MemFree, Buffers and Cached.
    StatusPv(
        "MEM_FREE",
        "Memory available on the host",
        Period.MEMORY,
        "memory.available",
        units="byte",
        low=0.0,
        lolo=0.0,
    ),
    StatusPv("MEM_MAX", "Memory of the host", Period.MEMORY, "memory.total", units="byte"),
    # What clients write.
    _period("CA_UPD_TIME", 15.0, "the Channel Access counts"),
    _period("FD_UPD_TIME", 20.0, "the file descriptors"),
    _period("LOAD_UPD_TIME", 10.0, "the loads"),
    _period("MEM_UPD_TIME", 10.0, "the memory"),
    StatusPv(
        "ACCESS",
        "What the IOC may be used for",
        Period.ON_WRITE,
        data_type=ChannelType.ENUM,
        value=ACCESS_STATES[0],
        read_only=False,
        saved=True,
    ),
    _reset("SYSRESET"),
    _reset("SysReset"),
)

TABLE: Mapping[str, StatusPv] = MappingProxyType({row.suffix: row for row in _ROWS})
"""Every status PV by its suffix."""

SCHEDULED = tuple(period for period in Period if period.value in TABLE)
"""The periods that clients can set."""
