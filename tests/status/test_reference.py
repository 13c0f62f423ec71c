"""The page about the status PVs says what the table says."""

import subprocess
import sys
from pathlib import Path

from ioc_ops.status import TABLE

ROOT = Path(__file__).parent.parent.parent
TOOL = ROOT / "tools" / "generate_status_reference.py"
PAGE = ROOT / "docs" / "reference" / "status-pvs.md"


def test_the_page_is_current() -> None:
    check = subprocess.run([sys.executable, str(TOOL), "--check"], timeout=50, check=False)
    assert check.returncode == 0, "run: python tools/generate_status_reference.py"


def test_the_page_names_every_pv_once() -> None:
    lines = PAGE.read_text().splitlines()
    for suffix in TABLE:
        assert sum(line.startswith(f"| `{suffix}`") for line in lines) == 1, suffix
