"""An IOC in the process of the test, on any of the async libraries."""

import gc
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from ioc_ops.channel import ChannelData
from ioc_ops.server import current_context, run
from ioc_ops.server.drivers import DRIVERS, load_driver

__all__ = ["LIBRARIES", "Script", "prepare", "run_live", "until"]

LIBRARIES = sorted(DRIVERS)
Script = Callable[[Any], Awaitable[None]]
"""What is done in the running IOC; it gets the async library."""


async def _end_at_once() -> int:
    return 0


def prepare(library: str) -> str:
    """The library, for a fixture of a module; skips what this machine cannot have."""
    if library == "curio" and sys.version_info >= (3, 12):
        pytest.skip("curio 1.6 does not import on Python 3.12 and later")
    pytest.importorskip(library)
    # libuv opens a pipe with the first loop of a process and keeps it: not a leak of a test.
    load_driver(library).run(_end_at_once)
    return library


def run_live(library: str, pvdb: Mapping[str, ChannelData], script: Script) -> None:
    """Run an IOC until a script is through; raises what the script raises."""
    problems: list[Exception] = []

    async def startup_hook(async_lib: Any) -> None:
        try:
            await script(async_lib)
        except Exception as problem:
            problems.append(problem)
        finally:
            current_context().request_stop()

    try:
        run(pvdb, async_lib=library, startup_hook=startup_hook)
    finally:
        gc.unfreeze()
    for problem in problems:
        raise problem


async def until(async_lib: Any, condition: Callable[[], object]) -> None:
    """Raises AssertionError after 20 s."""
    deadline = async_lib.monotonic() + 20.0
    while not condition():
        assert async_lib.monotonic() < deadline, "it did not come"
        await async_lib.sleep(0.001)
