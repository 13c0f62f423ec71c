"""The same on the loop that asyncio itself has: uvloop is an extra, so this is what many run on."""

import asyncio
import sys

import pytest
from test_beacons_on_each_library import *  # noqa: F403
from test_driver_sockets import *  # noqa: F403
from test_driver_tasks import *  # noqa: F403

from ioc_ops.server.drivers.layer import Driver

pytestmark = pytest.mark.parametrize("library", ["asyncio"], indirect=True)


@pytest.fixture(autouse=True)
def without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it were not installed."""
    monkeypatch.setitem(sys.modules, "uvloop", None)


def test_it_is_the_loop_of_asyncio(driver: Driver) -> None:
    async def main() -> int:
        return asyncio.get_running_loop().__module__.startswith("asyncio.")

    assert driver.run(main) is True
