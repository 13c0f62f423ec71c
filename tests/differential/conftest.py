"""Both servers, for all tests of this folder."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from two_iocs import Ports, both_running

sys.path.append(str(Path(__file__).parents[1] / "conformance"))  # its wire_client serves here too


@pytest.fixture(scope="package")
def ports(
    tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[Ports]:
    """Where they listen."""
    with both_running(tmp_path_factory.mktemp("moved"), free_port) as found:
        yield found
