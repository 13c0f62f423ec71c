"""Autosave and status PVs on each library: restored, saved, stopped, and no complaint."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driver_client import EVENT, NORMAL, Client

PVS = ("demo:setpoint", "demo:readback", "demo:Ioc:HEARTBEAT", "demo:autosave:STATUS")


@pytest.fixture
def start(start_ioc: Callable[..., Any], library: str) -> Callable[[], Any]:
    """Start the IOC of the demo; whatever Python itself has to say is an error."""
    python = [sys.executable, "-W", "error", "-X", "dev"]

    def start() -> Any:
        return start_ioc([*python, "-m", "ioc_ops.examples.demo_ioc", "--async-lib", library])

    return start


def test_restore_save_and_stop(start: Callable[[], Any], tmp_path: Path) -> None:
    """At work, saved when asked to, saved by the stop, and restored from both."""
    file = tmp_path / "state" / "demo.json"
    process = start()
    with Client(process.port) as client:
        assert client.write("demo:setpoint", 2.5) == NORMAL
        assert client.write("demo:autosave:SAVE", 1) == NORMAL
        assert '"demo:setpoint": 2.5' in file.read_text()
        assert client.write("demo:setpoint", 7.25) == NORMAL
    process.restart()
    with Client(process.port) as client:
        assert client.read("demo:setpoint") == 7.25
        client.monitor("demo:Ioc:HEARTBEAT")
        beat = client.event()
        assert client.event() > beat
        assert client.write("demo:autosave:SAVE", 1) == NORMAL
    process.stop()
    assert '"demo:setpoint": 7.25' in file.read_text()
    # A generator that is left half-way, a coroutine that nobody awaits: a library says so here.
    assert [line for line in process.lines if not line.startswith("[I ")] == []


def test_stop_with_clients(start: Callable[[], Any], tmp_path: Path) -> None:
    """What nobody has saved yet is on disk well within the 3 s that a supervisor grants."""
    process = start()
    clients = [Client(process.port) for _ in range(5)]
    for client in clients:
        for pv in PVS:
            client.monitor(pv)
            client.expect(EVENT)
    assert clients[0].write("demo:setpoint", 4.5) == NORMAL
    assert process.stop() < 1.5
    for client in clients:
        with client, pytest.raises(EOFError):
            client.expect(-1)
    assert '"demo:setpoint": 4.5' in (tmp_path / "state" / "demo.json").read_text()
