"""Which readings are due. No clock and no sleep: the caller brings the time."""

import math
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

__all__ = ["TICK", "Schedule", "until_next_beat"]

# Seconds between two looks at the schedule; periods are whole multiples of it, at least one.
TICK = 1.0

# A timer may go off a little before its time; such a beat is not the one before it.
_EARLY = 0.1

Name = TypeVar("Name", bound=Hashable)


def until_next_beat(passed: float) -> float:
    """Seconds to sleep until the next whole second, ``passed`` seconds after the first beat.

    No drift, and after a stall no burst: beats that were missed are not made up for.
    """
    return math.floor(passed + _EARLY) + 1 - passed


class Schedule(Generic[Name]):
    """Remembers when each name was due last. Asked once per ``TICK``.

    A period may change at any time and counts at the next question, from the last time on.
    """

    def __init__(self) -> None:
        self._last: dict[Name, float] = {}

    def due(self, now: float, periods: Mapping[Name, float]) -> frozenset[Name]:
        """The names whose period in seconds has passed at ``now``; at first all of them."""
        # Half a tick of tolerance: a tick that comes a little early must not cost a whole one.
        due = frozenset(
            name
            for name, period in periods.items()
            if name not in self._last or now - self._last[name] >= period - TICK / 2
        )
        self._last.update(dict.fromkeys(due, now))
        return due
