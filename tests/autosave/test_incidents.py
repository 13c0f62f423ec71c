"""What went wrong with autosave elsewhere, and must not here.

docs/explanations/what-went-wrong-elsewhere.md names for each incident the test that guards it; the
incidents that no other test covers have theirs here.
"""

import asyncio
import logging
import os
import re
from pathlib import Path
from typing import Any

import pytest
from fake_disk import FakeDisk
from sets_life import Life, file, running
from storage_threads import Stall
from virtual_clock import VirtualClock

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager, SaveSet, autosaved
from ioc_ops.autosave.fileformat import dumps
from ioc_ops.autosave.formats import parse_request
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.targets import find_targets
from ioc_ops.errors import AutosaveError, DefinitionError
from ioc_ops.server import PVGroup, SubGroup, pvproperty

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanations" / "what-went-wrong-elsewhere.md"


def test_every_incident_has_a_test_that_exists() -> None:
    rows = re.findall(r"^\| (\d+) \|.*\| ([^|]*) \|$", PAGE.read_text(), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 29))
    source = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    there = set(re.findall(r"^(?:async )?def (test_\w+)", source, re.MULTILINE))
    for number, tests in rows:
        named = set(re.findall(r"`(test_\w+)`", tests))
        assert named or "cannot happen" in tests, f"incident {number} has no test"
        assert named <= there, f"incident {number}: no test {named - there}"


class Text(PVGroup):
    label = autosaved(pvproperty(value="", max_length=300))
    short = autosaved(pvproperty(value="", dtype=str))
    curve = autosaved(pvproperty(value=[0.0], max_length=400))
    keeper = SubGroup(AutosaveHelper, prefix="as:")


@pytest.mark.parametrize("length", [0, 1, 39, 40, 41, 118, 119, 120, 121, 199, 200, 250])
def test_no_length_of_a_text_or_array_is_special(
    disk: FakeDisk, clock: VirtualClock, length: int
) -> None:
    text, values = "x" * length, [float(number) for number in range(length)]

    async def main() -> None:
        async with running(disk, clock, Text) as life:
            await life.set("label", text)
            await life.set("short", text[:39])
            await life.set("curve", values)
        async with running(disk, clock, Text) as life:
            assert life.value("label") == text
            assert life.value("short") == text[:39]
            assert list(life.value("curve")) == values  # type: ignore[call-overload]

    asyncio.run(main())


class OddNames(PVGroup):
    under = autosaved(pvproperty(name="_under", value=1))
    colon = autosaved(pvproperty(name=":colon", value=1))
    bracket = autosaved(pvproperty(name="[0]<;>", value=1))
    braces = autosaved(pvproperty(name="{{Mtr}}-Ax.X", value=1))
    keeper = SubGroup(AutosaveHelper, prefix="as:")


def test_any_legal_name_is_saved(disk: FakeDisk, clock: VirtualClock) -> None:
    names = ["_under", ":colon", "[0]<;>", "{Mtr}-Ax.X"]

    async def main() -> None:
        async with running(disk, clock, OddNames) as life:
            for number, name in enumerate(names):
                await life.set(name, 10 + number)
        async with running(disk, clock, OddNames) as life:
            assert [life.value(name) for name in names] == [10, 11, 12, 13]

    asyncio.run(main())


class Grown(PVGroup):
    was_scalar = autosaved(pvproperty(value=[0.0], max_length=5))
    was_array = autosaved(pvproperty(value=0.0))
    was_long_array = autosaved(pvproperty(value=0.0))
    keeper = SubGroup(AutosaveHelper, prefix="as:")


def test_a_scalar_that_has_become_an_array_keeps_its_value(
    disk: FakeDisk, clock: VirtualClock
) -> None:
    values = {"x:was_scalar": 2.5, "x:was_array": [3.5], "x:was_long_array": [1.0, 2.0]}
    disk.put(file(""), dumps(Snapshot(values, serial=1)))  # type: ignore[arg-type]

    async def main() -> None:
        async with running(disk, clock, Grown) as life:
            assert list(life.value("was_scalar")) == [2.5]  # type: ignore[call-overload]
            assert life.value("was_array") == 3.5
            assert list(life.sets[""].restore_report.skipped) == ["x:was_long_array"]
            await life.set("as:SAVE", 1)
            assert life.saved("")["x:was_long_array"] == [1.0, 2.0]  # nothing is lost

    asyncio.run(main())


