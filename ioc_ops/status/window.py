"""Statistics over the last seconds of a stream of numbers. No clock: the caller brings the time.

Memory is bounded: a window is a ring of at most 61 buckets, each with the moments of its numbers
and at most 400 points of their distribution: 0.4 MB at most, 10 kB at 10 numbers a second.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ioc_ops.status.moments import NOTHING, Floats, Moments
from ioc_ops.status.quantiles import NO_POINTS, Points, percentiles

__all__ = ["Batch", "SlidingWindow", "Summary", "digested"]

_BUCKETS = 60

# Elements of small arrays that are looked at in one go.
_TOGETHER = 0x10000


@dataclass(frozen=True, slots=True)
class Batch:
    """What came between two looks at a PV."""

    updates: int = 0
    invalid: int = 0
    """Of these, with the PV in INVALID alarm: their values do not count."""
    skipped: int = 0
    """Of these, too many to be looked at."""
    nonfinite: int = 0
    """Values that are no finite number: NaN and infinities."""
    moments: Moments = NOTHING
    points: Points = NO_POINTS

    def merged(self, other: "Batch") -> "Batch":
        """Both together."""
        return Batch(
            self.updates + other.updates,
            self.invalid + other.invalid,
            self.skipped + other.skipped,
            self.nonfinite + other.nonfinite,
            self.moments.merged(other.moments),
            self.points.with_more(other.points),
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """What is shown of a window. The last four are None where there is no number to tell of."""

    count: int
    nonfinite: int
    invalid: int
    skipped: int
    rate: float
    """Updates per second."""
    mean: float | None
    deviation: float | None
    least: float | None
    largest: float | None
    percentiles: tuple[float, ...] | None


def digested(
    values: Iterable[float | NDArray[np.generic]],
    *,
    updates: int = 0,
    invalid: int = 0,
    skipped: int = 0,
) -> Batch:
    """A batch of numbers and arrays of numbers. May take long where they are many."""
    batch = Batch(updates, invalid, skipped)
    for numbers in _chunks(values):
        finite = np.isfinite(numbers)
        good = numbers if finite.all() else numbers[finite]
        batch = batch.merged(
            Batch(
                nonfinite=numbers.size - good.size,
                moments=Moments.of(good),
                points=Points.of(good),
            )
        )
    return batch


def _chunks(values: Iterable[float | NDArray[np.generic]]) -> Iterator[Floats]:
    """All values, in arrays that are worth the while."""
    scalars: list[float] = []
    arrays: list[NDArray[np.generic]] = []
    size = 0
    for value in values:
        if isinstance(value, np.ndarray):
            arrays.append(value)
            size += value.size
            if size >= _TOGETHER:
                yield np.concatenate(arrays).astype(np.float64)
                arrays, size = [], 0
        else:
            scalars.append(value)
    if scalars:
        yield np.array(scalars, np.float64)
    if arrays:
        yield np.concatenate(arrays).astype(np.float64)


class SlidingWindow:
    """The batches of the last ``length`` seconds, up to a bucket's width more.

    Args:
        length: seconds.
        started: when the stream began, monotonic seconds as all times here.
        resolution: seconds between two batches; buckets are no narrower.
    """

    def __init__(self, length: float, started: float, resolution: float = 0.0) -> None:
        self.length = length
        self._started = started
        self._width = max(length / _BUCKETS, resolution)
        self._buckets: deque[tuple[int, Batch]] = deque()

    def add(self, batch: Batch, now: float) -> None:
        """Take in what came until ``now``."""
        self._forget(now)
        place = math.floor(now / self._width)
        if self._buckets and self._buckets[-1][0] == place:
            _, before = self._buckets.pop()
            batch = before.merged(batch)
        self._buckets.append((place, batch))

    def _forget(self, now: float) -> int:
        """Drop what has left the window; the place of the oldest bucket that may be in it."""
        oldest = math.floor((now - self.length) / self._width)
        while self._buckets and self._buckets[0][0] < oldest:
            self._buckets.popleft()
        return oldest

    def summary(
        self, asked: Sequence[float], now: float, held: Callable[[], Batch | None] | None = None
    ) -> Summary:
        """The statistics at ``now``.

        Args:
            asked: percentiles, 0 to 100.
            now: time.
            held: the value that the PV has now: asked for where none came in the window.
        """
        oldest = self._forget(now)
        batches = [batch for _, batch in self._buckets]
        moments = NOTHING
        for batch in batches:
            moments = moments.merged(batch.moments)
        count = moments.count
        if not count and held is not None and (alone := held()) is not None:
            moments, batches = alone.moments, [alone]
        covered = now - max(self._started, oldest * self._width)
        updates = sum(batch.updates for _, batch in self._buckets)
        known = moments.count and math.isfinite(moments.mean) and math.isfinite(moments.squares)
        return Summary(
            count=count,
            nonfinite=sum(batch.nonfinite for _, batch in self._buckets),
            invalid=sum(batch.invalid for _, batch in self._buckets),
            skipped=sum(batch.skipped for _, batch in self._buckets),
            rate=updates / covered if covered > 0 else 0.0,
            mean=moments.mean if known else None,
            deviation=moments.deviation if known else None,
            least=moments.least if moments.count else None,
            largest=moments.largest if moments.count else None,
            percentiles=percentiles(
                [batch.points for batch in batches], asked, moments.least, moments.largest
            )
            if moments.count
            else None,
        )
