"""A real IOC with a menu of configurations, a client that is not ours, and SIGKILL."""

import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import one_shot_client as client
import pytest
from config_ioc import SLOW_PUTTER

from ioc_ops.autosave.configurations.files import ConfigFiles
from ioc_ops.autosave.configurations.names import ConfigNames
from ioc_ops.autosave.values import UntypedValue

HERE = Path(__file__).parent
KILLS = 5


@pytest.fixture
def environment() -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}


def put(name: str, value: object, *, notify: bool = True) -> bool:
    """Write; with ``notify`` wait for completion and tell whether the server could do it."""
    response = client.write(f"cfg:{name}", value, notify=notify)
    return response is None or bool(response.status.success)


def get(name: str) -> Any:
    data = client.read(f"cfg:{name}").data
    value = data[0] if len(data) == 1 else bytes(data)
    return value.decode() if isinstance(value, bytes) else value


def until_busy(name: str, value: str) -> None:
    """Ask for something that hangs; again if it was given up before that could be seen."""
    put(name, value, notify=False)
    while get("scanMenu:busy") != "Loading":
        put(name, value, notify=False)


def ended() -> tuple[object, object]:
    return get("scanMenu:status"), get("scanMenu:busy")


@pytest.mark.parametrize("library", ["asyncio", "trio", "curio"])
def test_putters_that_take_refuse_break_or_hang(
    ioc: Any, environment: dict[str, str], library: str
) -> None:
    if library == "curio" and sys.version_info >= (3, 12):
        pytest.skip("curio 1.6 does not import")
    ioc("config_ioc", "--async-lib", library, env=environment)
    for name in ("plain", "moody", "last"):
        assert put(name, 5)
    assert put("scanMenu:SaveAs", "five")
    assert get("scanMenu:currName") == "five"
    for name in ("plain", "moody", "last"):
        assert put(name, 6)

    for mode, reason in {
        "refuse": "1 of 3 differ: cfg:moody: not in this mood",
        "break": "1 of 3 differ: cfg:moody: RuntimeError: broken",
        "hang": "1 of 3 differ: cfg:moody: its putter has not ended within 2 s",
    }.items():
        assert put("mode", mode)
        assert put("last", 6)
        assert not put("scanMenu:Load", "five")
        assert get("scanMenu:Message").rstrip("\0") == reason
        assert ended() == ("Failure", "Done")
        assert get("scanMenu:currName") == "five (incomplete)"
        assert get("last") == 5

    assert put("mode", "slow")
    began = time.monotonic()
    assert put("scanMenu:loadConfig1.PROC", [1])
    assert time.monotonic() - began >= SLOW_PUTTER  # completes when it is done
    assert (get("moody"), ended(), get("scanMenu:currName")) == (5, ("Success", "Done"), "five")

    # An orderly stop in the middle of it: the fixture sees that it is one.
    assert put("mode", "hang")
    until_busy("scanMenu:Load", "five")


def test_storage_that_hangs(ioc: Any, environment: dict[str, str], tmp_path: Path) -> None:
    process = ioc("config_ioc", env=environment)
    assert put("scanMenu:SaveAs", "a")
    (tmp_path / "stalled").touch()
    until_busy("scanMenu:SaveAs", "b")
    # Channel Access goes on meanwhile, and a second request is refused at once.
    assert put("plain", 17)
    assert get("plain") == 17
    assert not put("scanMenu:Load", "a")
    process.wait_for("cfg:scanMenu:SaveAs: write refused: storage has not answered for 3 s")
    assert not put("scanMenu:Load", "a")
    assert ended() == ("Failure", "Done")
    assert "storage has not answered for 3 s" in get("scanMenu:Message")

    (tmp_path / "stalled").unlink()
    assert put("scanMenu:Load", "a")
    assert (get("plain"), ended()) == (1, ("Success", "Done"))


def test_kill_during_a_save_leaves_the_old_file_or_the_new_one(
    ioc: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    process = ioc("config_ioc", env=environment)
    files = ConfigFiles(ConfigNames(tmp_path / "state", "scan"), "cfg:", keep=1)
    rng = random.Random(4)
    for number in range(1, KILLS + 1):
        for name in ("plain", "moody", "last"):
            assert put(name, number * 10)
        assert put("scanMenu:SaveAs", "a")  # from here on this is safe
        for name in ("plain", "moody", "last"):
            assert put(name, number * 10 + 1)
        put("scanMenu:SaveAs", "a", notify=False)
        time.sleep(rng.uniform(0, 0.03))
        process.kill()
        values = files.load("a")[1].values
        saved = {v.text for pv, v in values.items() if ":scanMenu" not in pv and is_untyped(v)}
        assert saved in ({str(number * 10)}, {str(number * 10 + 1)})
        process.start()
        assert put("scanMenu:Load", "a")
        assert str(get("last")) in saved


def is_untyped(value: object) -> bool:
    return isinstance(value, UntypedValue)
