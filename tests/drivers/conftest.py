"""The same tests on all three async libraries."""

import importlib
import sys

import pytest

from ioc_ops.server.drivers import DRIVERS, load_driver
from ioc_ops.server.drivers.layer import Driver


@pytest.fixture(params=sorted(DRIVERS), scope="module")
def library(request: pytest.FixtureRequest) -> str:
    """Name of an async library, one after the other; skips what this machine cannot have."""
    name: str = request.param
    if name == "curio" and sys.version_info >= (3, 12):
        pytest.skip("curio 1.6 does not import on Python 3.12 and later")
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        pytest.skip(f"{name} is not installed")
    # libuv opens a pipe with the first loop of a process and keeps it: not a leak of a test.
    load_driver(name).run(end_at_once)
    return name


async def end_at_once() -> int:
    return 0


@pytest.fixture
def driver(library: str) -> Driver:
    """A driver for one run."""
    return load_driver(library)
