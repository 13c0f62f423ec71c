"""What a probe read: plain frozen values that PVs and metrics both show.

A field is ``None`` where the host does not offer it or where reading it failed; the others stand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "ClockReading",
    "DescriptorReading",
    "HostReading",
    "LoadReading",
    "LoopReading",
    "MemoryReading",
    "QueueReading",
    "QueuesReading",
    "Readings",
    "ServerReading",
    "TimeReading",
    "TrafficReading",
]


@dataclass(frozen=True, slots=True)
class HostReading:
    """What does not change while the process lives. Texts are whole, never cut."""

    hostname: str | None = None
    kernel: str | None = None
    cpus: int | None = None
    process_id: int | None = None
    parent_id: int | None = None
    engineer: str | None = None
    location: str | None = None
    release: str | None = None
    version: str | None = None
    source_file: str | None = None
    directory: str | None = None
    directory_head: str | None = None
    directory_tail: str | None = None
    script: str | None = None
    script_head: str | None = None
    script_tail: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Wall clock as iocStats writes it, local time."""

    started: str | None = None
    now: str | None = None
    uptime: str | None = None


@dataclass(frozen=True, slots=True)
class ServerReading:
    """The counts of a running server."""

    circuits: int | None = None
    clients: int | None = None
    channels: int | None = None
    subscriptions: int | None = None
    congested: int | None = None
    pvs: int | None = None
    failed_tasks: int | None = None


@dataclass(frozen=True, slots=True)
class MemoryReading:
    """Bytes: resident set of this process, memory available on the host, and all it has."""

    used: int | None = None
    available: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class LoadReading:
    """Percent (0 to 100) of all CPUs together, over the time since the reading before."""

    system: float | None = None
    process: float | None = None


@dataclass(frozen=True, slots=True)
class DescriptorReading:
    """File descriptors of this process; ``limit`` 0 means unlimited."""

    used: int | None = None
    limit: int | None = None
    free: int | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class QueueReading:
    """The fullest queue of a kind: entries now and at most so far, percent of its size."""

    size: int | None = None
    used: int | None = None
    used_percent: float | None = None
    high: int | None = None
    high_percent: float | None = None
    overruns: int | None = None


@dataclass(frozen=True, slots=True)
class QueuesReading:
    """Requests that wait for user code, bytes that wait to be sent, and what we do not have."""

    requests: QueueReading = QueueReading()
    output: QueueReading = QueueReading()
    absent: QueueReading = QueueReading()


@dataclass(frozen=True, slots=True)
class TimeReading:
    """General Time: seconds since 1990, backward steps of the clock, names of time sources."""

    seconds: float | None = None
    errors: int | None = None
    current: str | None = None
    event: str | None = None
    highest: str | None = None


@dataclass(frozen=True, slots=True)
class LoopReading:
    """Seconds by which the event loop came late during the last minute."""

    largest: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class TrafficReading:
    """Per second since the reading before: events sent to monitors, writes and reads of clients."""

    events: float | None = None
    puts: float | None = None
    gets: float | None = None


@dataclass(frozen=True, slots=True)
class Readings:
    """The newest reading of every source."""

    host: HostReading = HostReading()
    clock: ClockReading = ClockReading()
    server: ServerReading = ServerReading()
    memory: MemoryReading = MemoryReading()
    load: LoadReading = LoadReading()
    descriptors: DescriptorReading = DescriptorReading()
    queues: QueuesReading = QueuesReading()
    time: TimeReading = TimeReading()
    loop: LoopReading = LoopReading()
    traffic: TrafficReading = TrafficReading()
