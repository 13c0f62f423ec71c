"""Drivers of all three async libraries, in the process of the tests."""

import pytest

from ioc_ops.server.drivers import load_driver
from ioc_ops.server.drivers.layer import Driver


@pytest.fixture(scope="module")
def library(library: str) -> str:
    """Each library, of which one loop has run."""
    # libuv opens a pipe with the first loop of a process and keeps it: not a leak of a test.
    load_driver(library).run(end_at_once)
    return library


async def end_at_once() -> int:
    return 0


@pytest.fixture
def driver(library: str) -> Driver:
    """A driver for one run."""
    return load_driver(library)
