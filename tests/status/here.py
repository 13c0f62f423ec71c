"""Where the IOCs of these tests are."""

import os
from pathlib import Path

__all__ = ["ENV", "HERE"]

HERE = Path(__file__).parent

ENV = {"PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])}
"""With it ``python -m`` finds them, and the package where the tests found it."""
