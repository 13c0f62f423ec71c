"""Status PVs of iocStats that come in families: queues, time, scan monitors, environment.

Facts of iocQueue.db, iocGeneralTime.template, iocAdminScanMon.db, siteEnvVars.db (generated from
EPICS Base 7.0.8.1) and siteEnvVarAliases.template.
"""

from collections.abc import Iterator
from typing import Any

from ioc_ops.channel import ChannelType
from ioc_ops.status.row import Period, StatusPv, text

__all__ = [
    "ENVIRONMENT_ROWS",
    "QUEUE_ROWS",
    "SCAN_RATES",
    "SCAN_ROWS",
    "TIME_ROWS",
]

# The queues of iocStats, the reading that stands for each here, and what that is.
_QUEUES = (
    ("SCANONCE", "requests", "requests of one client that wait for user code"),
    ("CBLOW", "absent", ""),
    ("CBMEDIUM", "output", "bytes that wait to be sent to one client"),
    ("CBHIGH", "absent", ""),
)

# What overran: nothing is ever dropped from the queue of requests, its client is made to wait.
_OVERRUNS = {
    "SCANONCE": "Always 0: a client whose queue is full is read no further",
    "CBMEDIUM": "Updates that a newer one replaced, because a client reads too slowly",
}


def _queue_rows() -> Iterator[StatusPv]:
    size = Period.START
    yield StatusPv(
        "SCANONCE_Q_SIZE", "Requests of one client that may wait", size, "queues.requests.size"
    )
    yield StatusPv(
        "CB_Q_SIZE", "Bytes that may wait for one client (CBMEDIUM)", size, "queues.output.size"
    )
    for name, reading, what in _QUEUES:
        percent: dict[str, Any] = {"units": "%", "hopr": 100.0, "record": "calc"}
        for suffix, field, doc, more in (
            ("USED", "used", f"Now, in the fullest: {what}", {}),
            ("USEDPER", "used_percent", f"Share of the size now: {what}", percent),
            ("HIGH", "high", f"Most ever, looked at every second: {what}", {}),
            ("HIGHPER", "high_percent", f"Share of the size, most ever: {what}", percent),
            ("OVERRUNS", "overruns", _OVERRUNS.get(name, ""), {}),
        ):
            path = f"queues.{reading}.{field}"
            doc = doc if what else "Always 0: this server has no such queue"
            yield StatusPv(f"{name}_Q_{suffix}", doc, Period.SECOND, path, **more)


QUEUE_ROWS = tuple(_queue_rows())

TIME_ROWS = (
    StatusPv(
        "GTIM_TIME",
        "Seconds since the EPICS epoch, 1990-01-01 UTC",
        Period.SECOND,
        "time.seconds",
        units="sec",
        precision=3,
    ),
    StatusPv(
        "GTIM_ERR_CNT",
        "How often the clock was seen to go backwards",
        Period.SECOND,
        "time.errors",
        ChannelType.LONG,
        "longin",
        value=0,
        hihi=1.0,
    ),
    StatusPv(
        "GTIM_RESET",
        "Process to set GTIM_ERR_CNT to 0",
        Period.ON_WRITE,
        data_type=ChannelType.ENUM,
        record="bo",
        value=0,
        states=("Reset", "Reset"),
        read_only=False,
    ),
    text("GTIM_CUR_SRC", "time.current", "Where the time comes from", Period.SECOND),
    text("GTIM_EVT_SRC", "time.event", "Where times of events come from", Period.SECOND),
    text("GTIM_HI_SRC", "time.highest", "Time source of the highest priority", Period.SECOND),
)

SCAN_RATES = (
    ("01HZ", 10.0),
    ("02HZ", 5.0),
    ("05HZ", 2.0),
    ("1HZ", 1.0),
    ("2HZ", 0.5),
    ("5HZ", 0.2),
    ("10HZ", 0.1),
)
"""Names and periods in seconds of the scan monitors."""


