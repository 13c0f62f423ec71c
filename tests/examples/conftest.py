"""Examples as processes, and the clients of tests/interop."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]


def interop() -> Any:
    """The fixtures of tests/interop, under a name of their own."""
    spec = importlib.util.spec_from_file_location("interop", TESTS / "interop" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_interop = interop()
repeater_port = _interop.repeater_port
shared_repeater = _interop.shared_repeater


@pytest.fixture
def client(shared_repeater: None) -> Iterator[Any]:
    """aioca in a process of its own."""
    for processes in _interop.started_clients("aioca"):
        yield processes[0]


@pytest.fixture
def caproto_client(shared_repeater: None) -> Iterator[Any]:
    """caproto's client: libca drops the events of empty arrays of a plain type."""
    for processes in _interop.started_clients("caproto"):
        yield processes[0]


@pytest.fixture
def connected(client: Any) -> Callable[..., Any]:
    """Connect the client to PVs; returns it."""

    def connect(*pvs: str) -> Any:
        for pv in pvs:
            client("connect", pv)
        return client

    return connect


@pytest.fixture
def example(start_ioc: Any) -> Callable[..., Any]:
    """Start an example by its name, listing its PVs; the keywords are those of `start_ioc`."""

    def start(name: str, *arguments: str, **options: Any) -> Any:
        command = [sys.executable, "-m", f"ioc_ops.examples.{name}", "--list-pvs", *arguments]
        return start_ioc(command, **options)

    return start


@pytest.fixture
def refusal() -> type[Exception]:
    """What a client's put raises when the IOC does not take the value."""
    error: type[Exception] = _interop.ClientError
    return error
