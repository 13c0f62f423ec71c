"""Sliding windows against numpy: moments, percentiles, what leaves and what is bounded."""

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ioc_ops.status.moments import NOTHING, Moments
from ioc_ops.status.quantiles import MOST_POINTS, Points, percentiles
from ioc_ops.status.window import SlidingWindow, digested

numbers = st.floats(min_value=-1e100, max_value=1e100)
ASKED = (0.0, 1.0, 25.0, 50.0, 95.0, 99.0, 99.9, 100.0)


def close(value: float, scale: float, ulps: float = 64) -> Any:
    return pytest.approx(value, rel=1e-9, abs=abs(scale) * sys.float_info.epsilon * ulps)


@given(st.lists(st.lists(numbers, max_size=30), min_size=1, max_size=10))
def test_moments_of_parts_are_those_of_the_whole(parts: list[list[float]]) -> None:
    merged = NOTHING
    for part in parts:
        merged = merged.merged(Moments.of(np.array(part, float)))
    whole = np.array([x for part in parts for x in part], float)
    assert merged.count == whole.size
    if whole.size:
        scale = float(np.abs(whole).max())
        assert merged.mean == close(whole.mean(), scale)
        assert merged.deviation == close(whole.std(), scale)
        assert (merged.least, merged.largest) == (whole.min(), whole.max())


def test_numbers_far_from_zero_keep_their_spread() -> None:
    # A sum of squares less the square of the sum would be 0 or negative here.
    near = 1e9 + np.tile([0.0, 1e-3, 2e-3], 1000)
    merged = NOTHING
    for part in np.array_split(near, 100):
        merged = merged.merged(Moments.of(part))
    assert merged.deviation == pytest.approx(math.sqrt(2 / 3) * 1e-3, rel=1e-3)


