"""sd_notify: what a service manager is told, over a real datagram socket."""

import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ioc_ops.server.notify import Notifier

StartIoc = Callable[..., Any]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(30)
        yield sock


def test_a_service_manager_hears_of_the_whole_life(
    run_ioc: StartIoc, manager: socket.socket, tmp_path: Path
) -> None:
    ioc = run_ioc(
        "plain",
        env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"},
        ready=False,
    )
    told = [manager.recv(100)]
    assert told == [b"READY=1"]
    assert any("Server startup complete." in line for line in (ioc.wait_for("startup complete"),))
    # The socket holds ten datagrams, which is what may come while nobody reads it.
    assert [manager.recv(100) for _ in range(2)] == [b"WATCHDOG=1"] * 2
    ioc.stop()
    while told[-1] != b"STOPPING=1":
        told.append(manager.recv(100))
        assert told[-1] in (b"WATCHDOG=1", b"STOPPING=1")
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(100)


def test_ready_is_not_said_by_one_that_cannot_start(
    refused: Callable[..., str],
    manager: socket.socket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    refused("plain", "--interfaces", "192.0.2.1")
    manager.setblocking(False)
    try:
        assert manager.recv(100) == b"STOPPING=1"
    except BlockingIOError:
        pass


def test_an_abstract_socket() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0ioc_ops test {id(sock)}")
        sock.settimeout(20)
        Notifier({"NOTIFY_SOCKET": f"@ioc_ops test {id(sock)}"}, 1).tell("READY=1")
        assert sock.recv(100) == b"READY=1"


def test_nobody_is_told_when_there_is_nobody(caplog: pytest.LogCaptureFixture) -> None:
    Notifier({}, 1).tell("READY=1")
    assert caplog.records == []


def test_a_manager_that_does_not_listen_is_not_our_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}, 1)
    with caplog.at_level(logging.WARNING):
        notifier.tell("READY=1")
    assert "NOTIFY_SOCKET does not take READY=1" in caplog.text


@pytest.mark.parametrize(
    ("environment", "period"),
    [
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "3000000"}, 1.5),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"}, 1.5),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"}, None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"}, None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "0"}, None),
        ({"NOTIFY_SOCKET": "/x"}, None),
        ({"WATCHDOG_USEC": "3000000"}, None),
    ],
)
def test_signs_of_life_come_twice_as_often_as_they_must(
    environment: dict[str, str], period: float | None
) -> None:
    assert Notifier(environment, 7).watchdog_period == period
