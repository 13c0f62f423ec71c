"""Status PVs of iocStats' ioc.template but its queues, and those that caproto added."""

from ioc_ops.channel import ChannelType
from ioc_ops.status.row import Period, StatusPv, text, value_fields

__all__ = ["ACCESS_SEVERITIES", "ACCESS_STATES", "GENERAL_ROWS"]

ACCESS_STATES = ("Running", "Maintenance", "Test", "OFFLINE")

# ZRSV, ONSV, TWSV and THSV of the ACCESS record, as AlarmSeverity.
ACCESS_SEVERITIES = (0, 1, 1, 2)


def _long_text(suffix: str, reading: str, length: int, doc: str) -> StatusPv:
    start, char = Period.START, ChannelType.CHAR
    return StatusPv(suffix, doc, start, reading, char, "waveform", length, value="")


def _period(suffix: str, default: float, what: str) -> StatusPv:
    return StatusPv(
        suffix,
        f"Time between two updates of {what}",
        Period.ON_WRITE,
        record="ao",
        value=default,
        units="sec",
        hopr=60.0,
        drvl=1.0,
        drvh=60.0,
        read_only=False,
    )


def _rate(suffix: str, reading: str, doc: str) -> StatusPv:
    doc += ", mean since the update before"
    return StatusPv(suffix, doc, Period.CA, reading, units="1/s", precision=1)


def _load(suffix: str, reading: str, doc: str, alias_of: str = "") -> StatusPv:
    return StatusPv(
        suffix,
        doc,
        Period.LOAD,
        reading,
        units="%",
        precision=1,
        hopr=100.0,
        hihi=80.0,
        high=70.0,
        saved_fields=() if alias_of else value_fields(),
        alias_of=alias_of,
    )


def _command(suffix: str, doc: str, alias_of: str = "") -> StatusPv:
    on_write = Period.ON_WRITE
    return StatusPv(suffix, doc, on_write, record="sub", read_only=False, alias_of=alias_of)


