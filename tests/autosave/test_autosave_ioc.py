"""A real IOC, a client that is not ours, SIGKILL, SIGTERM, and what is there afterwards."""

import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import one_shot_client as client
import pytest

HERE = Path(__file__).parent

SETTINGS: Mapping[str, Any] = {
    "short": [-32768],
    "long": [-2147483648],
    "float": [1.5],
    "double": [0.1 + 0.2],
    "string": [b"Strahl \xc3\xa9"],
    "mode": [b"FAST"],
    "switch": [b"On"],
    "doubles": [-0.0, math.inf, 5e-324],
    "longs": [7],
    "pair": [42],
    "moved": [12.5],
}


@pytest.fixture
def environment() -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}


def put(name: str, value: object) -> bool:
    """Write and wait for completion; tells whether the server could do it."""
    response = client.write(f"kinds:{name}", value, notify=True)
    return bool(response.status.success)


def get(name: str) -> list[Any]:
    return list(client.read(f"kinds:{name}").data)


def get_all(names: Sequence[str]) -> dict[str, list[Any]]:
    return {name: get(name) for name in names}


def test_values_of_every_kind_survive_a_kill(ioc: Any, environment: dict[str, str]) -> None:
    process = ioc("saved_ioc", env=environment)
    for name, value in SETTINGS.items():
        assert put(name, value)
    assert put("text", b"a long text \xc3\xa9" + b"\0")
    assert get_all(list(SETTINGS)) == SETTINGS
    assert get("puts") == [1]
    assert put("keeper:SAVE", 1)  # completes when all of it is on disk
    process.kill()

    process.start()
    assert get_all(list(SETTINGS)) == SETTINGS
    assert math.copysign(1, get("doubles")[0]) == -1
    assert bytes(get("text")).rstrip(b"\0") == b"a long text \xc3\xa9"
    assert get("pair_RBV") == [42]
    assert get("puts") == [0]  # nothing moved at boot
    assert get("seen") == [12.5]  # and it was there before the first startup hook
    assert get("keeper:RESTORE_STATUS") == [b"Ok"]


def test_what_changes_is_on_disk_soon_and_at_the_stop(
    ioc: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "state" / "kinds.json"
    process = ioc("saved_ioc", env=environment)
    put("long", 17)
    process.stop()
    assert '"kinds:long": 17' in file.read_text()
    process.start()
    assert get("long") == [17]


def test_a_damaged_file_does_not_stop_the_start(
    ioc: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "state" / "kinds.json"
    process = ioc("saved_ioc", env=environment)
    for value in (1, 2):
        put("long", value * 10)
        put("keeper:SAVE", 1)
    process.kill()
    data = file.read_bytes()
    file.unlink()
    file.write_bytes(data[: len(data) // 2])

    process.start()
    assert get("long") == [10]
    assert get("keeper:RESTORE_STATUS") == [b"Warning"]
    assert process.wait_for("cannot use state/kinds.json: the file is cut off")
    put("keeper:SAVE", 1)
    assert '"kinds:long": 10' in file.read_text()
    (bad,) = file.parent.glob("kinds.json.bad_*")
    assert bad.read_bytes() == data[: len(data) // 2]


def test_an_unusable_directory_ends_the_start(
    ioc: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("a file where the directory should be")
    process = ioc("saved_ioc", env=environment, ready=False, expect_exit=2)
    assert process.wait(20) == 2
    (line,) = [line for line in process.lines if "error" in line]
    assert "autosave: cannot use the directory state: Not a directory" in line


def test_a_client_learns_that_its_save_failed(
    ioc: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    ioc("saved_ioc", env=environment)
    assert put("keeper:SAVE", 1)
    # In one step: the IOC may be about to save.
    (tmp_path / "state").rename(tmp_path / "gone")
    try:
        put("long", 99)
        assert not put("keeper:SAVE", 1)
        assert get("keeper:STATUS") == [b"Failure"]
        assert get("keeper:FAILURES")[0] >= 1
    finally:
        (tmp_path / "state").mkdir()
    assert put("keeper:SAVE", 1)
    assert get("keeper:STATUS") == [b"Ok"]
    assert '"kinds:long": 99' in (tmp_path / "state" / "kinds.json").read_text()


def test_the_package_imports_without_a_running_ioc() -> None:
    code = "import ioc_ops.autosave as a; print(*a.__all__)"
    names = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"AutosaveHelper", "RotatingFileManager", "autosaved", "AutosaveStats"} <= set(names)
