"""What every test gets: Channel Access of its own on 127.0.0.1, and a check for leaks."""

import asyncio
import gc
import importlib.util
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

import pytest
from hypothesis import HealthCheck, settings

HOST = "127.0.0.1"
PORTS = (12_000, 32_000)  # below net.ipv4.ip_local_port_range
READY = "Server startup complete."
START_TIMEOUT = 30.0  # seconds; a loaded machine takes its time to import
LINE_TIMEOUT = 20.0  # seconds within which a line that must come is there
JOIN_TIMEOUT = 10.0  # seconds for what is about to end
STOP_TIMEOUT = 10.0  # seconds; an orderly stop takes at most 3 of a machine that is not busy
LIBRARIES = ("asyncio", "curio", "trio")

# Property tests are judged by what they find, not by how busy the machine is; and what one run
# finds the next one does. `pytest --hypothesis-profile explore` looks further.
settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "explore", settings.get_profile("tests"), derandomize=False, max_examples=2000
)
settings.load_profile("tests")


# --- ports and environment ------------------------------------------------------------------


def ports_of(worker: str, workers: int) -> range:
    """The ports of one worker of pytest-xdist ("gw0", "gw1" ...); all of them if there is one.

    A port is free until somebody takes it, and two servers may share their UDP port
    (SO_REUSEADDR): one that two tests find free at the same moment gets the searches of both.
    """
    number = int(worker.removeprefix("gw") or 0)
    size = (PORTS[1] - PORTS[0]) // workers
    return range(PORTS[0] + number * size, PORTS[0] + (number + 1) * size)


_PORTS = ports_of(
    os.environ.get("PYTEST_XDIST_WORKER", ""), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
)
_given: deque[int] = deque(maxlen=100)  # ports that this process gave to its newest tests


