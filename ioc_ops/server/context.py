"""A running IOC: its PVs, its circuits, its counters."""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast

from ioc_ops.ca import SERVER_PORT, Command, max_payload, name_ends, named_field, parse_name
from ioc_ops.channel import ChannelData, States, View, make_view
from ioc_ops.errors import ConversionError
from ioc_ops.group import LivePVs, PVGroup, root_of_pv
from ioc_ops.server.access import AccessControl
from ioc_ops.server.counters import Counters
from ioc_ops.server.lag import LoopLag
from ioc_ops.server.outbox import Outbox
from ioc_ops.server.scans import ScanStats

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit

__all__ = ["Context", "current_context"]

log = logging.getLogger("ioc_ops.context")

_current: ContextVar["Context"] = ContextVar("ioc_ops.context")


def current_context() -> "Context":
    """The IOC that a hook runs in.

    Raises:
        LookupError: called outside of the hooks of a running IOC.
    """
    return _current.get()


class Context:
    """What circuits, helpers, status PVs and metrics share."""

    def __init__(
        self,
        pvdb: Mapping[str, ChannelData],
        *,
        name: str = "ioc",
        started_at: float = 0.0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """An IOC that does not run yet.

        Args:
            pvdb: PVs by name; looked up anew at each search, so it may change at run time.
            name: of the IOC, for labels and logs.
            started_at: Unix time.
            environment: EPICS_CA_* settings that circuits need.

        Raises:
            ConfigurationError: a setting is no number.
        """
        self.pvdb = pvdb
        self.name = name
        self.started_at = started_at
        self.state = "constructed"
        self.heartbeat = 0.0
        self.lag = LoopLag()
        self.scans: defaultdict[float, ScanStats] = defaultdict(ScanStats)
        """By period in seconds."""
        self.counters = Counters()
        self.circuits: set[Circuit] = set()
        self.reading: Counter[ChannelData] = Counter()
        """Reads that wait for getters, by PV."""
        self.access = AccessControl(self)
        self.tasks_failed = 0
        self.port = SERVER_PORT
        self.max_payload = max_payload(environment or {})
        self.exit_status = 0
        self.outbox = Outbox(_not_running)
        self.spawn: Callable[[Coroutine[Any, Any, None], str], object] = _not_running
        self._stop: Callable[[], None] = _not_running
        self.task_count: Callable[[], int] = int
        self.added: list[Callable[[ChannelData], None]] = []
        """Called with each PV that comes, in the loop's thread; they must not raise."""
        self.removed: list[Callable[[ChannelData], None]] = [self.disconnect]
        """Called with each PV that goes or is replaced, likewise."""
        if isinstance(pvdb, LivePVs):
            pvdb.added.append(self.pv_added)
            pvdb.removed.append(self.pv_removed)

    def attach(
        self,
        call_soon: Callable[[Callable[[], None]], object],
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
        stop: Callable[[], None],
        task_count: Callable[[], int] = int,
    ) -> None:
        """Be run by a driver, and become the context of all that starts from here."""
        self.outbox = Outbox(call_soon)
        self.spawn = spawn
        self._stop = stop
        self.task_count = task_count
        _current.set(self)

    def has(self, name: str) -> bool:
        """Whether a search for ``name`` is to be answered; makes nothing.

        As in EPICS Base (``dbChannelTest``) a filter is looked at when its channel is made.
        """
        if name in self.pvdb or self._value_of(name) is not None:
            return True
        return any(_has_field(pv, named_field(name, end)) for pv, end in self._within(name))

    def find(self, name: str) -> ChannelData | None:
        """The PV that a client means by ``name``, or None."""
        try:
            return self.pvdb[name]
        except KeyError:
            return self._resolve(name)

    def _resolve(self, name: str) -> ChannelData | None:
        """The field, or the view of a PV, that ``name`` means; PVs may have dots in their names."""
        found = self._value_of(name)
        starts = iter(()) if found is not None else self._within(name)
        for pv, end in starts:
            found = _behind(pv, name, end)
            if found is not None:
                break
        return found

    def _value_of(self, name: str) -> ChannelData | None:
        """The PV that ``name`` means with a dot or ``.VAL`` behind it."""
        base, dot, field = name.rpartition(".")
        return self.pvdb[base] if dot and field in ("", "VAL") and base in self.pvdb else None

    def _within(self, name: str) -> Iterator[tuple[ChannelData, int]]:
        """The PVs with which ``name`` begins, and where their own names end; the longest first."""
        if "." in name or "$" in name:  # most searches are for PVs of others
            for end in name_ends(name):
                if name[:end] in self.pvdb:
                    yield self.pvdb[name[:end]], end

    def pv_added(self, pv: ChannelData) -> None:
        """A PV has come: start its hooks, tell all who are to know (``added``).

        Called for each PV that is put into the ``pvdb`` of a group; call it, in the loop's
        thread, for one that you have put into a mapping of your own.
        """
        for tell in self.added:
            tell(pv)

    def pv_removed(self, pv: ChannelData) -> None:
        """A PV has gone: disconnect its clients, end its hooks, tell (``removed``).

        Called, and to be called, as ``pv_added`` is.
        """
        for tell in self.removed:
            tell(pv)

    def disconnect(self, pv: ChannelData) -> None:
        """Take their channels to a PV, its fields and its filters from all clients.

        They search anew.
        """
        for circuit in list(self.circuits):
            gone = [each for each in circuit.channels.values() if _stands_for(each.channel, pv)]
            for each in gone:
                del circuit.channels[each.sid]
                circuit.drop_all(each)
                circuit.forget_reads()
                circuit.answer(Command.SERVER_DISCONN, 0, b"", 0, each.cid, 0)

    @property
    def running(self) -> bool:
        """Whether hooks and records may act by themselves: from their start to the stop."""
        return self.state in ("starting", "ready")

    @property
    def groups(self) -> list[PVGroup]:
        """Every group that a PV of the IOC belongs to."""
        found: dict[int, PVGroup] = {}
        for channel in list(self.pvdb.values()):
            group = getattr(channel, "group", None)
            while group is not None and id(group) not in found:
                found[id(group)] = group
                group = group.parent
        return list(found.values())

    @property
    def loop_lag_max(self) -> float:
        """How late the loop came at most during the last minute, in seconds."""
        return self.lag.max

    @property
    def pv_count(self) -> int:
        """Number of PVs."""
        return len(self.pvdb)

    def reload_access(self) -> None:
        """Read the access configuration file anew, and tell clients whose rights change.

        Call in the loop's thread; it waits for the disk. ``access.load()`` in a worker thread,
        then ``access.use()``, does not.

        Raises:
            ConfigurationError: the file is wrong, or none was given; the old rules stay.
        """
        self.access.reload()

    def request_stop(self, exit_status: int = 0) -> None:
        """Stop in an orderly way; call in the loop's thread.

        Args:
            exit_status: what the process ends with; RESTART asks its supervisor to start it anew.
        """
        self.exit_status = self.exit_status or exit_status
        self._stop()


def _behind(pv: ChannelData, name: str, end: int) -> ChannelData | None:
    """What ``name`` means, given that it begins with the name of ``pv``."""
    try:
        parts = parse_name(name, end)
        channel = pv if parts.field in ("", "VAL") else _field_of(pv, parts.field)
        if channel is None or not parts.modified:
            return channel
        view = make_view(
            channel,
            name,
            long_string=parts.long_string,
            filters=parts.filters,
            states=_states_of(pv),
        )
    except ConversionError as problem:
        log.debug("%s", problem)
        return None
    return cast("ChannelData", view)  # to a circuit it is one


def _stands_for(channel: object, pv: ChannelData) -> bool:
    """Whether what a client connected to is a PV, or a field or view of it."""
    seen = channel.pv if isinstance(channel, View) else channel
    # Fields of the tables know their record; those that a class declares know the fields.
    fields = getattr(seen, "group", None)
    return seen is pv or pv in (getattr(seen, "record", None), getattr(fields, "parent", None))


def _has_field(pv: ChannelData, field: str | None) -> bool:
    """Whether a PV has a field, which is not made for that."""
    if field in ("", "VAL"):
        return True
    has_field: Callable[[str], bool] | None = getattr(pv, "has_field", None)
    return field is not None and has_field is not None and has_field(field)


def _field_of(pv: ChannelData, field: str) -> ChannelData | None:
    """A field of the record that a PV stands for."""
    get_field: Callable[[str], ChannelData] | None = getattr(pv, "get_field", None)
    if get_field is None:
        return None
    try:
        return get_field(field)
    except AttributeError:
        return None


def _states_of(pv: ChannelData) -> States:
    """The states of the group tree that a PV belongs to."""
    root = root_of_pv(pv)
    return {} if root is None else root.states


def _not_running(*arguments: object) -> None:
    for argument in arguments:
        close = getattr(argument, "close", None)
        if close is not None:
            close()  # a coroutine that nobody will run
    raise RuntimeError("the IOC does not run")
