"""An IOC on the bench, cleaned up after each test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from circuit_bench import Bench

from ioc_ops.channel import ChannelData


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """Make an IOC of these PVs; what it still has to do at the end is dropped."""
    made: list[Bench] = []

    def make(*channels: ChannelData, **arguments: Any) -> Bench:
        made.append(Bench(*channels, **arguments))
        return made[-1]

    yield make
    for item in made:
        item.close()


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> int:
    """Every write happens at the same time; returns it in Unix nanoseconds."""
    now = 1_700_000_000_250_000_000
    monkeypatch.setattr("ioc_ops.channel.state.clock", lambda: now)
    return now
