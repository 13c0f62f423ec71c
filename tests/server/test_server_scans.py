"""How punctual scans are: what is noted of them, by period."""

import asyncio
import contextlib
from typing import Any

import pytest
from test_server_hooks import FakeLibrary, StoppedError, failing

from ioc_ops.group import scan_wrapper
from ioc_ops.server import Context, ScanStats
from ioc_ops.server.hooks import run_scan


def scanned(took: list[float], period: float = 1.0, **options: Any) -> Context:
    """Run a scan whose calls take so long, one after the other; the IOC it ran in."""
    layer = FakeLibrary(sleeps=len(took))
    durations = iter(took)

    async def hook(instance: Any, async_lib: Any) -> None:
        layer.now += next(durations)

    context, _, bound = failing("scan", scan_wrapper(period, **options)(hook))
    with contextlib.suppress(StoppedError):
        asyncio.run(run_scan(context, bound, layer))  # type: ignore[arg-type]
    return context


def test_a_hook_faster_than_its_period_is_punctual() -> None:
    stats = scanned([0.5, 0.9, 0.0, 0.0]).scans[1.0]
    assert (stats.calls, stats.overruns) == (3, 0)
    assert stats.take() == pytest.approx(1.0)
    assert stats.take() == 0.0


def test_a_hook_slower_than_its_period_shows_and_calls_left_out_are_counted() -> None:
    stats = scanned([0.0, 1.5, 0.0, 2.5, 0.0]).scans[1.0]
    assert (stats.calls, stats.overruns) == (4, 1)
    assert stats.take() == pytest.approx(2.5)


def test_a_scan_without_a_rhythm_is_never_late() -> None:
    assert not scanned([5.0, 5.0], subtract_elapsed=False).scans


def test_each_period_has_its_own() -> None:
    context = scanned([0.0, 0.0], period=0.25)
    assert list(context.scans) == [0.25]


def test_the_longest_of_several_hooks_counts() -> None:
    stats = ScanStats()
    for interval in (0.1, 0.25, 0.1):
        stats.note(interval, 0.1)
    assert (stats.calls, stats.overruns, stats.take()) == (3, 1, 0.25)
