"""The page about the metrics says what the tables say."""

import subprocess
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from ioc_ops.metrics import AutosaveCollector, IocCollector, PvCollector
from ioc_ops.status import HostReading

ROOT = Path(__file__).parent.parent.parent
TOOL = ROOT / "tools" / "generate_metrics_reference.py"
PAGE = ROOT / "docs" / "reference" / "metrics.md"


def test_the_page_is_current() -> None:
    check = subprocess.run([sys.executable, str(TOOL), "--check"], timeout=50, check=False)
    assert check.returncode == 0, "run: python tools/generate_metrics_reference.py"


def test_the_page_names_every_metric_once_as_it_is_exposed() -> None:
    registry = CollectorRegistry()
    for collector in (IocCollector(host=HostReading()), AutosaveCollector(), PvCollector()):
        # Without an IOC there are no samples, but names and kinds.
        collector.collect = collector.describe
        registry.register(collector)
    lines = generate_latest(registry).decode().splitlines()
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) > 40
    rows = PAGE.read_text(encoding="utf-8").splitlines()
    for name in names:
        assert sum(row.startswith(f"| `{name}` |") for row in rows) == 1, name
