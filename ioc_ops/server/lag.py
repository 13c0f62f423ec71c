"""How late the event loop comes: a histogram since the start, and the last minute in full."""

import math
from bisect import bisect_left

__all__ = ["BOUNDS", "WINDOW", "LoopLag"]

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds; upper ends of the buckets, each included."""

WINDOW = 60.0
"""Seconds that ``max`` and ``percentile`` look back."""

_MOST = 1024


class LoopLag:
    """Lags of one loop. The loop adds, any thread reads.

    Memory is bounded: one counter per bucket, and the last 1,024 lags, which is more than comes
    in a minute. A lag longer than the window still counts when it ends.
    """

    __slots__ = ("_next", "_recent", "bounds", "counts", "total")

    def __init__(self) -> None:
        self.bounds: tuple[float, ...] = BOUNDS
        self.counts: list[int] = [0] * (len(BOUNDS) + 1)
        """Lags by bucket, not cumulative; the last are those above all bounds."""
        self.total = 0.0
        """Sum of all lags in seconds."""
        self._recent: list[tuple[float, float]] = []
        self._next = 0

    def add(self, lag: float, now: float) -> None:
        """Note that the loop came ``lag`` seconds late at ``now`` (monotonic, in order)."""
        lag = max(lag, 0.0)  # a timer may go off a little before its time
        self.counts[bisect_left(self.bounds, lag)] += 1
        self.total += lag
        if len(self._recent) < _MOST:
            self._recent.append((now, lag))
        else:
            self._recent[self._next] = (now, lag)
        self._next = (self._next + 1) % _MOST

    @property
    def max(self) -> float:
        """Largest lag of the last minute, in seconds; 0 before the first."""
        return self.percentile(1.0)

    def percentile(self, share: float) -> float:
        """The lag that ``share`` (0 to 1) of those of the last minute do not exceed, in seconds.

        One that was seen, by nearest rank; 0 before the first.
        """
        # The loop adds meanwhile; copying a list is one atomic step.
        recent = self._recent.copy()
        newest = max((at for at, _ in recent), default=0.0)
        lags = sorted(lag for at, lag in recent if at > newest - WINDOW)
        return lags[max(math.ceil(share * len(lags)), 1) - 1] if lags else 0.0
