"""A running IOC as the collectors see it, without one."""

from collections import Counter
from types import SimpleNamespace

import pytest


def counters(**changes: object) -> SimpleNamespace:
    """Counters as the server has them, each with a number of its own."""
    names = (
        "bytes_received bytes_sent reads writes events_sent events_replaced searches search_hits "
        "protocol_errors access_denied beacons_sent connections"
    )
    numbers: dict[str, object] = {name: 100 + n for n, name in enumerate(names.split())}
    numbers["hook_failures"] = Counter(putter=2)
    numbers["messages_received"] = Counter(SEARCH=5)
    return SimpleNamespace(**{**numbers, **changes})


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


@pytest.fixture
def context() -> SimpleNamespace:
    """A context that is ready, with two connections and three PVs."""
    return SimpleNamespace(
        name='sim "1"',
        pvdb=dict.fromkeys("abc"),
        groups=[],
        state="ready",
        started_at=1_700_000_000.5,
        heartbeat=50.0,
        loop_lag_max=0.25,
        counters=counters(),
        circuits=[circuit(), circuit("bob", channels=3, monitors=4)],
        tasks_failed=1,
    )
