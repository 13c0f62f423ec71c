"""A running IOC: its PVs, its circuits, its counters."""

from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ioc_ops.ca import SERVER_PORT, max_payload
from ioc_ops.channel import ChannelData
from ioc_ops.group import PVGroup
from ioc_ops.server.counters import Counters
from ioc_ops.server.outbox import Outbox

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit

__all__ = ["Context", "current_context"]

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
        self.loop_lag_max = 0.0
        self.counters = Counters()
        self.circuits: set[Circuit] = set()
        self.tasks_failed = 0
        self.port = SERVER_PORT
        self.max_payload = max_payload(environment or {})
        self.exit_status = 0
        self.outbox = Outbox(_not_running)
        self.spawn: Callable[[Coroutine[Any, Any, None], str], object] = _not_running
        self._stop: Callable[[], None] = _not_running

    def attach(
        self,
        call_soon: Callable[[Callable[[], None]], object],
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
        stop: Callable[[], None],
    ) -> None:
        """Be run by a driver, and become the context of all that starts from here."""
        self.outbox = Outbox(call_soon)
        self.spawn = spawn
        self._stop = stop
        _current.set(self)

    def has(self, name: str) -> bool:
        """Whether a search for ``name`` is to be answered."""
        return name in self.pvdb or self._resolve(name) is not None

    def find(self, name: str) -> ChannelData | None:
        """The PV that a client means by ``name``, or None."""
        try:
            return self.pvdb[name]
        except KeyError:
            return self._resolve(name)

    def _resolve(self, name: str) -> ChannelData | None:
        """``NAME.VAL`` and ``NAME.`` are ``NAME``."""
        base, dot, field = name.rpartition(".")
        if dot and field in ("", "VAL") and base in self.pvdb:
            return self.pvdb[base]
        return None

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
    def pv_count(self) -> int:
        """Number of PVs."""
        return len(self.pvdb)

    def request_stop(self, exit_status: int = 0) -> None:
        """Stop in an orderly way; call in the loop's thread.

        Args:
            exit_status: what the process ends with; RESTART asks its supervisor to start it anew.
        """
        self.exit_status = self.exit_status or exit_status
        self._stop()


def _not_running(*arguments: object) -> None:
    for argument in arguments:
        close = getattr(argument, "close", None)
        if close is not None:
            close()  # a coroutine that nobody will run
    raise RuntimeError("the IOC does not run")