def _scan_rows() -> Iterator[StatusPv]:
    for name, seconds in SCAN_RATES:
        yield StatusPv(
            f"{name}_MODE",
            f"Whether {name}_UPD_TIME is a time or what it differs from {seconds:g} s by",
            Period.ON_WRITE,
            data_type=ChannelType.ENUM,
            record="bo",
            value=1,
            states=("Relative", "Absolute"),
            read_only=False,
        )
        # The limits are those of the mode Absolute with B = 1 % and C = 5 %.
        yield StatusPv(
            f"{name}_UPD_TIME",
            f"Longest time between two calls of a scan of {seconds:g} s, of all scan hooks of the "
            "IOC and a timer on its loop, since the update before; fields B and C: percent of it "
            "that are a MINOR and a MAJOR alarm",
            Period.SCAN,
            record="sub",
            units="second",
            precision=5,
            hihi=seconds * 1.05,
            high=seconds * 1.01,
            low=-seconds,
            lolo=-seconds,
            seconds=seconds,
        )
    yield StatusPv(
        "SCANMON_SEVR",
        "Always 0, in the worst alarm of all scan monitors",
        Period.SECOND,
        record="calc",
    )


SCAN_ROWS = tuple(_scan_rows())

_VARIABLES = (
    "TZ TS_NTP_INET IOC_LOG_INET IOC_LOG_FILE_NAME IOC_LOG_FILE_COMMAND IOC_LOG_FILE_LIMIT "
    "CA_ADDR_LIST CA_AUTO_ADDR_LIST CA_NAME_SERVERS CA_CONN_TMO CA_REPEATER_PORT CA_SERVER_PORT "
    "CA_MAX_ARRAY_BYTES CA_AUTO_ARRAY_BYTES CA_BEACON_PERIOD CA_MAX_SEARCH_PERIOD CA_MCAST_TTL "
    "CAS_BEACON_PERIOD CAS_BEACON_PORT CAS_AUTO_BEACON_ADDR_LIST CAS_BEACON_ADDR_LIST "
    "CAS_SERVER_PORT CAS_INTF_ADDR_LIST CAS_IGNORE_ADDR_LIST IOC_IGNORE_SERVERS IOC_LOG_PORT"
).split()

# What EPICS Base takes where a variable is not set (CONFIG_ENV), and this server too.
_DEFAULTS = {
    "CA_AUTO_ADDR_LIST": "YES",
    "CA_CONN_TMO": "30.0",
    "CA_REPEATER_PORT": "5065",
    "CA_SERVER_PORT": "5064",
    "CA_MAX_ARRAY_BYTES": "16384",
    "CA_AUTO_ARRAY_BYTES": "YES",
    "CA_BEACON_PERIOD": "15.0",
    "CA_MAX_SEARCH_PERIOD": "300.0",
    "CA_MCAST_TTL": "1",
    "IOC_LOG_PORT": "7004",
    "IOC_LOG_FILE_LIMIT": "1000000",
}

_OLD_NAMES = {
    "CA_CONN_TIME": "CA_CONN_TMO",
    "CA_AUTO_ADDR": "CA_AUTO_ADDR_LIST",
    "CA_RPTR_PORT": "CA_REPEATER_PORT",
    "CA_SRVR_PORT": "CA_SERVER_PORT",
    "CA_MAX_ARRAY": "CA_MAX_ARRAY_BYTES",
    "CA_SRCH_TIME": "CA_MAX_SEARCH_PERIOD",
    "CA_BEAC_TIME": "CA_BEACON_PERIOD",
    "CAS_SRVR_PORT": "CAS_SERVER_PORT",
    "CAS_AUTO_ADDR": "CAS_AUTO_BEACON_ADDR_LIST",
    "CAS_ADDR_LIST": "CAS_BEACON_ADDR_LIST",
    "CAS_ADDR_INTF_LIST": "CAS_INTF_ADDR_LIST",
    "CAS_ADDR_IGNORE_LIST": "CAS_IGNORE_ADDR_LIST",
}


def _variable(suffix: str, doc: str, name: str, alias_of: str = "") -> StatusPv:
    return StatusPv(
        suffix,
        doc,
        Period.START,
        data_type=ChannelType.STRING,
        record="stringin",
        value=_DEFAULTS.get(name, ""),
        alias_of=alias_of,
        variable=f"EPICS_{name}",
    )


ENVIRONMENT_ROWS = (
    *[_variable(name, f"Environment variable EPICS_{name}", name) for name in _VARIABLES],
    *[_variable(old, f"Old name of {new}", new, new) for old, new in _OLD_NAMES.items()],
)
"""Their initial values are what holds where a variable is not set."""
