"""Count, mean, spread, least and largest of many numbers, in parts that can be put together."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["NOTHING", "Floats", "Moments"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moments:
    """Of no, one or many finite numbers.

    Spread is kept as the sum of squares around the mean, never as a sum of squares: numbers that
    lie close together far from zero lose nothing (Welford; Chan, Golub and LeVeque for parts).
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    """Sum of the squared distances from the mean."""
    least: float = math.inf
    largest: float = -math.inf

    @classmethod
    def of(cls, numbers: Floats) -> "Moments":
        """The moments of finite ``numbers``."""
        if not numbers.size:
            return NOTHING
        # Sums beyond the largest float are infinite; whoever shows them asks for isfinite.
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(numbers.mean())
            distances = numbers - mean
            squares = float(np.dot(distances, distances))
        return cls(numbers.size, mean, squares, float(numbers.min()), float(numbers.max()))

    def merged(self, other: "Moments") -> "Moments":
        """The moments of both together."""
        if not self.count or not other.count:
            return self if self.count else other
        count = self.count + other.count
        distance = other.mean - self.mean
        share = other.count / count
        return Moments(
            count,
            self.mean + distance * share,
            self.squares + other.squares + distance * distance * self.count * share,
            min(self.least, other.least),
            max(self.largest, other.largest),
        )

    @property
    def deviation(self) -> float:
        """Standard deviation of the numbers themselves (``numpy.std``); 0 for none."""
        return math.sqrt(self.squares / self.count) if self.count else 0.0


NOTHING = Moments()
