"""Real clients, each in a process of its own, and a CA repeater that they share."""

import json
import os
import queue
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
HOST = "127.0.0.1"
CLIENTS = ("pyepics", "aioca", "caproto")
# All clients with one library and all libraries with one client: neither knows of the other, and
# nine of each test would take as long as all others here together.
PAIRS = [*(("asyncio", client) for client in CLIENTS), ("curio", "aioca"), ("trio", "aioca")]
REPLY_TIMEOUT = 45.0  # seconds; more than any verb may take
START_TIMEOUT = 30.0
END_TIMEOUT = 20.0

StartModule = Callable[..., Any]

REPEATER = "from caproto.sync.repeater import run; run('127.0.0.1')"
REPEATER_CONFIRM, REPEATER_REGISTER = 17, 24


@pytest.hookimpl(tryfirst=True)  # before the fixtures bring all of their own
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that have both a client and a library with the PAIRS."""
    marks = metafunc.definition.iter_markers("parametrize")
    chosen = any(mark.args[0] == "library" for mark in marks)
    if not chosen and {"client", "library"} <= set(metafunc.fixturenames):
        pairs = pytest.mark.parametrize(("library", "client"), PAIRS, indirect=True)
        metafunc.definition.add_marker(pairs)


@pytest.fixture
def ioc(ioc: StartModule, library: str) -> StartModule:
    """Start IOCs by module, on each library; see `ioc` of tests/conftest.py."""

    def start(module: str, *arguments: str, **options: Any) -> Any:
        return ioc(module, "--async-lib", library, *arguments, **options)

    return start


@pytest.fixture(scope="session")
def repeater_port(free_port: Callable[[], int]) -> Iterator[int]:
    """A CA repeater (caproto's) on a port of 127.0.0.1: it passes the IOCs' beacons to clients."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", REPEATER],
        env=os.environ | {"EPICS_CA_REPEATER_PORT": str(port)},
        stderr=subprocess.DEVNULL,
    )
    register = struct.pack(">HHHHII", REPEATER_REGISTER, 0, 0, 0, 0, 0x7F000001)
    deadline = time.monotonic() + START_TIMEOUT
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind((HOST, 0))
        client.settimeout(0.2)
        while True:
            client.sendto(register, (HOST, port))
            try:
                if client.recv(64)[:2] == struct.pack(">H", REPEATER_CONFIRM):
                    break
            except TimeoutError:
                assert time.monotonic() < deadline, "the CA repeater did not start"
    yield port
    process.terminate()
    process.wait(END_TIMEOUT)


@pytest.fixture(autouse=True)
def shared_repeater(
    repeater_port: int, ca_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """IOCs send their beacons where the clients' repeater listens."""
    monkeypatch.setenv("EPICS_CA_REPEATER_PORT", str(repeater_port))
    monkeypatch.setenv("EPICS_CAS_BEACON_PORT", str(repeater_port))


class ClientError(Exception):
    """What the client library reported, in one line."""


class ClientProcess:
    """A client script; its verbs (`client_loop.Client`) are methods here."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.complaints: list[str] = []
        self._start()

    def _start(self) -> None:
        self._replies: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / f"client_{self.name}.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._readers = [
            threading.Thread(target=self._read_replies, name=f"replies of {self.name}"),
            threading.Thread(target=self._read_complaints, name=f"stderr of {self.name}"),
        ]
        for reader in self._readers:
            reader.start()

    def _read_replies(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._replies.put(line)
        self._replies.put(None)

    def _read_complaints(self) -> None:
        assert self.process.stderr is not None
        self.complaints.extend(line.rstrip() for line in self.process.stderr)

    def __call__(self, verb: str, pv: str, **arguments: Any) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"verb": verb, "pv": pv, **arguments}) + "\n")
        line = self._replies.get(timeout=REPLY_TIMEOUT)
        assert line is not None, f"{self.name} died:\n" + "\n".join(self.complaints)
        reply = json.loads(line)
        if "error" in reply:
            raise ClientError(reply["error"])
        return reply["result"]

    def value(self, pv: str, **arguments: Any) -> Any:
        """A fresh value."""
        return self("read", pv, **arguments)["value"]

    def put(self, pv: str, value: Any, *, wait: bool = True) -> None:
        """Write, with completion or without."""
        self("write", pv, value=value, wait=wait)

    def next_value(self, pv: str) -> Any:
        """The value of the monitor's next event."""
        event = self("event", pv)
        assert event is not None, f"no event from the monitor on {pv}"
        return event["value"]

    def renew(self) -> None:
        """Go on with a new process that knows of nothing."""
        assert self.close() == 0
        self._start()

    def close(self) -> int:
        """End the script; its exit status."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        try:
            return self.process.wait(END_TIMEOUT)
        finally:
            self.process.kill()
            for reader in self._readers:
                reader.join(END_TIMEOUT)
            self.process.stdout.close()
            self.process.stderr.close()


def started_clients(*names: str) -> Iterator[list[ClientProcess]]:
    """Start clients, and see them end in good order."""
    processes = [ClientProcess(name) for name in names]
    yield processes
    ends = {process: process.close() for process in processes}
    for process, status in ends.items():
        assert status == 0, f"{process.name} ended with {status}:\n" + "\n".join(process.complaints)


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, shared_repeater: None) -> Iterator[ClientProcess]:
    """One client after the other."""
    for processes in started_clients(request.param):
        yield processes[0]


@pytest.fixture
def clients(shared_repeater: None) -> Iterator[list[ClientProcess]]:
    """All clients at once."""
    yield from started_clients(*CLIENTS)
