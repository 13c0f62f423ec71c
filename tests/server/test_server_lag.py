"""How late the loop comes: buckets, and the last minute."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.server import LoopLag
from ioc_ops.server.lag import BOUNDS, WINDOW

seconds = st.floats(min_value=0.0, max_value=100.0)


@given(st.lists(seconds, max_size=50))
def test_buckets_are_those_of_a_histogram(lags: list[float]) -> None:
    recorder = LoopLag()
    for number, lag in enumerate(lags):
        recorder.add(lag, float(number))
    expected = [0] * (len(BOUNDS) + 1)
    for lag in lags:
        # The upper end belongs to a bucket, as Prometheus' "le" has it.
        expected[sum(bound < lag for bound in BOUNDS)] += 1
    assert recorder.bounds == BOUNDS
    assert recorder.counts == expected
    assert recorder.total == pytest.approx(sum(lags))


@given(st.lists(seconds, min_size=1, max_size=200), st.floats(0.0, 1.0))
def test_a_percentile_is_the_nearest_rank(lags: list[float], share: float) -> None:
    recorder = LoopLag()
    for lag in lags:
        recorder.add(lag, 1.0)
    found = recorder.percentile(share)
    rank = share * len(lags)
    assert found in lags
    assert sum(lag <= found for lag in lags) >= rank * (1 - 1e-9)
    assert found == min(lags) or sum(lag < found for lag in lags) < rank * (1 + 1e-9)
    assert recorder.max == max(lags)


def test_only_the_last_minute_counts() -> None:
    recorder = LoopLag()
    recorder.add(3.0, 0.0)
    recorder.add(0.5, WINDOW / 2)
    assert recorder.max == 3.0
    recorder.add(0.1, WINDOW + 1)
    assert recorder.max == 0.5
    recorder.add(0.2, 3 * WINDOW)
    assert recorder.max == 0.2
    assert sum(recorder.counts) == 4


def test_a_loop_that_is_stuck_for_long_shows_when_it_is_back() -> None:
    recorder = LoopLag()
    recorder.add(0.0, 0.0)
    recorder.add(500.0, 500.0)
    assert (recorder.max, recorder.counts[-1]) == (500.0, 1)


def test_memory_is_bounded_and_the_newest_stay() -> None:
    recorder = LoopLag()
    for number in range(5000):
        recorder.add(number / 1000, 0.001 * number)
    assert len(recorder._recent) == 1024
    assert (recorder.max, recorder.percentile(0.0)) == (4.999, 3.976)


def test_a_timer_that_is_early_is_no_lag() -> None:
    recorder = LoopLag()
    assert (recorder.max, recorder.percentile(0.99)) == (0.0, 0.0)
    recorder.add(-0.001, 1.0)
    assert (recorder.max, recorder.total, recorder.counts[0]) == (0.0, 0.0, 1)
