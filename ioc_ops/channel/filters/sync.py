"""``sync``: let updates pass by a state of the IOC (``sync.c``, ``dbState.c``)."""

from dataclasses import dataclass

from ioc_ops.ca.json5 import Json
from ioc_ops.channel.filters.options import Kind, Option, read_options
from ioc_ops.channel.filters.update import PROPERTY, Filter, States, Step, Update
from ioc_ops.errors import ConversionError

__all__ = ["Synchronize"]

_MODES = ("before", "first", "last", "after", "while", "unless")
_OPTIONS = (
    Option("m", Kind.CHOICE, "mode", converts=True, choices=_MODES, required=True),
    Option("s", Kind.TEXT, "state", required=True),
    *[Option(mode, Kind.TEXT, "state", also=("mode", mode)) for mode in _MODES],
)


@dataclass(frozen=True, slots=True)
class Synchronize(Filter):
    """Pass what comes while or unless the state holds, or one update at its edges.

    before, first: the last update before, the first after the state became true;
    last, after: the last update before, the first after it became false.
    An edge is noticed when the next update comes: filters add no events of their own.
    Property events always pass.
    """

    mode: str
    state: str
    states: States

    @classmethod
    def make(cls, options: Json, states: States) -> "Synchronize":
        """From ``{m:MODE, s:STATE}`` or ``{MODE:STATE}``. Raises ConversionError."""
        given = read_options("sync", _OPTIONS, options)
        # A map inside of the map may have named them without a value: Base's are then zero.
        mode, state = str(given.get("mode", _MODES[0])), str(given.get("state", ""))
        if state not in states:
            raise ConversionError(f"filter sync: there is no state {state!r}")
        return cls(mode, state, states)

    def start(self) -> Step:
        mode, state, states = self.mode, self.state, self.states
        level = mode in ("while", "first", "before")
        keeps = mode in ("before", "last")
        held: Update | None = None
        was = False

        def step(update: Update) -> Update | None:
            nonlocal held, was
            if update.reading or update.events & PROPERTY:
                return update
            now = bool(states.get(state))
            if mode in ("while", "unless"):
                return update if now == level else None
            edge = now != was and now == level
            was = now
            if not keeps:
                return update if edge else None
            passed, held = held if edge else None, update
            return passed

        return step
