"""Takes the readings. Status PVs and Prometheus metrics show what was read here, nothing else.

``read_server`` and ``read_clock`` cost microseconds and never block. ``ProcessProbe`` asks the
operating system: call it from a worker thread.
"""

from collections.abc import Mapping

from ioc_ops.server import Context
from ioc_ops.status.asker import Asker
from ioc_ops.status.formats import split, time_of_day, uptime
from ioc_ops.status.host import Host
from ioc_ops.status.readings import (
    ClockReading,
    DescriptorReading,
    HostReading,
    LoadReading,
    MemoryReading,
    ServerReading,
)

__all__ = ["ProcessProbe", "read_clock", "read_server"]

# FD_FREE of iocStats where the operating system knows no limit (ioc.template).
_FREE_WITHOUT_LIMIT = 1000


def read_clock(started_at: float, now: float) -> ClockReading:
    """The clock texts for an IOC that started at ``started_at``; both in unix seconds."""
    return ClockReading(
        started=time_of_day(started_at), now=time_of_day(now), uptime=uptime(now - started_at)
    )


def read_server(context: Context) -> ServerReading:
    """The counts of ``context`` now. Callable from any thread.

    ``circuits`` are TCP connections (CA_CLNT_CNT); ``clients`` are the distinct pairs of user and
    host behind them, so that one program with several connections counts once.
    """
    # The server's thread adds and removes circuits meanwhile; copying a set is one atomic step.
    circuits = tuple(context.circuits)
    return ServerReading(
        circuits=len(circuits),
        clients=len({(circuit.user, circuit.client_host) for circuit in circuits}),
        channels=sum(len(circuit.channels) for circuit in circuits),
        subscriptions=sum(circuit.subscription_count for circuit in circuits),
        congested=sum(circuit.congested for circuit in circuits),
        pvs=len(context.pvdb),
        failed_tasks=context.tasks_failed,
    )


def _share(before: float | None, after: float | None, capacity: float) -> float | None:
    """Percent of ``capacity`` CPU seconds used between two readings, None if unknown."""
    if before is None or after is None or capacity <= 0:
        return None
    return min(100.0, max(0.0, 100.0 * (after - before) / capacity))


def _startup_script(environ: Mapping[str, str]) -> str | None:
    folder = environ.get("STARTUP")
    if folder:
        return f"{folder}/{environ.get('ST_CMD', '')}"
    return environ.get("IOCSH_STARTUP_SCRIPT") or None


class ProcessProbe:
    """Asks ``host`` about this process. Every method may block; one failing call costs one field.

    ``load`` measures from the call before: the first call knows nothing yet.
    """

    def __init__(self, host: Host, environ: Mapping[str, str]) -> None:
        self._host = host
        self._environ = environ
        self._asker = Asker()
        self._before: tuple[float | None, float | None, float | None] = (None, None, None)

    def host(self) -> HostReading:
        """What is fixed for the life of the process.

        Engineer and location come from the environment as in devIocStatsString.c: ENGINEER, else
        LOGNAME, else USER; LOCATION. So does the startup script: STARTUP/ST_CMD, else
        IOCSH_STARTUP_SCRIPT; else it is the program that runs.
        """
        host, environ, ask = self._host, self._environ, self._asker.ask
        directory = ask("working directory", host.directory)
        head, tail = (None, None) if directory is None else split(directory)
        source = ask("source file", host.source_file)
        script = _startup_script(environ) or source
        script_head, script_tail = (None, None) if script is None else split(script)
        release = ask("release", host.release)
        python = ask("Python version", host.python)
        return HostReading(
            hostname=ask("host name", host.hostname),
            kernel=ask("kernel version", host.kernel),
            cpus=ask("number of CPUs", host.cpus),
            process_id=ask("process id", host.process_id),
            parent_id=ask("parent process id", host.parent_id),
            engineer=environ.get("ENGINEER") or environ.get("LOGNAME") or environ.get("USER"),
            location=environ.get("LOCATION"),
            release=release,
            version=f"{release} on Python {python}" if release and python else release,
            source_file=source,
            directory=directory,
            directory_head=head,
            directory_tail=tail,
            script=script,
            script_head=script_head,
            script_tail=script_tail,
            environment={
                name: value for name, value in environ.items() if name.startswith("EPICS_")
            },
        )

    def memory(self) -> MemoryReading:
        host, ask = self._host, self._asker.ask
        return MemoryReading(
            used=ask("resident memory", host.resident),
            available=ask("available memory", host.memory_available),
            total=ask("total memory", host.memory_total),
        )

    def descriptors(self) -> DescriptorReading:
        host, ask = self._host, self._asker.ask
        used = ask("file descriptors", host.descriptors)
        limit = ask("file descriptor limit", host.descriptor_limit)
        free = None
        if limit == 0:
            free = _FREE_WITHOUT_LIMIT
        elif limit is not None and used is not None:
            free = limit - used
        return DescriptorReading(
            used=used, limit=limit, free=free, threads=ask("threads", host.threads)
        )

    def load(self) -> LoadReading:
        """CPU use since the call before; nothing is known at the first call."""
        host, ask = self._host, self._asker.ask
        now = ask("monotonic clock", host.monotonic)
        system = ask("CPU times", host.system_busy)
        process = ask("CPU times of the process", host.process_busy)
        cpus = ask("number of CPUs", host.cpus)
        then, system_then, process_then = self._before
        self._before = (now, system, process)
        if now is None or then is None or cpus is None:
            return LoadReading()
        capacity = (now - then) * cpus
        return LoadReading(
            system=_share(system_then, system, capacity),
            process=_share(process_then, process, capacity),
        )
