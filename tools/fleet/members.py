"""Starts the IOCs of the fleet and gets them into trouble, each by its real cause."""

import itertools
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

__all__ = ["Fleet", "Member", "free_port", "wait_until"]

HERE = Path(__file__).parent
HOST = "127.0.0.1"
PORTS = (12_000, 32_000)  # below net.ipv4.ip_local_port_range
START_TIMEOUT = 30.0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses, neither TCP nor UDP.

    Not one that the system hands out by itself: a client might be given it before it is bound.
    """
    while True:
        with (
            suppress(OSError),
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            port = random.SystemRandom().randrange(*PORTS)
            tcp.bind((HOST, port))
            udp.bind((HOST, port))
            return port


def wait_until(true: Callable[[], object], what: str, timeout: float) -> None:
    """Return once ``true()`` is; raises TimeoutError with ``what`` otherwise."""
    deadline = time.monotonic() + timeout
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout:g} s: {what}")
        time.sleep(0.1)


def environment(addresses: str, port: int, beacons: int) -> dict[str, str]:
    """Channel Access that stays on this machine."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("EPICS_")}
    return inherited | {
        "EPICS_CA_ADDR_LIST": addresses,
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_REPEATER_PORT": str(beacons),
        "EPICS_CAS_SERVER_PORT": str(port),
        "EPICS_CAS_INTF_ADDR_LIST": HOST,
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": HOST,
        "EPICS_CAS_BEACON_PORT": str(beacons),
        "PYTHONUNBUFFERED": "1",
    }


class Member:
    """One IOC: its process, its directory, its ports."""

    def __init__(self, name: str, directory: Path, targets: Path, beacons: int) -> None:
        self.name = name
        self.directory = directory
        self.port = free_port()
        self.metrics_port = free_port()
        self.log = directory / "log"
        self._targets = targets
        self._environment = environment(HOST, self.port, beacons) | {"ENGINEER": "Ada"}
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True)

    def start(self) -> None:
        """Start it; returns at once."""
        arguments = ["--prefix", f"{self.name}:", "--metrics-port", str(self.metrics_port)]
        arguments += ["--metrics-sd", str(self._targets), "--metrics-pvs", "*temperature"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(HERE / "ioc.py"), *arguments],
                cwd=self.directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def wait(self) -> None:
        """Return once it serves; raises TimeoutError."""
        wait_until(
            lambda: "Server startup complete." in self.log.read_text(),
            f"the start of {self.name}: {self.log.read_text()}",
            START_TIMEOUT,
        )

    def kill(self) -> None:
        """End it with SIGKILL, if it runs; its entry in the list of targets stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    # --- trouble --------------------------------------------------------------------------------

    def stick(self) -> None:
        """Its event loop hangs from now on."""
        (self.directory / "stick").touch()

    def fail(self) -> None:
        """A hook of it raises from now on."""
        (self.directory / "fail").touch()

    def spoil_values(self) -> None:
        """Before its start: its save file is none."""
        (self.directory / "state").mkdir()
        (self.directory / "state" / "values.json").write_text("not what was saved")

    def lose_disk(self) -> None:
        """Where its values go there is no directory any more. Rights would not stop root."""
        state, file = self.directory / "state", self.directory / "in_the_way"
        file.touch()
        for lost in map("lost{}".format, itertools.count()):
            state.rename(self.directory / lost)
            try:
                os.link(file, state)
            except FileExistsError:  # a save was quicker, and has made it again
                continue
            return


class Fleet:
    """The IOCs of a fleet, with an operator who uses them; ends with its `with` block."""

    def __init__(self, directory: Path, names: Sequence[str]) -> None:
        self.targets = directory / "targets"
        self.targets.mkdir(parents=True)
        self.targets_url = f"http://{HOST}:{free_port()}/targets"
        self._directory = directory
        self._beacons = free_port()
        self.members: Mapping[str, Member] = {
            name: Member(name, directory / name, self.targets, self._beacons) for name in names
        }
        self._running = ExitStack()

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def __getitem__(self, name: str) -> Member:
        return self.members[name]

    def start(self) -> None:
        """Start all; returns once all serve."""
        for member in self.members.values():
            self._running.callback(member.kill)
            member.start()
        for member in self.members.values():
            member.wait()

    def serve_targets(self) -> None:
        """The list of targets over HTTP, at `targets_url`, from now on."""
        port = self.targets_url.rpartition(":")[2].partition("/")[0]
        arguments = ["metrics", "sd", str(self.targets), "--port", port]
        log = self._directory / "sd.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "ioc_ops", *arguments],
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        self._running.callback(process.wait)
        self._running.callback(process.kill)
        wait_until(lambda: "http://" in log.read_text(), "the list of targets", START_TIMEOUT)

    def use(self) -> None:
        """An operator's screens from now on."""
        addresses = " ".join(f"{HOST}:{member.port}" for member in self.members.values())
        process = subprocess.Popen(
            [sys.executable, str(HERE / "busy_client.py"), *(f"{name}:" for name in self.members)],
            env=environment(addresses, free_port(), self._beacons),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._running.callback(process.wait)
        self._running.callback(process.kill)
