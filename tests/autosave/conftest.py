"""What tests of autosave have at hand: commands, an IOC for them, storage that is followed."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_disk import FakeDisk
from live_commands import IOC, Commands
from storage_threads import Stall, follow_storage_threads
from virtual_clock import VirtualClock


@pytest.fixture(autouse=True)
def storage_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock of a test's does not go on while a storage thread is at work."""
    follow_storage_threads(monkeypatch)


@pytest.fixture
def commands(ca_environment: dict[str, str], tmp_path: Path) -> Iterator[Commands]:
    """Runs `python -m ioc_ops autosave ...` in the test's directory."""
    process = Commands(tmp_path)
    yield process
    process.close()


@pytest.fixture
def live_ioc(commands: Commands, start_ioc: Callable[..., Any]) -> Any:
    """An IOC with a PV of every kind, x:...; `commands` starts in the meantime."""
    return start_ioc([sys.executable, str(IOC)])


@pytest.fixture
def disk() -> FakeDisk:
    return FakeDisk()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def stall(disk: FakeDisk) -> Iterator[Stall]:
    stall = Stall(disk)
    yield stall
    stall.end()
