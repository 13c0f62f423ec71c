"""A histogram of durations."""

import pytest

from ioc_ops.server import Latency


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.0, 0), (0.001, 0), (0.0011, 1), (10.0, 12), (10.1, 13), (1e9, 13)]
)
def test_a_duration_counts_in_the_first_bucket_that_holds_it(seconds: float, bucket: int) -> None:
    latency = Latency()
    latency.add("pv", seconds)
    assert [number for number, count in enumerate(latency.counts) if count] == [bucket]
    assert latency.total == seconds


def test_each_bucket_remembers_its_newest() -> None:
    now = iter([1.0, 2.0, 3.0])
    latency = Latency(lambda: next(now))
    for pv, seconds in (("a", 0.02), ("b", 0.02), ("c", 2.0)):
        latency.add(pv, seconds)
    assert [each for each in latency.examples if each] == [("b", 0.02, 2.0), ("c", 2.0, 3.0)]
    assert sum(latency.counts) == 3
