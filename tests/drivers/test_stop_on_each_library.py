"""How an IOC ends on each library, and what happens when it cannot start."""

import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driver_client import HOST, Client
from said import complaints

from ioc_ops.server import RESTART

SCRIPT = str(Path(__file__).parent / "driver_ioc.py")

Start = Callable[..., Any]


@pytest.fixture
def start(start_ioc: Start, library: str) -> Start:
    """Start the IOC; keywords are those of `start_ioc`, upper-case ones are its environment."""

    def start(expect_exit: int = 0, **environment: str) -> Any:
        command = [sys.executable, "-W", "error", SCRIPT, "--async-lib", library]
        return start_ioc(command, env=environment, expect_exit=expect_exit)

    return start


@pytest.mark.parametrize(
    "signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda s: s.name
)
def test_signal(start: Start, tmp_path: Path, signum: signal.Signals) -> None:
    """Tasks are cancelled, then shutdown hooks run, then save hooks; its clients are let go."""
    process = start()
    with Client(process.port) as client:
        client.monitor("d:plain")
        assert client.event() == 1.0
        client.put("d:plain", 2.5)
        assert client.event() == 2.5
        process.stop(signum)
        with pytest.raises(EOFError):
            client.event()
    assert (tmp_path / "cancelled").read_text() == "yes"
    assert (tmp_path / "shutdown").read_text() == "2.5"
    assert (tmp_path / "saved").read_text() == "2.5"
    assert complaints(process.lines) == []


def test_stop_that_a_client_asked_for(start: Start, tmp_path: Path) -> None:
    """The put-callback is answered, and the exit status asks for a restart."""
    process = start(expect_exit=RESTART)
    with Client(process.port) as client:
        assert client.write("d:stop_with", RESTART) == 1
    assert process.wait(20) == RESTART
    assert (tmp_path / "saved").exists()
    assert complaints(process.lines) == []


def test_restart_on_the_same_port(start: Start) -> None:
    process = start()
    with Client(process.port) as client:
        assert client.write("d:plain", 3.0) == 1
        process.restart()
        with pytest.raises(EOFError):
            client.receive()
    with Client(process.port) as client:
        assert client.read("d:plain") == 1.0


def test_a_client_that_does_not_read_does_not_delay_the_stop(start: Start, tmp_path: Path) -> None:
    process = start()
    with Client(process.port, receive_buffer=0x10000) as slow:
        slow.put_bytes("d:big", 1_000_000, bytes(8_000_000))
        slow.expect(19)
        slow.ask("d:big", 6)
        slow.monitor("d:big")
        process.stop()
    assert (tmp_path / "saved").exists()
    assert complaints(process.lines) == []


def test_a_thread_that_hangs_does_not_delay_the_stop(start: Start, tmp_path: Path) -> None:
    process = start(HUNG_THREAD="1")
    process.stop()
    assert (tmp_path / "saved").exists()
    assert complaints(process.lines) == []


def test_a_shutdown_hook_that_hangs(start: Start, tmp_path: Path) -> None:
    """It is cancelled after a second, and the values are saved."""
    process = start(HUNG_SHUTDOWN="1")
    process.stop()
    assert (tmp_path / "saved").exists()
    assert any("shutdown hooks" in line for line in process.lines), process.lines


def test_a_hook_that_swallows_its_cancellation(start: Start, tmp_path: Path) -> None:
    """`except:` in a loop: the stop goes on without it and says why."""
    process = start(STUBBORN="1")
    process.stop()
    assert (tmp_path / "saved").exists()
    told = [line for line in process.lines if "ignores that it was cancelled" in line]
    assert len(told) == 1, process.lines


def test_a_stop_in_which_everything_is_stuck_takes_less_than_3_s(start: Start) -> None:
    """What its parts are given adds up to that; a busy machine shows it at one stop of some."""
    process = start(STUBBORN="1", HUNG_SHUTDOWN="1", HUNG_SAVE="1")
    for _ in range(5):
        if process.stop() < 3.0:
            return
        process.start()
    pytest.fail("none of 5 stops was quick enough")


def test_port_is_free_as_soon_as_it_stops(start: Start) -> None:
    process = start()
    process.stop()
    with socket.socket() as sock:
        sock.settimeout(20)
        with pytest.raises(ConnectionRefusedError):
            sock.connect((HOST, process.port))


def test_start_that_is_impossible(
    start_ioc: Start, library: str, free_port: Callable[[], int]
) -> None:
    """What cannot start says so in one line, whatever the library does to exceptions."""
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, port))  # alone: no SO_REUSEADDR as an IOC would have it
        process = start_ioc(
            [sys.executable, "-W", "error", SCRIPT, "--async-lib", library],
            env={"EPICS_CAS_SERVER_PORT": str(port)},
            ready=False,
            expect_exit=2,
        )
        assert process.wait(20) == 2
    (line,) = complaints(process.lines)
    assert str(port) in line