@given(
    st.lists(arrays.arrays(np.float64, st.integers(0, 40), elements=numbers), max_size=12),
    st.floats(0, 59),
)
def test_a_window_says_what_numpy_says(parts: list[np.ndarray[Any, Any]], spread: float) -> None:
    window = SlidingWindow(60.0, started=1000.0)
    for index, part in enumerate(parts):
        window.add(digested([part], updates=1), 1000 + spread * index / 12)
    summary = window.summary(ASKED, 1060.0)
    whole = np.concatenate([*parts, np.empty(0)])
    assert summary.count == whole.size
    assert summary.rate == pytest.approx(len(parts) / 60)
    if not whole.size:
        assert summary.mean is summary.deviation is summary.least is summary.percentiles is None
        return
    scale = float(np.abs(whole).max())
    assert summary.mean == close(whole.mean(), scale)
    assert summary.deviation == close(whole.std(), scale)
    assert (summary.least, summary.largest) == (whole.min(), whole.max())
    assert summary.percentiles is not None
    if max((part.size for part in parts), default=0) * len(parts) <= MOST_POINTS:
        for found, wanted in zip(summary.percentiles, np.percentile(whole, ASKED), strict=True):
            assert found == close(wanted, scale, 1024)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.normal(size=n),
        lambda rng, n: rng.lognormal(sigma=2, size=n),
        lambda rng, n: np.sort(rng.exponential(size=n)),
        lambda rng, n: np.concatenate([rng.normal(size=n // 2), 100 + rng.normal(size=n // 2)]),
        lambda rng, n: rng.integers(0, 5, n).astype(float),
    ],
)
@pytest.mark.parametrize(("number", "parts"), [(1_000, 10), (60_000, 600), (300_000, 3)])
def test_percentiles_of_many_are_of_nearly_the_right_rank(
    draw: Any, number: int, parts: int
) -> None:
    values = draw(np.random.default_rng(7), number)
    window = SlidingWindow(60.0, 0.0)
    for index, part in enumerate(np.array_split(values, parts)):
        window.add(digested(part.tolist() if parts > 100 else [part]), 59 * index / parts)
    found = window.summary(ASKED, 59.5).percentiles
    assert found is not None
    ordered = np.sort(values)
    for percent, value in zip(ASKED, found, strict=True):
        # Any rank between those of the next smaller and the next larger value is right.
        low = np.searchsorted(ordered, value, "left") / number * 100
        high = np.searchsorted(ordered, value, "right") / number * 100
        off = max(low - percent, percent - high, 0.0)
        assert off <= (1.0 if 2 < percent < 98 else 0.2), (percent, value)


def test_what_has_left_the_window_is_forgotten() -> None:
    window = SlidingWindow(10.0, 0.0)
    for second in range(100):
        window.add(digested([float(second)], updates=1), second + 0.5)
        summary = window.summary((50.0,), second + 0.5)
        assert summary.largest == second
        assert summary.least is not None
        # A bucket is a sixtieth of the window wide: no value stays for longer than that.
        assert 0 <= summary.least - max(0, second - 10) <= 1
        assert len(window._buckets) <= 61
    assert window.summary((), 200.0).count == 0


def test_a_rate_counts_from_the_start_and_then_over_the_window() -> None:
    window = SlidingWindow(60.0, 0.0)
    rates = []
    for tenth in range(1, 1501):
        window.add(digested([1.0], updates=1), tenth / 10)
        rates.append(window.summary((), tenth / 10).rate)
    assert rates == pytest.approx([10.0] * 1500, rel=0.02)


def test_buckets_are_no_narrower_than_batches_come() -> None:
    window = SlidingWindow(2.0, 0.0, resolution=1.0)
    for second in range(1, 20):
        window.add(digested([1.0] * 5, updates=5), float(second))
    assert len(window._buckets) <= 4
    assert window.summary((), 19.0).rate == pytest.approx(5.0, rel=0.6)


@given(
    st.lists(st.sampled_from([math.nan, math.inf, -math.inf, 1.0, 2.0, 3.0]), max_size=40),
    st.booleans(),
)
def test_what_is_not_finite_is_counted_and_poisons_nothing(
    values: list[float], as_array: bool
) -> None:
    window = SlidingWindow(60.0, 0.0)
    window.add(digested([np.array(values)] if as_array else values, updates=len(values)), 1.0)
    summary = window.summary((50.0,), 1.0)
    good = [value for value in values if math.isfinite(value)]
    assert (summary.count, summary.nonfinite) == (len(good), len(values) - len(good))
    assert summary.mean == (pytest.approx(np.mean(good)) if good else None)
    assert summary.largest == (max(good) if good else None)


def test_a_sum_beyond_the_largest_float_is_no_mean_and_is_over_with_the_window() -> None:
    window = SlidingWindow(10.0, 0.0)
    window.add(digested([1.7e308, 1.7e308, -1.7e308]), 1.0)
    summary = window.summary((50.0,), 1.0)
    assert (summary.mean, summary.largest) == (None, 1.7e308)
    window.add(digested([5.0]), 20.0)
    assert window.summary((), 20.0).mean == 5.0


@pytest.mark.parametrize("kind", [">i2", ">f4", ">i4", "u1"])
def test_elements_of_any_type_count(kind: str) -> None:
    value = np.arange(200).astype(kind)
    window = SlidingWindow(60.0, 0.0)
    window.add(digested([value, value], updates=2), 1.0)
    summary = window.summary((50.0,), 1.0)
    assert (summary.count, summary.mean, summary.largest) == (400, 99.5, 199)


def test_where_nothing_came_the_value_that_holds_is_told_of() -> None:
    window = SlidingWindow(10.0, 0.0)
    window.add(digested([1.0], updates=1), 1.0)
    held = digested([np.array([4.0, 6.0])])
    summary = window.summary((50.0,), 5.0, lambda: pytest.fail("nobody wants to know"))
    assert (summary.count, summary.mean) == (1, 1.0)
    summary = window.summary((50.0,), 50.0, lambda: held)
    assert (summary.count, summary.rate, summary.mean) == (0, 0.0, 5.0)
    assert (summary.least, summary.largest, summary.percentiles) == (4.0, 6.0, (5.0,))
    assert window.summary((50.0,), 50.0, lambda: digested([math.nan])).mean is None
    assert window.summary((50.0,), 50.0, lambda: None).mean is None


@given(st.integers(1, 5000), st.integers(1, 40))
def test_points_are_bounded_and_lose_no_weight(number: int, parts: int) -> None:
    values = np.random.default_rng(number).normal(size=number)
    points = Points.of(values[:0])
    for part in np.array_split(values, parts):
        points = points.with_more(Points.of(part))
        assert points.values.size <= MOST_POINTS
    assert points.weights.sum() == pytest.approx(number)
    assert np.average(points.values, weights=points.weights) == pytest.approx(values.mean())
    (median,) = percentiles([points], (50.0,), values.min(), values.max())
    assert values.min() <= median <= values.max()


def test_memory_of_a_window_is_what_it_is_said_to_be() -> None:
    window = SlidingWindow(60.0, 0.0)
    rng = np.random.default_rng(3)
    for step in range(3000):
        window.add(digested([rng.normal(size=500)]), step / 20)
    held = [batch.points for _, batch in window._buckets]
    assert sum(p.values.nbytes + p.weights.nbytes for p in held) < 400_000
    slow = SlidingWindow(60.0, 0.0)
    for step in range(1200):
        slow.add(digested([1.0]), step / 10)
    held = [batch.points for _, batch in slow._buckets]
    assert sum(p.values.nbytes + p.weights.nbytes for p in held) < 11_000