def test_one_request_file_serves_several_sets_with_their_own_macros(
    disk: FakeDisk, clock: VirtualClock, tmp_path: Path
) -> None:
    request = tmp_path / "axis.req"
    request.write_text("$(P)$(M)position")  # and no newline at its end

    class Axes(PVGroup):
        one = pvproperty(name="m1:position", value=0.0)
        two = pvproperty(name="m2:position", value=0.0)
        keeper = SubGroup(AutosaveHelper, prefix="as:")
        first = SubGroup(SaveSet, request=request, request_macros={"P": "x:", "M": "m1:"})
        second = SubGroup(SaveSet, request=request, macros={"M": "m2:"})

    async def main() -> None:
        async with running(disk, clock, Axes) as life:
            await life.set("m1:position", 1.0)
            await life.set("m2:position", 2.0)
            await clock.advance(2)
            assert life.saved("first") == {"x:m1:position": 1.0}
            assert life.saved("second") == {"x:m2:position": 2.0}
        async with running(disk, clock, Axes) as life:
            assert [life.value(f"m{n}:position") for n in (1, 2)] == [1.0, 2.0]

    asyncio.run(main())


def test_info_tags_that_name_a_field_twice_are_taken_once() -> None:
    class Tagged(PVGroup):
        x = autosaved(pvproperty(value=1.0, record="ao"), info="VAL VAL$ DESC DESC$ NONSENSE")

    assert list(find_targets(Tagged(prefix="x:"))) == ["x:x.DESC", "x:x"]


def test_macros_of_any_length() -> None:
    for length in (399, 400, 401, 4000):
        (pv,) = parse_request("$(P)x\n", "long.req", {"P": "P" * length}, lambda name: "")
        assert pv.name == "P" * length + "x"
    with pytest.raises(AutosaveError, match=r"long.req, line 1: .* longer than 4096"):
        list(parse_request("$(P)x\n", "long.req", {"P": "P" * 100_000}, lambda name: ""))


def test_an_empty_file_name_is_refused_at_once() -> None:
    with pytest.raises(DefinitionError, match="no file name"):
        RotatingFileManager("")


def test_saves_leave_no_descriptor_open(tmp_path: Path, clock: VirtualClock) -> None:
    class Small(PVGroup):
        x = autosaved(pvproperty(value=0))
        keeper = SubGroup(AutosaveHelper, prefix="as:")

    async def main() -> None:
        life = Life(FakeDisk(), clock, Small)
        helper = life.sets[""]
        helper.file_manager = RotatingFileManager(tmp_path / "real.json")
        await life.restore()
        await life.set("as:SAVE", 1)
        before = len(os.listdir("/proc/self/fd"))
        for number in range(50):
            await life.set("x", number + 1)
            await life.set("as:SAVE", 1)
            await life.set("as:RESTORE", 1)
        assert len(os.listdir("/proc/self/fd")) <= before
        assert helper.stats.saves == 51
        await life.stop()

    asyncio.run(main())


def test_a_quiet_ioc_has_a_quiet_log(
    disk: FakeDisk, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def main() -> None:
        async with running(disk, clock, Text) as life:
            for number in range(30):
                await life.set("label", str(number))
                await clock.advance(3)

    asyncio.run(main())
    assert [record.getMessage() for record in caplog.records] == [
        f"autosave: no save file: {file('')}"
    ]


class TwoHung(PVGroup):
    x = autosaved(pvproperty(value=0))
    y = autosaved(pvproperty(value=0), save_set="other")
    keeper = SubGroup(AutosaveHelper, prefix="as:")
    other = SubGroup(SaveSet)


def test_several_sets_on_hung_storage_delay_the_start_once(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    disk = FakeDisk()
    stall = Stall(disk)
    stall.begin()

    async def main() -> None:
        life = Life(disk, clock, TwoHung)
        await life.restore()
        assert clock.now == pytest.approx(11, abs=0.2)  # 10 s, and 1 s for the second to try
        assert caplog.text.count("nothing restored from") == 2
        stall.end()
        await life.stop()

    asyncio.run(main())


def test_values_that_wait_too_long_are_an_alarm(disk: FakeDisk, clock: VirtualClock) -> None:
    async def main() -> None:
        async with running(disk, clock, Text) as life:
            helper: Any = life.sets[""]
            await life.set("as:SAVE", 1)
            await life.set("label", "waits")
            assert await helper.has_changes(clock)
            helper.paused = True  # whatever the reason: nothing is saved any more
            clock.now += 69
            await helper.publish()
            assert life.value("as:STATUS") == "Ok"
            clock.now += 2
            await helper.publish()
            assert life.value("as:STATUS") == "Warning"
            assert life.value("as:MESSAGE") == "changes have not been saved for 71 s"
            assert life.ioc.pvdb["x:as:STATUS"].severity == 1
            helper.paused = False

    asyncio.run(main())
