"""What an IOC with autosave, status PVs and metrics costs while nobody changes anything.

    python bench/rest.py --npv 100000 --seconds 60

Prints one line of JSON: share of a core that the IOC takes, with a scrape every 5 seconds, and
then for as long again, because looking costs something as well, how late its loop comes at most.
"""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from scrape import environment, free_port, scrape, wait_until_ready

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager, autosaved
from ioc_ops.server import AsyncLibraryLayer, PVGroup, SubGroup, pvproperty, run
from ioc_ops.status import StatusHelper

_TICK = 0.005
_SETTLE = 12.0  # seconds; the first save of all PVs, after one period of autosave
_SCRAPES = 5.0


def serve(npv: int, port: int, file: str) -> None:
    """The IOC that is measured; prints at its end the longest gap of its loop since SIGUSR1."""
    pvs: dict[str, Any] = {f"pv{i}": pvproperty(value=float(i)) for i in range(npv)}
    members: dict[str, Any] = {
        "values": autosaved(SubGroup(type("Values", (PVGroup,), pvs), prefix="v:")),
        "autosave": SubGroup(AutosaveHelper, file_manager=RotatingFileManager(file), period=10.0),
        "status": SubGroup(StatusHelper, prefix="status:"),
    }
    ioc = type("RestingIOC", (PVGroup,), members)(prefix="R:")
    largest = 0.0

    async def watch(async_lib: AsyncLibraryLayer) -> None:
        nonlocal largest
        loop, asked = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, asked.set)
        try:
            await asked.wait()
            while True:
                before = time.monotonic()  # the loop's own clock counts milliseconds
                await asyncio.sleep(_TICK)
                largest = max(largest, time.monotonic() - before - _TICK)
        finally:
            loop.remove_signal_handler(signal.SIGUSR1)

    run(ioc.pvdb, startup_hook=watch, metrics_port=port)
    print(json.dumps({"gap_ms": 1e3 * largest}), flush=True)


def wait_and_scrape(url: str, seconds: float) -> float:
    """Let the time pass, as it does for an IOC that is monitored; how much it was."""
    began = time.monotonic()
    while (left := began + seconds - time.monotonic()) > 0:
        time.sleep(min(left, _SCRAPES))
        scrape(url, "")
    return time.monotonic() - began


def measure(npv: int, seconds: float) -> dict[str, float]:
    """Start the IOC, let it settle, and look at it."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        file = str(Path(directory) / "rest.json")
        command = [sys.executable, __file__, "--npv", str(npv), "--serve", file]
        command += ["--port", str(port)]
        ioc = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
        try:
            url = f"http://127.0.0.1:{port}/metrics"
            wait_until_ready(url.replace("metrics", "readyz"))
            time.sleep(_SETTLE)
            scrape(url, "")
            process = psutil.Process(ioc.pid)
            before = sum(process.cpu_times()[:2])
            took = wait_and_scrape(url, seconds)
            share = (sum(process.cpu_times()[:2]) - before) / took
            ioc.send_signal(signal.SIGUSR1)
            wait_and_scrape(url, seconds)
            ioc.send_signal(signal.SIGTERM)
            printed, _ = ioc.communicate(timeout=20)
        finally:
            if ioc.poll() is None:
                ioc.kill()
                ioc.wait()
    found: dict[str, float] = json.loads(printed.splitlines()[-1])
    return found | {"cpu_percent": 100 * share}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--npv", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--serve", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.npv, options.port, options.serve)
    else:
        print(json.dumps(measure(options.npv, options.seconds)))


if __name__ == "__main__":
    main()
