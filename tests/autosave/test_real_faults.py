"""A running IOC on storage that is full, read-only or out of reach: real ones, by real mounts."""

import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import one_shot_client as client
import pytest
from caproto import ChannelType

from ioc_ops.autosave.fileformat import loads

HERE = Path(__file__).parent
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
MAJOR = 2

Mount = Callable[..., None]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mount something on a directory, until the end of the test."""
    mounted: list[Path] = []

    def run(*arguments: str | Path) -> None:
        # What an IOC has open is none of the test's concern: its lock keeps a mount busy.
        try:
            ran = subprocess.run(["mount", *arguments], capture_output=True, text=True)
        except FileNotFoundError:
            pytest.skip("there is no mount command")
        if ran.returncode != 0 and not mounted:
            pytest.skip(f"mounting is not permitted: {ran.stderr.strip()}")
        assert ran.returncode == 0, ran.stderr
        mounted.append(Path(arguments[-1]))

    yield run
    for path in reversed(mounted):
        with suppress(FileNotFoundError):
            subprocess.run(["umount", "--lazy", path], capture_output=True)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    path.mkdir()
    return path


def put(name: str, value: object) -> bool:
    response = client.write(f"kinds:{name}", value, notify=True)
    return bool(response.status.success)


def get(name: str) -> object:
    return client.read(f"kinds:{name}").data[0]


def status() -> tuple[object, int]:
    """Of saving: the state and the severity of its alarm."""
    name = "kinds:keeper:STATUS"
    response = client.read(name, data_type=ChannelType.STS_STRING)
    return response.data[0], int(response.metadata.severity)


def message() -> str:
    return bytes(client.read("kinds:keeper:MESSAGE").data).decode()


def saved(state: Path) -> object:
    return loads((state / "kinds.json").read_bytes()).values["kinds:long"]


def fill(state: Path) -> Path:
    """Leave no room at all."""
    ballast = state / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


def test_a_full_disk_is_an_alarm_until_there_is_room(ioc: Any, mount: Mount, state: Path) -> None:
    mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", state)
    process = ioc("saved_ioc", env=ENVIRONMENT)
    assert put("long", 1)
    assert put("keeper:SAVE", 1)
    assert status() == (b"Ok", 0)

    ballast = fill(state)
    for value in (2, 3):
        assert put("long", value)
        assert not put("keeper:SAVE", 1)
        assert status() == (b"Failure", MAJOR)
        assert "No space left on device" in message()
    assert saved(state) == 1
    while list(state.glob(".*.tmp")):  # unless it tries to save by itself just now
        time.sleep(0.01)

    # Killed now, and started again while the disk is still full: with what was saved.
    process.kill()
    process.start()
    assert get("long") == 1
    assert put("long", 4)
    assert not put("keeper:SAVE", 1)

    ballast.unlink()
    assert put("keeper:SAVE", 1)
    assert status() == (b"Ok", 0)
    assert saved(state) == 4


def test_a_disk_that_is_full_at_the_first_start(ioc: Any, mount: Mount, state: Path) -> None:
    mount("-t", "tmpfs", "-o", "size=64k,nr_inodes=2", "tmpfs", state)
    ballast = fill(state)  # not even a name is left
    process = ioc("saved_ioc", env=ENVIRONMENT)
    assert any("No space left on device" in line for line in process.lines)
    assert put("long", 5)
    assert not put("keeper:SAVE", 1)
    ballast.unlink()
    mount("-o", "remount,nr_inodes=50", state)
    assert put("keeper:SAVE", 1)
    assert saved(state) == 5
    assert (state / ".kinds.json.lock").exists()  # taken as soon as it could be


def test_a_disk_that_becomes_read_only(ioc: Any, mount: Mount, state: Path) -> None:
    ioc("saved_ioc", env=ENVIRONMENT)
    assert put("long", 1)
    assert put("keeper:SAVE", 1)
    mount("--bind", state, state)
    mount("-o", "remount,bind,ro", state)
    assert put("long", 2)
    assert not put("keeper:SAVE", 1)
    assert status() == (b"Failure", MAJOR)
    assert "Read-only file system" in message()
    mount("-o", "remount,bind,rw", state)
    assert put("keeper:SAVE", 1)
    assert status() == (b"Ok", 0)
    assert saved(state) == 2


def test_a_read_only_directory_ends_the_start(ioc: Any, mount: Mount, state: Path) -> None:
    mount("-t", "tmpfs", "-o", "size=64k,ro", "tmpfs", state)
    process = ioc("saved_ioc", env=ENVIRONMENT, ready=False, expect_exit=2)
    assert process.wait(30) == 2
    (line,) = [line for line in process.lines if "error" in line]
    assert line.endswith("autosave: cannot write to the directory state: Read-only file system")


def test_no_descriptor_left(ioc: Any, state: Path) -> None:
    process = ioc("saved_ioc", env=ENVIRONMENT | {"SAVE_PERIOD": "1"})
    assert put("keeper:SAVE", 1)
    limits = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    value, line = 6, ""
    while not line:
        value += 1
        assert put("long", value)  # will be saved in about a second
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        with suppress(TimeoutError):  # it was saved before that
            line = process.wait_for("state/kinds.json not saved: ", 4)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limits)
    assert "Too many open files" in line
    assert put("keeper:SAVE", 1)
    assert status() == (b"Ok", 0)
    assert saved(state) == value


def test_the_directory_is_gone_and_comes_back(ioc: Any, state: Path, tmp_path: Path) -> None:
    process = ioc("saved_ioc", env=ENVIRONMENT)
    assert put("keeper:SAVE", 1)
    state.rename(tmp_path / "away")
    assert put("long", 8)
    assert not put("keeper:SAVE", 1)
    assert status() == (b"Failure", MAJOR)
    (tmp_path / "away").rename(state)
    assert put("keeper:SAVE", 1)
    assert status() == (b"Ok", 0)
    process.kill()
    process.start()
    assert get("long") == 8


# --- the last save of a stop ---------------------------------------------------------------------

UNSAVED = 74


@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_a_stop_that_cannot_save_says_what_is_lost_and_fails(
    ioc: Any, state: Path, tmp_path: Path, library: str
) -> None:
    process = ioc("saved_ioc", "--async-lib", library, env=ENVIRONMENT, expect_exit=UNSAVED)
    assert put("keeper:SAVE", 1)
    state.rename(tmp_path / "away")
    assert put("long", 8)
    process.stop()
    (line,) = [line for line in process.lines if "the last changes are not in" in line]
    found = re.search(r"autosave: (the last changes are not in .*)", line)
    assert found
    assert re.fullmatch(
        r"the last changes are not in state/kinds\.json: .*No such file or directory; "
        r"the newest that is safe is of 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d",
        found[1],
    )
    assert loads((tmp_path / "away" / "kinds.json").read_bytes()).values["kinds:long"] == 1


def test_a_stop_on_a_full_disk_fails_and_keeps_what_there_is(
    ioc: Any, mount: Mount, state: Path
) -> None:
    mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", state)
    process = ioc("saved_ioc", env=ENVIRONMENT, expect_exit=UNSAVED)
    assert put("keeper:SAVE", 1)
    fill(state)
    assert put("long", 2)
    process.stop()
    (line,) = [line for line in process.lines if "the last changes are not in" in line]
    assert "No space left on device; the newest that is safe is of 20" in line
    assert saved(state) == 1
