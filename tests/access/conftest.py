"""What tests of circuits and of servers have made serves here as well: bench and raw client."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

for neighbour in ("circuit", "server"):
    sys.path.append(str(Path(__file__).parents[1] / neighbour))

from access_bench import SecuredBench  # noqa: E402 - found by the lines above


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Callable[..., SecuredBench]]:
    """Make an IOC of these PVs and rules; `acf` is the text of the file."""
    made: list[SecuredBench] = []

    def make(acf: str | None, *channels: Any, **arguments: Any) -> SecuredBench:
        made.append(SecuredBench(tmp_path / "rules.acf", acf, *channels, **arguments))
        return made[-1]

    yield make
    for bench in made:
        bench.close()
