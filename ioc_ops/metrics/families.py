"""The metrics of a running IOC, one row each: name, kind, meaning, and where the number is.

Names follow the Prometheus conventions: base units as suffix, ``_total`` for counters and for
nothing else, no PV name in a metric name, totals and failures as metrics of their own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, Protocol, TypeVar

from ioc_ops.autosave import AutosaveStats
from ioc_ops.ca import Command
from ioc_ops.channel import ChannelData
from ioc_ops.server import Context, Counters
from ioc_ops.status import MemoryTracingHelper, ServerReading

__all__ = [
    "AUTOSAVE_FAMILIES",
    "IOC_FAMILIES",
    "PV_FAMILIES",
    "Durations",
    "Family",
    "Kind",
    "Scrape",
]

Source = TypeVar("Source")

_SAVE_ERRORS = ("EACCES", "EIO", "EMFILE", "ENOSPC", "EROFS", "timeout", "other")
_HOOKS = ("getter", "putter", "startup", "shutdown", "scan", "restore", "save")


class Kind(Enum):
    """Of the kinds that Prometheus knows, those that there are here."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Durations(Protocol):
    """What a histogram is made from: upper ends of its buckets, and counts by bucket."""

    bounds: tuple[float, ...]
    counts: list[int]
    total: float


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one scrape looks at.

    ``silent`` is the time in seconds since the loop's last sign of life; ``memory`` what traces
    memory, if something does.
    """

    context: Context
    server: ServerReading
    silent: float
    memory: MemoryTracingHelper | None = None


@dataclass(frozen=True, slots=True)
class Family(Generic[Source]):
    """One metric. ``read`` gives its number, or one number for each value of ``label``.

    ``None`` means that there is nothing to tell: no sample, rather than a wrong one.
    """

    name: str
    kind: Kind
    documentation: str
    read: Callable[[Source], float | Mapping[str, int] | Durations | None]
    label: str | None = None


def _gauge(name: str, read: Callable[[Source], float | None], documentation: str) -> Family[Source]:
    return Family(name, Kind.GAUGE, documentation, read)


def _counter(
    name: str, read: Callable[[Source], float | None], documentation: str
) -> Family[Source]:
    return Family(name, Kind.COUNTER, documentation, read)


def _histogram(
    name: str, read: Callable[[Source], Durations], documentation: str
) -> Family[Source]:
    return Family(name, Kind.HISTOGRAM, documentation, read)


# Those that both sides of a circuit say, in the order of their numbers.
_FROM_CLIENTS = tuple(
    Command[name]
    for name in (
        "VERSION EVENT_ADD EVENT_CANCEL READ WRITE SEARCH EVENTS_OFF EVENTS_ON READ_SYNC "
        "CLEAR_CHANNEL READ_NOTIFY CREATE_CHAN WRITE_NOTIFY CLIENT_NAME HOST_NAME ECHO"
    ).split()
)
_FROM_SERVERS = tuple(
    Command[name]
    for name in (
        "VERSION EVENT_ADD READ SEARCH READ_SYNC ERROR CLEAR_CHANNEL NOT_FOUND READ_NOTIFY "
        "CREATE_CHAN WRITE_NOTIFY ACCESS_RIGHTS ECHO CREATE_CH_FAIL SERVER_DISCONN"
    ).split()
)


def _received(counters: Counters) -> dict[str, int]:
    by_number = counters.messages_received
    return {command.name: by_number[command] for command in _FROM_CLIENTS}


def _sent(counters: Counters) -> dict[str, int]:
    by_number = counters.messages_sent
    sent = {command.name: by_number[command] for command in _FROM_SERVERS}
    sent[Command.EVENT_ADD.name] += counters.events_sent
    return sent


IOC_FAMILIES: tuple[Family[Scrape], ...] = (
    _gauge(
        "epics_ioc_ready",
        lambda s: float(s.context.state == "ready"),
        "1 while the IOC serves clients and all its startup is done, else 0.",
    ),
    _gauge(
        "epics_ioc_start_timestamp_seconds",
        lambda s: s.context.started_at,
        "Unix time at which the IOC started.",
    ),
    _gauge("epics_ioc_pvs", lambda s: s.server.pvs, "PVs that the IOC serves."),
    _gauge(
        "epics_ioc_event_loop_heartbeat_age_seconds",
        lambda s: s.silent,
        "Time since the event loop's last sign of life; it gives one every 0.1 s.",
    ),
    _gauge(
        "epics_ioc_event_loop_lag_max_seconds",
        lambda s: s.context.loop_lag_max,
        "Largest lag of the event loop in the last minute.",
    ),
    _histogram(
        "epics_ioc_event_loop_lag_seconds",
        lambda s: s.context.lag,
        "How late the event loop came to a timer of 0.1 s, since the start.",
    ),
    _gauge(
        "epics_ioc_tasks",
        lambda s: s.context.task_count(),
        "Tasks that run: startup hooks, scans, getters and putters at work, the server's own.",
    ),
    _counter(
        "epics_ioc_task_failures_total",
        lambda s: s.server.failed_tasks,
        "Startup hooks and scans that died of an exception.",
    ),
    Family(
        "epics_ioc_hook_failures_total",
        Kind.COUNTER,
        "Hooks of the IOC's author that raised an exception, by kind of hook.",
        # A series that starts at its first failure would hide that failure from rate().
        lambda s: dict.fromkeys(_HOOKS, 0) | s.context.counters.hook_failures,
        label="hook",
    ),
    _gauge(
        "epics_ioc_ca_circuits",
        lambda s: s.server.circuits,
        "Channel Access TCP connections that are open.",
    ),
    _gauge(
        "epics_ioc_ca_clients",
        lambda s: s.server.clients,
        "Distinct pairs of user and host that have a connection open.",
    ),
    _gauge("epics_ioc_ca_channels", lambda s: s.server.channels, "Channels that clients hold."),
    _gauge(
        "epics_ioc_ca_subscriptions",
        lambda s: s.server.subscriptions,
        "Monitors that clients hold.",
    ),
    _gauge(
        "epics_ioc_ca_circuits_congested",
        lambda s: s.server.congested,
        "Connections whose client reads slower than its monitors update.",
    ),
    _counter(
        "epics_ioc_ca_connections_total",
        lambda s: s.context.counters.connections,
        "TCP connections accepted since the start.",
    ),
    _counter(
        "epics_ioc_ca_received_bytes_total",
        lambda s: s.context.counters.bytes_received,
        "Bytes received over TCP.",
    ),
    _counter(
        "epics_ioc_ca_sent_bytes_total",
        lambda s: s.context.counters.bytes_sent,
        "Bytes sent over TCP.",
    ),
    Family(
        "epics_ioc_ca_messages_received_total",
        Kind.COUNTER,
        "Channel Access messages received over TCP, by command.",
        lambda s: _received(s.context.counters),
        label="command",
    ),
    Family(
        "epics_ioc_ca_messages_sent_total",
        Kind.COUNTER,
        "Channel Access messages sent over TCP, by command; EVENT_ADD are monitor updates.",
        lambda s: _sent(s.context.counters),
        label="command",
    ),
    _counter("epics_ioc_ca_reads_total", lambda s: s.context.counters.reads, "Reads by clients."),
    _counter(
        "epics_ioc_ca_writes_total", lambda s: s.context.counters.writes, "Writes by clients."
    ),
    _histogram(
        "epics_ioc_ca_read_duration_seconds",
        lambda s: s.context.counters.read_latency,
        "Time from a read's request to its answer, of reads that ran a getter; "
        "others are answered at once and not timed.",
    ),
    _histogram(
        "epics_ioc_ca_write_duration_seconds",
        lambda s: s.context.counters.write_latency,
        "Time from a write's request to its end, of writes that ran a putter or another hook, "
        "with the wait for earlier writes; others are done at once and not timed.",
    ),
    _counter(
        "epics_ioc_ca_searches_total",
        lambda s: s.context.counters.searches,
        "PV names that clients searched for.",
    ),
    _counter(
        "epics_ioc_ca_search_hits_total",
        lambda s: s.context.counters.search_hits,
        "Searches for a PV of this IOC.",
    ),
    _counter(
        "epics_ioc_ca_protocol_errors_total",
        lambda s: s.context.counters.protocol_errors,
        "Connections closed because what came was not Channel Access.",
    ),
    _counter(
        "epics_ioc_ca_events_sent_total",
        lambda s: s.context.counters.events_sent,
        "Monitor updates sent.",
    ),
    _counter(
        "epics_ioc_ca_events_dropped_total",
        lambda s: s.context.counters.events_replaced,
        "Monitor updates that a newer value replaced before a slow client could take them.",
    ),
    _counter(
        "epics_ioc_ca_access_denied_total",
        lambda s: s.context.counters.access_denied,
        "Reads and writes refused for want of rights.",
    ),
    _counter(
        "epics_ioc_ca_beacons_sent_total",
        lambda s: s.context.counters.beacons_sent,
        "Beacons sent.",
    ),
    _gauge(
        "epics_ioc_tracemalloc_current_bytes",
        # 0 while nothing is traced.
        lambda s: (s.memory.traced_current or None) if s.memory else None,
        "Traced memory at the last look of a MemoryTracingHelper; absent while it does not trace.",
    ),
    _gauge(
        "epics_ioc_tracemalloc_peak_bytes",
        lambda s: (s.memory.traced_peak or None) if s.memory else None,
        "Most traced memory so far, at the last look of a MemoryTracingHelper that traces.",
    ),
)

AUTOSAVE_FAMILIES: tuple[Family[AutosaveStats], ...] = (
    _gauge(
        "epics_ioc_autosave_last_success_timestamp_seconds",
        # Before the first save there is no such time; 0 would read as 1970.
        lambda s: s.last_success or None,
        "Unix time of the last save that is safely on disk.",
    ),
    _counter("epics_ioc_autosave_saves_total", lambda s: s.saves, "Saves that are safely on disk."),
    Family(
        "epics_ioc_autosave_failures_total",
        Kind.COUNTER,
        "Saves that failed, by the name of the system's error, `timeout`, or `other`.",
        lambda s: dict.fromkeys(_SAVE_ERRORS, 0) | s.failures_by_kind,
        label="kind",
    ),
    _gauge(
        "epics_ioc_autosave_duration_seconds",
        lambda s: s.last_duration,
        "Time that the last save took.",
    ),
    _gauge("epics_ioc_autosave_size_bytes", lambda s: s.size, "Size of the newest save file."),
    _gauge("epics_ioc_autosave_pvs", lambda s: s.pvs, "PVs and fields that are saved."),
    _gauge(
        "epics_ioc_autosave_restored_pvs",
        lambda s: s.restored,
        "PVs and fields that got their value back at the start.",
    ),
    _gauge(
        "epics_ioc_autosave_restore_failures",
        lambda s: s.restore_failures,
        "PVs and fields whose saved value could not be given back at the start.",
    ),
    _gauge(
        "epics_ioc_autosave_restore_passed_over_files",
        lambda s: s.passed_over,
        "Newer generations that could not be used at the start, before the one that was restored.",
    ),
    _gauge(
        "epics_ioc_autosave_carried_pvs",
        lambda s: s.carried,
        "Saved values of PVs that are not served now and are carried forward.",
    ),
    _gauge(
        "epics_ioc_autosave_unsaved_since_timestamp_seconds",
        lambda s: s.unsaved_since or None,
        "Unix time since when there are changes that are not on disk; absent when there are none.",
    ),
    _gauge(
        "epics_ioc_autosave_overdue_seconds",
        lambda s: s.overdue or None,
        "Time that changes may wait to be on disk, by the period of their save set.",
    ),
    _gauge(
        "epics_ioc_autosave_storage_hung",
        lambda s: float(s.hung),
        "1 while storage takes longer to answer than it may, else 0.",
    ),
    _gauge(
        "epics_ioc_autosave_files",
        lambda s: s.generations,
        "Dated generations that are kept beside the save file.",
    ),
)

PV_FAMILIES: tuple[Family[ChannelData], ...] = (
    _gauge(
        "epics_pv_value",
        lambda pv: float(pv.stored),
        "Value that the PV has, without asking its getter; the index of a state.",
    ),
    _gauge(
        "epics_pv_alarm_severity",
        lambda pv: pv.alarm.severity,
        "0 no alarm, 1 MINOR, 2 MAJOR, 3 INVALID.",
    ),
    _gauge(
        "epics_pv_update_timestamp_seconds",
        lambda pv: pv.time_ns / 1e9,
        "Unix time of the PV's value.",
    ),
)
