"""Time in which the machine did not let an IOC run is not the fault of its hooks."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent / "stolen_time.py"


def test_neither_a_last_hook_nor_the_end_of_a_run_is_cut_short(
    library: str, tmp_path: Path
) -> None:
    """A process that was stopped, or whose host was busy, saves and ends as any other."""
    with open(tmp_path / "said", "w") as said:
        ended = subprocess.run(
            [sys.executable, SCRIPT, library],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            timeout=30,
            check=False,
        )
    assert (tmp_path / "said").read_text() == "through\n"
    assert ended.returncode == 7
