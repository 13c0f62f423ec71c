"""What is deployed, checked with the real programs where they are there."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tools"))
sys.path.append(str(Path(__file__).parent))

from fleet.prometheus import find_program  # noqa: E402 - found by the lines above


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """The path of one of Prometheus' programs; skips the test where it is not installed."""

    def find(name: str) -> str:
        path = find_program(name)
        if path is None:
            pytest.skip(f"no {name} here: tools/install_prometheus.sh can fetch it from Debian")
        return path

    return find
