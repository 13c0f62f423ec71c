"""The benchmark of scrapes runs; what it measures decides no test."""

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parent.parent.parent / "bench" / "scrape.py"


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
