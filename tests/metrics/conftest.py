"""A running IOC as the collectors see it, without one."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from ioc_ops.autosave import AutosaveHelper
from ioc_ops.ca import Command
from ioc_ops.server import Counters, LoopLag

NUMBERS = (
    "bytes_received bytes_sent reads writes events_sent events_replaced searches search_hits "
    "protocol_errors access_denied beacons_sent connections"
).split()


def make_counters() -> Counters:
    """Counters, each with a number of its own."""
    counters = Counters()
    for number, name in enumerate(NUMBERS, 100):
        setattr(counters, name, number)
    counters.hook_failures["putter"] = 2
    counters.messages_received[Command.SEARCH] = 5
    counters.messages_sent[Command.ERROR] = 6
    counters.messages_sent[Command.EVENT_ADD] = 1
    counters.read_latency.add("a", 0.2)
    counters.write_latency.add("b", 20.0)
    return counters


def circuit(user: str = "ada", channels: int = 2, monitors: int = 1) -> SimpleNamespace:
    """An open connection."""
    return SimpleNamespace(
        user=user,
        client_host="desk",
        host="127.0.0.1:5000",
        channels=dict.fromkeys(range(channels)),
        subscription_count=monitors,
        congested=False,
    )


def make_context(name: str = 'sim "1"') -> SimpleNamespace:
    """A context that is ready, with two connections and three PVs."""
    lag = LoopLag()
    for number, seconds in enumerate((0.25, 0.004, 0.0001, 30.0)):
        lag.add(seconds, 50.0 + number)
    return SimpleNamespace(
        name=name,
        pvdb={name: SimpleNamespace(name=name) for name in "abc"},
        groups=[],
        state="ready",
        started_at=1_700_000_000.5,
        heartbeat=50.0,
        lag=lag,
        loop_lag_max=0.25,
        counters=make_counters(),
        circuits=[circuit(), circuit("bob", channels=3, monitors=4)],
        tasks_failed=1,
        task_count=lambda: 7,
    )


@pytest.fixture
def context() -> SimpleNamespace:
    """A context that is ready, with two connections and three PVs."""
    return make_context()


@pytest.fixture
def another() -> Callable[[str], SimpleNamespace]:
    """Make one more context, by name."""
    return make_context


@pytest.fixture
def registry_of() -> Callable[..., CollectorRegistry]:
    """A registry with the given collectors."""

    def make(*collectors: object) -> CollectorRegistry:
        registry = CollectorRegistry()
        for collector in collectors:
            registry.register(collector)
        return registry

    return make


def saved(**changes: object) -> SimpleNamespace:
    """Statistics of a save set, each with a number of its own."""
    stats = {
        "saves": 12,
        "failures_by_kind": Counter(ENOSPC=1),
        "last_success": 1_700_000_009.0,
        "last_duration": 0.02,
        "size": 2048,
        "pvs": 7,
        "restored": 6,
        "restore_failures": 1,
        "generations": 4,
        "carried": 3,
        "passed_over": 2,
        "unsaved_since": 1_700_000_010.0,
        "overdue": 70.0,
        "hung": True,
    }
    return SimpleNamespace(**{**stats, **changes})


class Saver(AutosaveHelper):
    """A helper of which only file and statistics matter here."""

    def __init__(self, filename: str, stats: SimpleNamespace) -> None:
        self.file_manager = SimpleNamespace(filename=Path(filename))
        self.stats = stats


@pytest.fixture
def make_saver() -> Callable[..., Saver]:
    """An autosave helper by file, with changes to its statistics."""
    return lambda filename, **changes: Saver(filename, saved(**changes))
