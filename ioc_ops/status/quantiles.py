"""Percentiles of many numbers in little memory: exact while they are few, then a t-digest.

T. Dunning, O. Ertl: Computing extremely accurate quantiles using t-digests (2019). Points that
lie together are replaced by their mean; the nearer to either end, the fewer may be put together.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ioc_ops.status.moments import Floats

__all__ = ["MOST_POINTS", "NO_POINTS", "Points", "percentiles"]

MOST_POINTS = 400
"""Points that numbers ever come to: up to here none is put together with another."""

_CLUSTERS = 200

# Where clusters begin, as shares of all numbers: the scale function k1, which makes them wide
# around the median and narrow at both ends.
_SHARES = (1 + np.sin(np.linspace(-np.pi / 2, np.pi / 2, _CLUSTERS, endpoint=False))) / 2


class Points(NamedTuple):
    """Numbers, and how many of them each stands for."""

    values: Floats
    weights: Floats

    @classmethod
    def of(cls, numbers: Floats) -> "Points":
        """Those of finite ``numbers``, at most ``MOST_POINTS``."""
        size = numbers.size
        if size <= MOST_POINTS:
            return cls(numbers, np.ones(size))
        ends = np.unique((size * _SHARES).astype(np.intp))
        weights = np.diff(ends, append=size).astype(np.float64)
        with np.errstate(over="ignore"):
            return cls(np.add.reduceat(np.sort(numbers), ends) / weights, weights)

    def with_more(self, other: "Points") -> "Points":
        """Both together, at most ``MOST_POINTS``."""
        return _joined((self, other)).fewer()

    def fewer(self) -> "Points":
        """Points of the same distribution; itself where there are few enough."""
        if self.values.size <= MOST_POINTS:
            return self
        order = np.argsort(self.values)
        values, weights = self.values[order], self.weights[order]
        sums = np.cumsum(weights)
        places = np.searchsorted(_SHARES, (sums - weights / 2) / sums[-1], "right")
        starts = np.flatnonzero(np.diff(places, prepend=0))
        together = np.add.reduceat(weights, starts)
        with np.errstate(over="ignore"):
            return Points(np.add.reduceat(values * weights, starts) / together, together)


NO_POINTS = Points(np.empty(0), np.empty(0))


def _joined(parts: Sequence[Points]) -> Points:
    return Points(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.weights for part in parts]),
    )


def percentiles(
    parts: Sequence[Points], asked: Sequence[float], least: float, largest: float
) -> tuple[float, ...]:
    """Percentiles of the numbers of all parts, as ``numpy.percentile`` has them.

    Args:
        parts: with at least one number in all.
        asked: percent, 0 to 100.
        least, largest: of all numbers; what points cannot tell any more.

    Returns:
        Exact where no numbers were put together; else of a rank that is off by at most 1 % of
        their number at the median, 0.2 % at the 1st and 99th percentile.
    """
    points = _joined(parts)
    order = np.argsort(points.values)
    weights = points.weights[order]
    sums = np.cumsum(weights)
    # A number stands in the middle of the ranks that it stands for.
    ranks = np.concatenate(([0.5], sums - weights / 2, [sums[-1] - 0.5]))
    values = np.concatenate(([least], points.values[order], [largest]))
    wanted = np.asarray(asked) / 100 * (sums[-1] - 1) + 0.5
    return tuple(np.interp(wanted, ranks, values).tolist())
