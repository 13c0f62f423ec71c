"""The SR_ PVs, read as the screens of synApps read them, by a client that is not ours."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import one_shot_client as client
import pytest

HERE = Path(__file__).parent

STRING, ENUM, LONG = 0, 3, 5
STATES = ["No Status", "Failure", "Warning", "Seq Fail", "Ok"]
METHODS = ["None", "Periodic", "Triggered", "Timer", "Monitored", "Manual"]
# Name, native DBR type, states: save_restoreStatus.db of R6-0.
GLOBAL = [
    ("SR_heartbeat", ENUM, ["0", "1"]),
    ("SR_i_am_alive", ENUM, ["0", "1"]),
    ("SR_deadIfZero", ENUM, ["0", "1"]),
    ("SR_status", ENUM, STATES),
    ("SR_statusStr", STRING, None),
    ("SR_recentlyStr", STRING, None),
    ("SR_rebootStatus", ENUM, STATES),
    ("SR_rebootStatusStr", STRING, None),
    ("SR_rebootTime", STRING, None),
    ("SR_disable", ENUM, ["Enable", "Disable"]),
    ("SR_disableMaxSecs", LONG, None),
]
OF_A_SET = [
    ("Name", STRING, None),
    ("State", LONG, None),
    ("StateEnum", ENUM, METHODS),
    ("Status", ENUM, STATES),
    ("StatusStr", STRING, None),
    ("Time", STRING, None),
]


@pytest.fixture
def environment() -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}


def put(name: str, value: object) -> bool:
    response = client.write(f"kinds:{name}", value, notify=True)
    return bool(response.status.success)


def read(name: str, **options: Any) -> Any:
    return client.read(f"kinds:{name}", **options)


def get(name: str) -> Any:
    (value,) = read(name).data
    return value.decode() if isinstance(value, bytes) else value


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Poll by reading PVs, which takes its time by itself."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
    return True


def test_every_pv_of_the_screens_is_there_with_its_type(
    ioc: Any, environment: dict[str, str]
) -> None:
    ioc("sets_ioc", env=environment)
    names = [*GLOBAL, *((f"SR_{n}_{end}", *facts) for n in range(8) for end, *facts in OF_A_SET)]
    for name, data_type, states in names:
        response = read(name, force_int_enums=True)
        assert response.data_type == data_type, name
        if states is not None:
            shown = read(name, data_type="control").metadata.enum_strings
            assert [state.decode() for state in shown] == states, name


def test_the_sets_show_what_they_do(ioc: Any, environment: dict[str, str]) -> None:
    process = ioc("sets_ioc", env=environment)
    assert until(lambda: get("SR_3_Name") == "recipes.json")
    names = [get(f"SR_{n}_Name") for n in range(5)]
    assert names == ["s.json", "positions.json", "shots.json", "recipes.json", "Not In Use"]
    assert [get(f"SR_{n}_State") for n in range(5)] == [12, 1, 2, 16, 0]
    kinds = [get(f"SR_{n}_StateEnum") for n in range(5)]
    assert kinds == ["Monitored", "Periodic", "Triggered", "Manual", "None"]
    for name in ("SR_0_Status", "SR_1_Status", "SR_status"):  # nothing else is saved by itself
        assert until(lambda name=name: get(name) == "Ok"), name
    assert get("SR_statusStr") == "Ok"
    assert get("SR_3_Status") == "No Status"
    assert get("SR_3_Time") == "Not yet saved"
    assert put("recipes:SAVE", 1)
    assert until(lambda: get("SR_3_Status") == "Ok")
    time.strptime(f"2024 {get('SR_3_Time')}", "%Y %a %b %d %H:%M:%S")
    assert until(lambda: get("SR_recentlyStr") == "Save of 'recipes.json' succeeded")
    assert get("SR_rebootStatus") == "No Status"
    beat = get("SR_heartbeat")
    assert until(lambda: get("SR_heartbeat") != beat)
    process.stop()
    process.start()
    assert until(lambda: get("SR_rebootStatus") == "Ok")
    time.strptime(f"2024 {get('SR_rebootTime')}", "%Y %a %b %d %H:%M:%S")


def test_a_failing_set_is_an_alarm_of_all(
    ioc: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    ioc("sets_ioc", env=environment)
    assert put("SAVE", 1)
    assert until(lambda: get("SR_status") == "Ok")
    (tmp_path / "state").rename(tmp_path / "gone")
    assert put("position", 4.0)
    assert until(lambda: get("SR_1_Status") == "Failure")
    assert until(lambda: get("SR_status") == "Failure")
    assert read("SR_status", data_type="time").metadata.severity == 2
    assert "No such file" in get("SR_1_StatusStr") or "cannot" in get("SR_1_StatusStr")
    (tmp_path / "gone").rename(tmp_path / "state")
    assert until(lambda: get("SR_status") == "Ok")
    assert read("SR_status", data_type="time").metadata.severity == 0


def test_saving_by_itself_can_be_disabled_for_a_while(
    ioc: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "state" / "positions.json"
    ioc("sets_ioc", env=environment)
    assert put("SAVE", 1)
    assert put("SR_disableMaxSecs", 3)
    assert put("SR_disable", 1)
    beat = get("SR_heartbeat")
    assert until(lambda: get("SR_heartbeat") != beat)  # it has been noticed
    assert put("position", 7.0)
    before = file.read_bytes()
    while True:
        content = file.read_bytes()
        if get("SR_disable") == "Enable":
            break
        assert content == before  # it was disabled still when this was read
    assert until(lambda: b"7.0" in file.read_bytes())


def test_pvs_that_come_later_and_all_sets_survive_a_kill(
    ioc: Any, environment: dict[str, str]
) -> None:
    process = ioc("sets_ioc", env=environment)
    assert put("with_late", 1)
    for name, value in (("late", 2.5), ("label", "kept"), ("position", 3.5), ("shot", 5)):
        assert put(name, value)
    assert put("fire", 1)
    assert put("recipe", 6)
    assert put("recipes:SAVE", 1)
    assert put("SAVE", 1)
    assert until(lambda: get("shots:SAVES") == 1)
    process.kill()
    process.start()
    assert put("with_late", 1)
    values = [get(name) for name in ("late", "position", "shot", "recipe")]
    assert values == [2.5, 3.5, 5, 6]
    assert bytes(read("label").data).rstrip(b"\0") == b"kept"
