"""A running IOC as the HTTP service sees it, without one."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from ioc_ops.web import HttpService


@pytest.fixture
def context() -> SimpleNamespace:
    """A context that is ready, whose loop gave a sign of life at 100 s."""
    counters = SimpleNamespace(
        **dict.fromkeys(
            "bytes_received bytes_sent reads writes events_sent events_replaced searches "
            "search_hits protocol_errors access_denied beacons_sent connections".split(),
            0,
        ),
        hook_failures={},
        messages_received={},
    )
    return SimpleNamespace(
        name="sim<1>",
        pvdb=dict.fromkeys("abc"),
        groups=[],
        state="ready",
        started_at=1_700_000_000.0,
        heartbeat=100.0,
        loop_lag_max=0.0,
        counters=counters,
        circuits=[],
        tasks_failed=0,
    )


@pytest.fixture
def serve(context: SimpleNamespace) -> Iterator[Callable[..., HttpService]]:
    """Start services for `context`; each is stopped at the end of the test."""
    started: list[HttpService] = []

    def start(host: str = "127.0.0.1", port: int = 0) -> HttpService:
        service = HttpService(host, port)
        service.start(context)
        started.append(service)
        return service

    yield start
    for service in started:
        service.stop()
