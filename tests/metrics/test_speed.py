"""What a scrape costs an IOC with very many PVs."""

import subprocess
import sys
import time
from pathlib import Path

from ioc_ops.channel import ChannelDouble
from ioc_ops.metrics import build_registry, expose
from ioc_ops.server import Context
from ioc_ops.status import HostReading

BENCH = Path(__file__).parent.parent.parent / "bench" / "scrape.py"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"


def test_100_000_pvs_of_which_1000_are_exported_take_less_than_50_ms() -> None:
    pvdb = {f"pv{n}": ChannelDouble(0.0, name=f"pv{n}") for n in range(99_000)}
    pvdb |= {f"x{n}": ChannelDouble(0.0, name=f"x{n}") for n in range(1_000)}
    registry = build_registry(Context(pvdb, name="big"), host=HostReading(), pvs=["x*"])
    expose(registry, "")  # finds them
    took = []
    for accept in ("", OPENMETRICS) * 3:
        began = time.thread_time()
        text, _ = expose(registry, accept)
        took.append(time.thread_time() - began)
        assert text.count(b"epics_pv_value{") == 1_000
    assert max(took) < 0.05


def test_the_benchmark_runs() -> None:
    small = ["--npv", "50", "--exported", "5", "--rounds", "2", "--most", "5000"]
    done = subprocess.run(
        [sys.executable, str(BENCH), *small],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "50 PVs, 5 exported" in done.stdout
    assert done.stdout.count("median") == 2
