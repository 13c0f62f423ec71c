"""Set PVs, kill the IOC with SIGKILL, start it again: every value is back (`make demo`)."""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
import time
import urllib.request
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ioc_ops.examples._demo_client import Value

PREFIX = "demo:"
SAVE_PV = "autosave:SAVE"
READY = "Server startup complete."
START_TIMEOUT = 30.0  # seconds; a loaded machine takes its time to import
STOP_TIMEOUT = 10.0  # seconds; Docker gives no more, and an orderly stop takes 1 s

# What the client sets: a float, an enum by its state, an integer, a string and an array.
SETTINGS: Mapping[str, Value] = {
    "setpoint": 12.5,
    "mode": "FOLLOW",
    "counts": 123456789,
    "label": "slit 3, upstream",
    "waveform": [0.1, -2.5, 1e-300, 3.141592653589793, 0.0, 5.0, 6.0, 7.0],
}


class DemoError(Exception):
    """The demo failed; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of this run's own, so that no other IOC or client is disturbed."""

    channel_access: int
    beacons: int
    metrics: int


def ca_environment(ports: Ports) -> dict[str, str]:
    """The EPICS variables that keep client and IOC of this run on 127.0.0.1 and to themselves."""
    return {
        "EPICS_CA_ADDR_LIST": "127.0.0.1",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_SERVER_PORT": str(ports.channel_access),
        "EPICS_CA_REPEATER_PORT": str(ports.beacons),
        "EPICS_CAS_SERVER_PORT": str(ports.channel_access),
        "EPICS_CAS_INTF_ADDR_LIST": "127.0.0.1",
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": "127.0.0.1",
        "EPICS_CAS_BEACON_PORT": str(ports.beacons),
    }


def show(value: Value | None) -> str:
    """A value as a table cell: arrays shortened, floats to the last bit."""
    if isinstance(value, list):
        cells = ", ".join(show(item) for item in value[:3])
        return f"[{cells}, ...] ({len(value)})" if len(value) > 3 else f"[{cells}]"
    return "-" if value is None else value if isinstance(value, str) else repr(value)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns, indented."""
    widths = [max(len(row[i]) for row in (headings, *rows)) for i in range(len(headings))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (headings, *rows)
    )
    return "\n".join(f"     {line}" for line in lines)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses, neither TCP nor UDP."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            with suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port


@dataclass(frozen=True, slots=True)
class IOC:
    """How to start the demo IOC; its state lives in the directory in which it runs."""

    module: str
    directory: Path
    ports: Ports

    @property
    def command(self) -> list[str]:
        """The arguments of the Python interpreter."""
        return ["-m", self.module, "--prefix", PREFIX, "--metrics-port", str(self.ports.metrics)]

    async def start(self) -> "Running":
        """Start it as a process of its own and wait until it serves. Raises DemoError."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self.command,
            cwd=self.directory,
            env=os.environ | ca_environment(self.ports),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl+C is for the demo, which then stops the IOC itself.
            start_new_session=True,
        )
        running = Running(process)
        try:
            await running.wait_until_ready()
        except BaseException:
            await running.discard()
            raise
        return running


class Running:
    """A started IOC process and what it prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.echo = False
        self._last_lines: deque[str] = deque(maxlen=20)
        self._ready = asyncio.Event()
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        if self.process.stdout is None:
            return
        async for raw in self.process.stdout:
            line = raw.decode(errors="replace").rstrip()
            self._last_lines.append(line)
            if self.echo:
                say(f"     | {line}")
            if READY in line:
                self._ready.set()

    async def wait_until_ready(self) -> None:
        """Return once it serves. Raises DemoError if it ends before, or takes too long."""
        waiting = asyncio.create_task(self._ready.wait())
        await asyncio.wait(
            {self.reader, waiting}, timeout=START_TIMEOUT, return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        if not self._ready.is_set():
            self.show_last_lines()
            raise DemoError("the IOC did not start; its last lines are above")

    async def end(self, signum: signal.Signals) -> int:
        """Send `signum` and wait; returns the exit status, -N after signal N. Raises DemoError."""
        self._signal(signum)
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                return await self.process.wait()
        except TimeoutError:
            raise DemoError(f"the IOC still ran {STOP_TIMEOUT:.0f} s after {signum.name}") from None

    async def discard(self) -> None:
        """Leave no process behind, whatever happened."""
        self._signal(signal.SIGKILL)
        await self.process.wait()
        await self.reader

    def _signal(self, signum: signal.Signals) -> None:
        # Sending a signal to a process that has just ended would take its exit status away from
        # asyncio; one whose output has ended is on its way out by itself.
        if self.process.returncode is None and not self.reader.done():
            with suppress(ProcessLookupError):
                self.process.send_signal(signum)

    def show_last_lines(self) -> None:
        """What the IOC said before things went wrong."""
        for line in () if self.echo else self._last_lines:
            say(f"     | {line}")


async def client(steps: Sequence[Sequence[Value]]) -> list[Value | None]:
    """Let libca of EPICS Base, in a process of its own, read and write. Raises DemoError."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ioc_ops.examples._demo_client", json.dumps(steps)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, complaints = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode:
        reason = complaints.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise DemoError(f"the client failed: {reason[-1]}")
    results: list[Value | None] = json.loads(out)
    return results


async def read_all() -> dict[str, Value | None]:
    """The PVs that the demo sets."""
    values = await client([("get", PREFIX + name) for name in SETTINGS])
    return dict(zip(SETTINGS, values, strict=True))


def since(began: float) -> str:
    """How long a step took."""
    return f"after {time.monotonic() - began:.2f} s"


def say(text: str) -> None:
    """One step of the story; flushed, so that it is seen as it happens."""
    print(text, flush=True)


