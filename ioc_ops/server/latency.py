"""How long something takes: a histogram since the start, and an example for each bucket."""

import time
from bisect import bisect_left
from collections.abc import Callable

__all__ = ["BOUNDS", "Example", "Latency"]

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds; upper ends of the buckets, each included."""

Example = tuple[str, float, float]
"""Name of a PV, seconds that it took, and Unix time."""


class Latency:
    """Durations of one kind of operation. The loop adds, any thread reads."""

    __slots__ = ("_clock", "bounds", "counts", "examples", "total")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Empty; ``clock`` gives Unix time."""
        self._clock = clock
        self.bounds: tuple[float, ...] = BOUNDS
        self.counts: list[int] = [0] * (len(BOUNDS) + 1)
        """Operations by bucket, not cumulative; the last are those above all bounds."""
        self.total = 0.0
        """Sum of all durations in seconds."""
        self.examples: list[Example | None] = [None] * (len(BOUNDS) + 1)
        """The newest operation of each bucket."""

    def add(self, pv: str, seconds: float) -> None:
        """Note that an operation on ``pv`` took ``seconds``."""
        bucket = bisect_left(self.bounds, seconds)
        self.counts[bucket] += 1
        self.total += seconds
        self.examples[bucket] = (pv, seconds, self._clock())
