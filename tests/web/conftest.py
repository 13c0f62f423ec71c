"""A running IOC as the HTTP service sees it, without one."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from ioc_ops.server import Counters, LoopLag
from ioc_ops.web import HttpService


@pytest.fixture
def context() -> SimpleNamespace:
    """A context that is ready, whose loop gave a sign of life at 100 s."""
    return SimpleNamespace(
        name="sim<1>",
        pvdb=dict.fromkeys("abc"),
        groups=[],
        state="ready",
        started_at=1_700_000_000.0,
        heartbeat=100.0,
        loop_lag_max=0.0,
        counters=Counters(),
        lag=LoopLag(),
        task_count=int,
        circuits=[],
        tasks_failed=0,
    )


@pytest.fixture
def serve(context: SimpleNamespace) -> Iterator[Callable[..., HttpService]]:
    """Start services for `context`; each is stopped at the end of the test."""
    started: list[HttpService] = []

    def start(host: str = "127.0.0.1", port: int = 0, **options: Any) -> HttpService:
        service = HttpService(host, port, **options)
        service.start(context)
        started.append(service)
        return service

    yield start
    for service in started:
        service.stop()