GENERAL_ROWS = (
    # Set once, at the start.
    StatusPv("PROCESS_ID", "Process id", Period.START, "host.process_id"),
    StatusPv("PARENT_ID", "Process id of the parent", Period.START, "host.parent_id"),
    StatusPv("CPU_CNT", "CPUs of the host", Period.START, "host.cpus"),
    text("HOSTNAME", "host.hostname", "Name of the host"),
    text("KERNEL_VERS", "host.kernel", "Operating system, release and machine"),
    text("EPICS_VERS", "host.release", "Name and version of this server"),
    _long_text("EPICS_VERSION", "host.version", 120, "Versions of this server and of Python"),
    text("ENGINEER", "host.engineer", "Who looks after the IOC (ENGINEER, LOGNAME or USER)"),
    text("LOCATION", "host.location", "Where the IOC is (LOCATION)"),
    _long_text("APP_DIR", "host.directory", 160, "Working directory"),
    text("APP_DIR1", "host.directory_head", "Working directory, first 39 characters"),
    text("APP_DIR2", "host.directory_tail", "Working directory, next 39 characters"),
    # iocStats knows no Python programs; where its variables are unset we show ours.
    _long_text(
        "ST_SCRIPT",
        "host.script",
        120,
        "Startup script (STARTUP/ST_CMD, IOCSH_STARTUP_SCRIPT), else the program that runs",
    ),
    text("ST_SCRIPT1", "host.script_head", "Startup script, first 39 characters"),
    text("ST_SCRIPT2", "host.script_tail", "Startup script, next 39 characters"),
    _long_text("SOURCE_FILE", "host.source_file", 255, "Program that runs (a name of caproto)"),
    text("STARTTOD", "clock.started", "Time of the start"),
    # Clients may set it: channel watchers restore it, operators reset it.
    StatusPv(
        "START_CNT",
        "Number of starts",
        Period.START,
        record="calcout",
        read_only=False,
        saved=True,
    ),
    # Every second.
    text("TOD", "clock.now", "Time of day", Period.SECOND),
    text("UPTIME", "clock.uptime", "Time since the start", Period.SECOND),
    StatusPv("HEARTBEAT", "Seconds counted since the start", Period.SECOND, record="calcout"),
    # Channel Access. iocStats counts its records once, but here PVs may come and go.
    StatusPv(
        "CA_CLNT_CNT",
        "Channel Access connections",
        Period.CA,
        "server.circuits",
        hopr=200.0,
        hihi=175.0,
        high=100.0,
        saved_fields=value_fields(),
    ),
    StatusPv(
        "CA_CONN_CNT",
        "Channels that clients hold",
        Period.CA,
        "server.channels",
        hopr=5000.0,
        hihi=4500.0,
        high=4000.0,
        saved_fields=value_fields(),
    ),
    StatusPv("RECORD_CNT", "PVs that the IOC serves", Period.CA, "server.pvs"),
    # Not of iocStats: how busy the server is.
    _rate("CA_EVENT_RATE", "traffic.events", "Updates sent to monitors"),
    _rate("CA_PUT_RATE", "traffic.puts", "Writes of clients"),
    _rate("CA_GET_RATE", "traffic.gets", "Reads of clients"),
    StatusPv(
        "LOOP_LAG_MAX",
        "How late the event loop came at most during the last minute",
        Period.SECOND,
        "loop.largest",
        units="sec",
        precision=4,
        hihi=5.0,
        high=1.0,
        saved_fields=value_fields(lower=False),
    ),
    StatusPv(
        "LOOP_LAG_P99",
        "How late it came in all but 1 % of the cases of the last minute",
        Period.SECOND,
        "loop.p99",
        units="sec",
        precision=4,
    ),
    # The process and its host.
    StatusPv("FD_MAX", "Limit of file descriptors", Period.DESCRIPTORS, "descriptors.limit"),
    StatusPv("FD_CNT", "Open file descriptors", Period.DESCRIPTORS, "descriptors.used"),
    StatusPv(
        "FD_FREE",
        "File descriptors left",
        Period.DESCRIPTORS,
        "descriptors.free",
        record="calc",
        hopr=150.0,
        low=20.0,
        lolo=5.0,
        saved_fields=value_fields(upper=False),
    ),
    StatusPv(
        "NumThreads",
        "Threads of the process (a name of caproto)",
        Period.DESCRIPTORS,
        "descriptors.threads",
    ),
    _load("SYS_CPU_LOAD", "load.system", "CPU load of the host"),
    _load("IOC_CPU_LOAD", "load.process", "CPU load of the IOC, of all CPUs together"),
    _load("LOAD", "load.process", "IOC_CPU_LOAD by its other name", "IOC_CPU_LOAD"),
    StatusPv(
        "SUSP_TASK_CNT",
        "Startup hooks and scans that died",
        Period.LOAD,
        "server.failed_tasks",
        hihi=1.0,
        saved_fields=value_fields(),
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
        saved_fields=value_fields(upper=False),
    ),
    StatusPv("MEM_MAX", "Memory of the host", Period.MEMORY, "memory.total", units="byte"),
    # What clients write.
    _period("CA_UPD_TIME", 15.0, "the Channel Access counts"),
    _period("FD_UPD_TIME", 20.0, "the file descriptors"),
    _period("LOAD_UPD_TIME", 10.0, "the loads"),
    _period("MEM_UPD_TIME", 10.0, "the memory"),
    _period("UPD_TIME", 15.0, "all of these, when written (a name of caproto)"),
    StatusPv(
        "ACCESS",
        "What the IOC may be used for; an input for access rules",
        Period.ON_WRITE,
        data_type=ChannelType.ENUM,
        record="mbbo",
        value=ACCESS_STATES[0],
        states=ACCESS_STATES,
        severities=ACCESS_SEVERITIES,
        read_only=False,
        saved=True,
    ),
    _command("READACF", "Write 1 to read the access security file anew; INVALID if that fails"),
    _command("SYSRESET", "Write 1 to restart the IOC"),
    _command("SysReset", "SYSRESET by its other name", "SYSRESET"),
)