def find_free_port() -> int:
    """A port of 127.0.0.1 that nobody uses, neither TCP nor UDP, and nobody is about to.

    Not one that the system hands out by itself: clients share their UDP ports (SO_REUSEADDR), and
    one that is given the port of a server takes its searches away.
    """
    while True:
        port = random.SystemRandom().choice(_PORTS)
        if port in _given:
            continue
        with (
            suppress(OSError),
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind((HOST, port))
            udp.bind((HOST, port))
            _given.append(port)
            return port


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Each call gives another port of 127.0.0.1 that nobody uses, neither TCP nor UDP."""
    return find_free_port


@pytest.fixture(autouse=True)
def ca_environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """No test speaks to a network or to another test; what the user has set does not matter."""
    for name in list(os.environ):
        if name.startswith(("EPICS_", "CAPROTO_")) or name in ("NOTIFY_SOCKET", "WATCHDOG_USEC"):
            monkeypatch.delenv(name)
    port, beacons = str(find_free_port()), str(find_free_port())
    pinned = {
        "EPICS_CA_ADDR_LIST": HOST,
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_SERVER_PORT": port,
        "EPICS_CA_REPEATER_PORT": beacons,
        "EPICS_CAS_SERVER_PORT": port,
        "EPICS_CAS_INTF_ADDR_LIST": HOST,
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": HOST,
        "EPICS_CAS_BEACON_PORT": beacons,
    }
    for name, value in pinned.items():
        monkeypatch.setenv(name, value)
    return pinned


def _outlive(number: int, frame: object) -> None:
    """As if the signal was ignored; what is started does not inherit that."""


@pytest.fixture(autouse=True, scope="session")
def signals_are_heard() -> Iterator[None]:
    """What pytest starts hears SIGINT in the background, too, and SIGHUP under nohup."""
    heard = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: _outlive}
    before = {number: signal.getsignal(number) for number in heard}
    for number, handler in heard.items():
        if before[number] == signal.SIG_IGN:
            signal.signal(number, handler)
    yield
    for number, handler_before in before.items():
        signal.signal(number, handler_before)


# --- what a test leaves behind --------------------------------------------------------------


def open_files() -> dict[int, str]:
    """What each file descriptor of this process stands for; devices do not count."""
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the descriptor of the listing itself
            target = os.readlink(f"/proc/self/fd/{fd}")
            if not target.startswith(("/dev/", "/proc/")):
                found[int(fd)] = target
    return found


@pytest.fixture(autouse=True)
def runs_end_in_their_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An IOC in the process of the tests must not end that process when the machine is busy."""
    monkeypatch.setattr("ioc_ops.server.drivers.process._LAST_RESORT", 30.0)


@pytest.fixture(autouse=True)
def nothing_left_behind(
    ca_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Fail a test that leaves a task, a thread or a descriptor (socket, pipe, file) behind."""
    tasks: list[str] = []
    cancel_all = asyncio.runners._cancel_all_tasks

    def note_and_cancel(loop: asyncio.AbstractEventLoop) -> None:
        # asyncio.run() cancels in silence what the test should have waited for.
        tasks.extend(repr(task.get_coro()) for task in asyncio.all_tasks(loop))
        cancel_all(loop)

    monkeypatch.setattr(asyncio.runners, "_cancel_all_tasks", note_and_cancel)
    threads = set(threading.enumerate())
    files = open_files()
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(JOIN_TIMEOUT)  # one that is about to end is none that was left
    opened = open_files().items() - files.items()
    if opened:
        gc.collect()  # what only a cycle held open is reported as a ResourceWarning
    deadline = time.monotonic() + JOIN_TIMEOUT
    while opened and time.monotonic() < deadline:
        # A server that outlives the test closes its end a moment after the client.
        time.sleep(0.01)
        opened = open_files().items() - files.items()
    left = [
        *(f"task {task}" for task in tasks),
        *(f"thread {thread}" for thread in set(threading.enumerate()) - threads),
        *(f"descriptor {fd}: {name}" for fd, name in opened),
    ]
    if left:
        pytest.fail("the test left behind:\n  " + "\n  ".join(left), pytrace=False)


# --- an IOC as a process --------------------------------------------------------------------


@pytest.fixture(params=LIBRARIES, scope="module")
def library(request: pytest.FixtureRequest) -> str:
    """Name of an async library, one after the other; skips what this machine cannot have.

    Whoever starts an IOC through this has his test run on all three. For a test that costs much,
    or whose subject is the same on all, one will do; that is said by
    ``pytest.mark.parametrize("library", ["asyncio"], indirect=True)``, with the reason.
    """
    name: str = request.param
    if name == "curio" and sys.version_info >= (3, 12):
        pytest.skip("curio 1.6 does not import on Python 3.12 and later")
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


class Lines:
    """The lines of a pipe as they come, read by a thread of its own."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def follow(self, pipe: IO[str]) -> None:
        """Read `pipe` to its end; the lines of one that was read before stay."""

        def read() -> None:
            with pipe:
                for line in pipe:
                    with self._changed:
                        self.lines.append(line.rstrip("\n"))
                        self._changed.notify_all()
            with self._changed:
                self._changed.notify_all()

        self._thread = threading.Thread(target=read, name=f"reader of {pipe!r}", daemon=True)
        self._thread.start()

    def wait_for(self, text: str, timeout: float, since: int = 0) -> str:
        """The first line from number `since` on that contains `text`; raises TimeoutError."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for line in self.lines[since:]:
                    if text in line:
                        return line
                over = self._thread is None or not self._thread.is_alive()
                remaining = deadline - time.monotonic()
                if over or remaining <= 0:
                    raise TimeoutError(f"no line with {text!r} in:\n" + "\n".join(self.lines))
                # The reader's last notice may come a moment before its thread is gone.
                self._changed.wait(min(remaining, 0.2))

    def join(self) -> None:
        """Wait until the pipe has been read to its end."""
        if self._thread is not None:
            self._thread.join(JOIN_TIMEOUT)


class IocProcess:
    """`python -m MODULE` with its environment, its lines on stderr, and its end."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        expect_exit: int,
        expect_traceback: bool,
    ) -> None:
        self.command = list(command)
        self.env = dict(env)
        self.cwd = cwd
        self.expect_exit = expect_exit
        self.expect_traceback = expect_traceback
        self.process: subprocess.Popen[str] | None = None
        self._err, self._out = Lines(), Lines()
        self._killed = False

    @property
    def port(self) -> int:
        """The port on which the IOC is found."""
        return int(self.env["EPICS_CAS_SERVER_PORT"])

    @property
    def pid(self) -> int:
        """Process id of the running IOC."""
        assert self.process is not None
        return self.process.pid

    @property
    def lines(self) -> list[str]:
        """What it wrote to stderr so far, over all its starts."""
        return self._err.lines

    @property
    def out(self) -> list[str]:
        """What it wrote to stdout so far, over all its starts."""
        return self._out.lines

    def start(self, *, ready: bool = True) -> None:
        """Start it; with `ready`, return once it has said that it serves."""
        seen = len(self.lines)
        self._killed = False
        self.process = subprocess.Popen(
            self.command,
            cwd=self.cwd,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._out.follow(self.process.stdout)
        self._err.follow(self.process.stderr)
        if ready:
            self._err.wait_for(READY, START_TIMEOUT, seen)

    def wait_for(self, text: str, timeout: float = LINE_TIMEOUT) -> str:
        """The first line on stderr that contains `text`; raises TimeoutError."""
        return self._err.wait_for(text, timeout)

    def prints(self, text: str, timeout: float = LINE_TIMEOUT) -> str:
        """The first line on stdout that contains `text`; raises TimeoutError."""
        return self._out.wait_for(text, timeout)

    def wait(self, timeout: float) -> int:
        """Wait for its end; the exit status. Raises subprocess.TimeoutExpired."""
        assert self.process is not None
        status = self.process.wait(timeout)
        self._out.join()
        self._err.join()
        return status

    def stop(self, signum: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to stop; the seconds that took. Raises subprocess.TimeoutExpired."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signum)
        self.wait(STOP_TIMEOUT)
        return time.monotonic() - began

    def kill(self) -> None:
        """End it with SIGKILL: it gets no chance to do anything."""
        assert self.process is not None
        self._killed = True
        self.process.kill()
        self.wait(STOP_TIMEOUT)

    def restart(self) -> None:
        """Start it again, on the same port; stops it before if it runs."""
        assert self.process is not None
        if self.process.poll() is None:
            self.stop()
        self.start()

    def verdict(self) -> list[str]:
        """What is wrong with how it ended; stops it if it runs."""
        if self.process is None:
            return []
        wrong = []
        if self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                wrong.append(f"it still ran {STOP_TIMEOUT:.0f} s after SIGTERM")
                self.kill()
        self._out.join()
        self._err.join()
        status = self.process.returncode
        if not self._killed and status != self.expect_exit:
            wrong.append(f"exit status {status}, expected {self.expect_exit}")
        traceback = any("Traceback (most recent call last)" in line for line in self.lines)
        if traceback != self.expect_traceback:
            wrong.append("a traceback on stderr" if traceback else "no traceback on stderr")
        return wrong


class StartProcess(Protocol):
    """The type of the `start_ioc` fixture."""

    def __call__(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = ...,
        cwd: Path | None = ...,
        ready: bool = ...,
        expect_exit: int = ...,
        expect_traceback: bool = ...,
    ) -> IocProcess: ...


class StartModule(Protocol):
    """The type of the `ioc` fixture; its keywords are those of `start_ioc`."""

    def __call__(
        self,
        module: str,
        *arguments: str,
        env: Mapping[str, str] | None = ...,
        cwd: Path | None = ...,
        ready: bool = ...,
        expect_exit: int = ...,
        expect_traceback: bool = ...,
    ) -> IocProcess: ...


@pytest.fixture
def start_ioc(ca_environment: dict[str, str], tmp_path: Path) -> Iterator[StartProcess]:
    """Start IOCs by their command line.

    Each runs in `tmp_path` and serves when the call returns (unless `ready=False`). At the end
    of the test each must end in time after SIGTERM, with the expected exit status, and with a
    traceback on stderr only if one is expected (a hook of the user's that raises is logged so).
    """
    started: list[IocProcess] = []

    def start(
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        ready: bool = True,
        expect_exit: int = 0,
        expect_traceback: bool = False,
    ) -> IocProcess:
        environment = os.environ | (env or {})
        process = IocProcess(command, environment, cwd or tmp_path, expect_exit, expect_traceback)
        started.append(process)
        process.start(ready=ready)
        return process

    yield start
    wrong = [
        f"{' '.join(process.command[1:])}: {', '.join(reasons)}\n" + "\n".join(process.lines)
        for process in started
        if (reasons := process.verdict())
    ]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.fixture
def ioc(start_ioc: StartProcess) -> StartModule:
    """Start IOCs by module: `ioc("ioc_ops.examples.simple", "--prefix", "x:")`; see `start_ioc`."""

    def start(
        module: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        ready: bool = True,
        expect_exit: int = 0,
        expect_traceback: bool = False,
    ) -> IocProcess:
        command = [sys.executable, "-m", module, *arguments]
        return start_ioc(command, env, cwd, ready, expect_exit, expect_traceback)

    return start
