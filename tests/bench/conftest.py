"""The benchmark is no package: its folder goes to the path, behind everything else."""

import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench"
sys.path += [str(BENCH), str(BENCH / "load")]
