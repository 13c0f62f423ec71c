"""Circuits with something to send: all that one tick produces leaves in one write each."""

from collections.abc import Callable
from typing import Protocol

__all__ = ["Outbox"]


class _Sender(Protocol):
    def flush(self) -> None: ...


class Outbox:
    """Collects circuits during a tick; the driver says how to be called at its end."""

    __slots__ = ("_call_soon", "_dirty", "scheduled")

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self._call_soon = call_soon
        self._dirty: list[_Sender] = []
        self.scheduled = False

    def add(self, circuit: _Sender) -> None:
        """A circuit has its first bytes of this tick."""
        self._dirty.append(circuit)
        if not self.scheduled:
            self.scheduled = True
            self._call_soon(self.flush)

    def flush(self) -> None:
        """Write everything out."""
        self.scheduled = False
        dirty, self._dirty = self._dirty, []
        for circuit in dirty:
            circuit.flush()
