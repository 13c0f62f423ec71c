"""Autosave, status PVs, memory tracing on each library: at work, stopped, and no complaint."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driver_client import EVENT, NORMAL, Client
from said import complaints

SCRIPT = str(Path(__file__).parent / "kit_ioc.py")
PVS = ("kit:setpoint", "kit:readback", "kit:Ioc:HEARTBEAT", "kit:autosave:STATUS")

Start = Callable[..., Any]


@pytest.fixture
def start(start_ioc: Start, library: str) -> Start:
    """Start the IOC; whatever Python itself has to say is an error."""

    def start(*options: str) -> Any:
        python = [sys.executable, "-W", "error", *options]
        return start_ioc([*python, SCRIPT, "--async-lib", library])

    return start


def test_restore_save_and_stop(start: Start, tmp_path: Path) -> None:
    """Saved when asked to, saved by the stop, and restored from there."""
    file = tmp_path / "state" / "demo.json"
    process = start("-X", "dev")
    with Client(process.port) as client:
        assert client.write("kit:setpoint", 2.5) == NORMAL
        assert client.write("kit:autosave:SAVE", 1) == NORMAL
        assert '"kit:setpoint": 2.5' in file.read_text()
        assert client.write("kit:setpoint", 7.25) == NORMAL
    process.restart()
    with Client(process.port) as client:
        assert client.read("kit:setpoint") == 7.25
        client.monitor("kit:Ioc:HEARTBEAT")
        beat = client.event()
        assert client.event() > beat
        assert client.write("kit:autosave:SAVE", 1) == NORMAL
    process.stop()
    assert '"kit:setpoint": 7.25' in file.read_text()
    # A generator that is left half-way, a coroutine that nobody awaits: a library says so here.
    assert complaints(process.lines) == []


def test_memory_tracing(start: Start, tmp_path: Path) -> None:
    """Its looks run in threads, and what is written to its PVs is not left until the next one."""
    process = start()
    with Client(process.port) as client:
        client.monitor("kit:Mem:TracedCurrent")
        assert client.event() == 0
        assert client.write("kit:Mem:EnableTracing", 1) == NORMAL
        while not client.event():
            pass
        client.write("kit:Mem:SaveSnapshot", 1)
        while client.read("kit:Mem:SaveSnapshot"):
            pass
        assert list(tmp_path.glob("memory-*.tracemalloc"))
    process.stop()
    assert complaints(process.lines) == []


def test_stop_with_clients(start: Start, tmp_path: Path) -> None:
    """What nobody has saved yet is on disk when it ends."""
    process = start()
    clients = [Client(process.port) for _ in range(5)]
    for client in clients:
        for pv in PVS:
            client.monitor(pv)
            client.expect(EVENT)
    assert clients[0].write("kit:setpoint", 4.5) == NORMAL
    process.stop()
    for client in clients:
        with client, pytest.raises(EOFError):
            client.expect(-1)
    assert '"kit:setpoint": 4.5' in (tmp_path / "state" / "demo.json").read_text()
    assert complaints(process.lines) == []
