"""How long a scrape takes: an IOC with many PVs, some of them exported, asked over HTTP.

python bench/scrape.py                              100,000 PVs, 1,000 exported
python bench/scrape.py --npv 1000 --exported 10     fewer
python bench/scrape.py --most 50                    exit with 1 when the median is above 50 ms

Says how long the first scrape took, in which the exported PVs are looked for, and median, 95th
percentile and largest of the others; the CPU time that the IOC used for one; and how late the
IOC's loop came at most meanwhile.
"""

import argparse
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from typing import Any

import psutil

from ioc_ops.server import PVGroup, PvpropertyData, pvproperty, run

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
LAG = re.compile(r'^epics_ioc_event_loop_lag_max_seconds{ioc="B"} (\S+)', re.MULTILINE)


async def tick(group: Any, instance: PvpropertyData, async_lib: object) -> None:
    """Change the exported PVs, so that a scrape has something to race with."""
    for channel in group.changing:
        await channel.write(channel.value + 1.0)


def serve(npv: int, exported: int, port: int) -> None:
    """The IOC that is measured."""
    body: dict[str, object] = {f"pv{i}": pvproperty(value=0.0) for i in range(npv)}
    body |= {f"x{i}": pvproperty(value=0.0) for i in range(exported)}
    body["ticks"] = pvproperty(value=0).scan(1.0)(tick)
    ioc = type("ScrapedIOC", (PVGroup,), body)(prefix="B:")
    ioc.changing = [pv for name, pv in ioc.pvdb.items() if name.startswith("B:x")]
    run(ioc.pvdb, metrics_port=port, metrics_pvs=["B:x*"], metrics_pv_limit=exported)


def scrape(url: str, accept: str) -> tuple[float, str]:
    """Seconds from the request to the last byte, and the text."""
    request = urllib.request.Request(url, headers={"Accept": accept})
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return time.perf_counter() - began, text.decode()


def free_port() -> int:
    """A TCP port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def environment() -> dict[str, str]:
    """Of an IOC that speaks on 127.0.0.1 alone, on a port of its own."""
    return {
        **os.environ,
        "EPICS_CAS_INTF_ADDR_LIST": "127.0.0.1",
        "EPICS_CAS_SERVER_PORT": str(free_port()),
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": "127.0.0.1",
    }


def wait_until_ready(url: str) -> None:
    """Until the IOC is ready."""
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("the IOC did not start")


def measure(url: str, accept: str, rounds: int, process: psutil.Process) -> tuple[float, str]:
    """Median in seconds, and a line that tells more."""
    before = sum(process.cpu_times()[:2])
    took = sorted(scrape(url, accept)[0] for _ in range(rounds))
    cpu = (sum(process.cpu_times()[:2]) - before) / rounds
    ninety_fifth = took[int(0.95 * (len(took) - 1))]
    median = statistics.median(took)
    return median, (
        f"median {1e3 * median:.1f} ms, 95 % {1e3 * ninety_fifth:.1f} ms, "
        f"max {1e3 * took[-1]:.1f} ms, CPU of the IOC {1e3 * cpu:.1f} ms"
    )


def main() -> int:
    """Measure; the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--npv", type=int, default=100_000)
    parser.add_argument("--exported", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument(
        "--settle", type=float, default=0.0, help="seconds to wait first; 61 leave the start out"
    )
    parser.add_argument("--most", type=float, help="milliseconds that the median may be")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.npv, options.exported, options.serve)
        return 0
    port = free_port()
    command = [sys.executable, __file__, "--npv", str(options.npv)]
    command += ["--exported", str(options.exported), "--serve", str(port)]
    ioc = subprocess.Popen(command, env=environment())
    url = f"http://127.0.0.1:{port}/metrics"
    try:
        wait_until_ready(url.replace("metrics", "readyz"))
        time.sleep(options.settle)
        first, text = scrape(url, "")
        print(f"{options.npv} PVs, {options.exported} exported, {len(text)} bytes")
        print(f"first scrape  {1e3 * first:.1f} ms")
        process = psutil.Process(ioc.pid)
        medians = []
        for name, accept in (("text format", ""), ("OpenMetrics", OPENMETRICS)):
            median, line = measure(url, accept, options.rounds, process)
            medians.append(median)
            print(f"{name}   {line}")
        lag = LAG.search(scrape(url, "")[1])
        print(f"loop lag      max {1e3 * float(lag[1]) if lag else 0.0:.1f} ms in the last minute")
    finally:
        ioc.send_signal(signal.SIGTERM)
        ioc.wait(10)
    return int(options.most is not None and 1e3 * max(medians) > options.most)


if __name__ == "__main__":
    sys.exit(main())
