"""What autosave costs an IOC: time to restore, gaps of the event loop, share of a core.

    python bench/autosave.py --npv 100000 --changing 0.01 --seconds 60

Starts the same IOC three times as a process of its own: without autosave, with it for the first
time, and with it after that, so that there is something to restore. Prints one line for each.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager, autosaved
from ioc_ops.server import AsyncLibraryLayer, PVGroup, SubGroup, pvproperty, run

_TICK = 0.001
_PERIOD = 10.0


def make_ioc(npv: int, file: str | None) -> PVGroup:
    """A group of that many doubles, saved to a file or not at all."""
    pvs: dict[str, Any] = {f"pv{i}": pvproperty(value=float(i)) for i in range(npv)}
    members: dict[str, Any] = {
        "values": autosaved(SubGroup(type("Values", (PVGroup,), pvs), prefix="v:"))
    }
    if file is not None:
        manager = RotatingFileManager(file)
        members["autosave"] = SubGroup(AutosaveHelper, file_manager=manager, period=_PERIOD)
    return type("Ioc", (PVGroup,), members)(prefix="bench:")


async def measure(
    ioc: Any, began: float, changing: float, seconds: float, async_lib: AsyncLibraryLayer
) -> None:
    """Change PVs at random places, look for gaps, print, and end the process."""
    channels = list(ioc.groups["values"].pvdb.values())
    each_second = int(len(channels) * changing)
    ready, cpu = time.monotonic(), time.process_time()
    largest, worked, step, position = 0.0, 0.0, 0, 0
    until = ready + seconds
    # Of a clock that is finer than the milliseconds of the loop's own.
    before, cpu_before = ready, cpu
    while before < until:
        await asyncio.sleep(_TICK)
        now, cpu_now = time.monotonic(), time.process_time()
        # The first seconds make lines for all PVs at once, which is part of what is measured.
        gap = now - before - _TICK
        largest = max(largest, gap)
        # The rest of a gap is the machine's: other processes had the processor.
        worked = max(worked, min(gap, cpu_now - cpu_before))
        due = int((now - ready) * each_second)
        for _ in range(due - step):
            position = (position + 7919) % len(channels)
            await channels[position].write(now)
        step = due
        before, cpu_before = time.monotonic(), time.process_time()
    helper = ioc.groups.get("autosave")
    saves = 0 if helper is None else helper.stats.saves
    print(
        json.dumps(
            {
                "restored": 0 if helper is None else helper.stats.restored,
                "start_s": round(ready - began, 2),
                "saves": saves,
                "largest_gap_ms": round(largest * 1000, 1),
                "worked_ms": round(worked * 1000, 1),
                "cpu_percent": round(100 * (time.process_time() - cpu) / seconds, 2),
                "last_save_s": 0.0 if helper is None else round(helper.stats.last_duration, 2),
            }
        ),
        flush=True,
    )


def serve(npv: int, changing: float, seconds: float, file: str | None) -> None:
    """One IOC process."""
    ioc = make_ioc(npv, file)
    began = time.monotonic()

    async def startup(async_lib: AsyncLibraryLayer) -> None:
        await measure(ioc, began, changing, seconds, async_lib)
        from ioc_ops.server import current_context

        current_context().request_stop()

    run(ioc.pvdb, startup_hook=startup, interfaces=["127.0.0.1"])


def main() -> None:
    """Run the three processes one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--npv", type=int, default=100_000)
    parser.add_argument("--changing", type=float, default=0.01, help="share of PVs a second")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--serve", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.npv, options.changing, options.seconds, options.serve or None)
        return
    with tempfile.TemporaryDirectory() as directory:
        file = str(Path(directory) / "bench.json")
        for what, path in (("without", ""), ("first start", file), ("restored", file)):
            command = [sys.executable, __file__, "--serve", path, "--npv", str(options.npv)]
            command += ["--changing", str(options.changing), "--seconds", str(options.seconds)]
            environment = {**os.environ, "EPICS_CAS_BEACON_ADDR_LIST": "127.0.0.1"}
            environment |= {"EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO"}
            answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
            print(f"{what:12} {answer.stdout.decode().strip()}")


if __name__ == "__main__":
    main()
