"""How long an IOC with many PVs takes to start, and what each PV costs in memory.

``python bench/scale.py`` runs each case as a process of its own, on 127.0.0.1, and prints a table:
seconds from the declaration of the first PV until clients are served, CPU seconds of the same
span (the stable figure on a shared machine), and bytes of resident memory for each PV, the
server's own share included. ``python bench/scale.py ai 10000`` runs one case in this process
and prints it as JSON.
"""

import json
import os
import socket
import subprocess
import sys
import time

import psutil

from ioc_ops.server import AsyncLibraryLayer, PVGroup, current_context, pvproperty, run

CASES = [("plain", 1_000), ("plain", 10_000), ("plain", 100_000), ("ai", 10_000), ("ai", 100_000)]
HOST = "127.0.0.1"


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(psutil.Process().memory_info().rss)


def measure(kind: str, number: int) -> dict[str, float]:
    """Start an IOC of so many PVs, plain ones or records, and stop it when it serves."""
    found: dict[str, float] = {}
    before, began, cpu = resident(), time.perf_counter(), time.process_time()
    record = None if kind == "plain" else kind
    body = {f"pv{i}": pvproperty(value=0.0, record=record) for i in range(number)}
    group = type("ManyPVs", (PVGroup,), body)("scale:")

    async def look(async_lib: AsyncLibraryLayer) -> None:
        context = current_context()
        while context.state != "ready":
            await async_lib.sleep(0)
        found["start"] = time.perf_counter() - began
        found["cpu"] = time.process_time() - cpu
        found["bytes"] = (resident() - before) / number
        context.request_stop()

    run(group.pvdb, startup_hook=look)
    return found


def free_port() -> str:
    """A port of this host that nobody uses."""
    with socket.socket() as tcp:
        tcp.bind((HOST, 0))
        return str(tcp.getsockname()[1])


def measured_apart(kind: str, number: int) -> dict[str, float]:
    """The same in a process of its own."""
    own = {
        "EPICS_CAS_INTF_ADDR_LIST": HOST,
        "EPICS_CAS_SERVER_PORT": free_port(),
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": HOST,
        "EPICS_CAS_BEACON_PORT": free_port(),
    }
    ended = subprocess.run(
        [sys.executable, __file__, kind, str(number)],
        env=os.environ | own,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(ended.stdout)
    return found


def main(arguments: list[str]) -> None:
    """One case, or the table of all."""
    if arguments:
        kind, number = arguments
        print(json.dumps(measure(kind, int(number))))
        return
    print(f"{'PVs':>8}  {'kind':5}  {'start s':>8}  {'CPU s':>8}  {'bytes/PV':>8}")
    for kind, number in CASES:
        case = measured_apart(kind, number)
        times = f"{case['start']:8.2f}  {case['cpu']:8.2f}"
        print(f"{number:8}  {kind:5}  {times}  {case['bytes']:8.0f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