def scrape(ports: Ports) -> int:
    """The number of samples that the metrics URL gives. Raises DemoError."""
    url = metrics_url(ports)
    try:
        with urllib.request.urlopen(url, timeout=20) as response:  # our own http://127.0.0.1
            text = response.read().decode()
    except OSError as error:
        raise DemoError(f"cannot read {url}: {error}") from None
    return sum(1 for line in text.splitlines() if line and not line.startswith("#"))


def metrics_url(ports: Ports) -> str:
    """Where Prometheus would scrape this IOC."""
    return f"http://127.0.0.1:{ports.metrics}/metrics"


def how_to_go_on(ports: Ports) -> str:
    """Lines to paste into another terminal."""
    names = ("EPICS_CA_ADDR_LIST", "EPICS_CA_AUTO_ADDR_LIST", "EPICS_CA_SERVER_PORT")
    exports = " ".join(f"{name}={ca_environment(ports)[name]}" for name in names)
    return f"""
The IOC runs on. In another terminal, with the tools of EPICS Base:

     export {exports}
     caget {PREFIX}setpoint {PREFIX}readback {PREFIX}mode
     caput {PREFIX}setpoint 42
     camonitor {PREFIX}readback {PREFIX}Ioc:HEARTBEAT
     curl {metrics_url(ports)}

Ctrl+C here stops it."""


async def demo(options: argparse.Namespace, directory: Path) -> None:
    """Set, save, kill, start again, compare. Raises DemoError if a value is lost."""
    ports = Ports(channel_access=free_port(), beacons=free_port(), metrics=free_port())
    os.environ.update(ca_environment(ports))  # for the client
    ioc = IOC(options.ioc, directory, ports)

    say(f"1. Starting the demo IOC: python {' '.join(ioc.command)}")
    began = time.monotonic()
    running = await ioc.start()
    try:
        say(f"     serving on 127.0.0.1:{ports.channel_access} {since(began)}")
        await set_values()

        say(f"3. Asking for a save and waiting for it: caput -c {PREFIX}{SAVE_PV} 1")
        began = time.monotonic()
        await client([("put", PREFIX + SAVE_PV, 1)])
        say(f"     saved {since(began)}")

        say(f"4. Killing the IOC: kill -9 {running.process.pid}")
        status = await running.end(signal.SIGKILL)
        if status != -signal.SIGKILL:
            running.show_last_lines()
            raise DemoError(f"the IOC ended by itself before the kill, exit status {status}")
        say("     gone, with no chance to save anything")
    finally:
        await running.discard()

    say("5. Starting it again")
    began = time.monotonic()
    running = await ioc.start()
    try:
        say(f"     serving {since(began)}")
        await compare_values()
        samples = await asyncio.to_thread(scrape, ports)
        say(f"7. Metrics for Prometheus: {metrics_url(ports)} ({samples} samples)")
        if not options.once:
            await leave_running(running, ports)

        began = time.monotonic()
        status = await running.end(signal.SIGTERM)
        if status:
            raise DemoError(f"the IOC ended with exit status {status}, not 0")
        say(f"Stopped in an orderly way {since(began)}.")
    except DemoError:
        running.show_last_lines()
        raise
    finally:
        await running.discard()


async def set_values() -> None:
    """Give every PV of SETTINGS a value that it did not have before."""
    say(f"2. Setting {len(SETTINGS)} PVs with libca of EPICS Base (aioca)")
    before = await read_all()
    for name, value in SETTINGS.items():
        if before[name] == value:
            raise DemoError(f"{PREFIX}{name} has the value to be set before it was set")
    await client([("put", PREFIX + name, value) for name, value in SETTINGS.items()])
    rows = [(PREFIX + name, show(before[name]), show(value)) for name, value in SETTINGS.items()]
    say(table(("PV", "was", "set to"), rows))


async def compare_values() -> None:
    """Show PV by PV what came back. Raises DemoError if any value did not."""
    say("6. Reading the PVs back")
    after = await read_all()
    lost = [name for name, value in SETTINGS.items() if after[name] != value]
    rows = [
        (PREFIX + name, show(value), show(after[name]), "✗ LOST" if name in lost else "✓")
        for name, value in SETTINGS.items()
    ]
    say(table(("PV", "set to", "now", ""), rows))
    if lost:
        raise DemoError(f"{len(lost)} of {len(SETTINGS)} values lost: {', '.join(lost)}")
    say(f"     all {len(SETTINGS)} values came back")


async def leave_running(running: Running, ports: Ports) -> None:
    """Until Ctrl+C, SIGTERM or the end of the terminal. Raises DemoError if the IOC ends first."""
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    say(how_to_go_on(ports))
    running.echo = True
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({waiting, running.reader}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not stop.is_set():
        raise DemoError("the IOC ended by itself")
    say("")


async def cancellable(options: argparse.Namespace, directory: Path) -> None:
    """The demo, taking its IOC with it when it is told to end half-way."""
    story = asyncio.ensure_future(demo(options, directory))
    for signum in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signum, story.cancel)
    await story


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; exit status 0 if every value came back, 1 if not, 2 for a bad command line."""
    parser = argparse.ArgumentParser(prog="python -m ioc_ops.examples.demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop at the end, do not wait")
    parser.add_argument(
        "--ioc", default="ioc_ops.examples.demo_ioc", metavar="MODULE", help="the IOC to try"
    )
    options = parser.parse_args(argv)
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # no ✓ in some locales
    try:
        with tempfile.TemporaryDirectory(prefix="ioc_ops_demo_") as directory:
            asyncio.run(cancellable(options, Path(directory)))
    except DemoError as error:
        print(f"demo failed: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("demo stopped before its end", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
