"""One save set: what comes back at the start, and what is told of it."""

import asyncio
import errno
import json
import re
from pathlib import Path

import pytest
from fake_disk import FakeDisk
from helper_life import DAY, FILE, Ioc, Life, Motor, failing, running, saved, used_disk
from virtual_clock import VirtualClock

from ioc_ops.autosave import AutosaveHelper, autosaved
from ioc_ops.autosave.fileformat import dumps
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.values import EnumValue
from ioc_ops.channel import AlarmSeverity, ChannelData, ChannelType
from ioc_ops.errors import ConfigurationError
from ioc_ops.server import PVGroup, SubGroup, pvproperty


@pytest.fixture
def disk() -> FakeDisk:
    return used_disk()


def test_values_come_back_before_anything_else_and_no_putter_runs(disk: FakeDisk) -> None:
    async def main() -> None:
        life = Life(disk, VirtualClock())
        await life.restore()
        assert life.value("label") == "Strahl \u00e9"
        assert life.value("mode") == "On"
        assert life.value("motor:position") == 12.5
        assert life.value("motor:speed") == 7
        assert life.ioc.motor.put == []

        await life.start()
        await life.clock.advance(0.1)
        # Only the PV that asked for it.
        assert life.ioc.motor.put == [("x:motor:speed", 7)]
        await life.stop()

    asyncio.run(main())


def test_the_status_pvs_after_a_restore(disk: FakeDisk) -> None:
    async def main() -> None:
        async with running(disk) as life:
            assert life.value("as:RESTORE_STATUS") == "Ok"
            assert life.value("as:RESTORE_MESSAGE") == "4 PVs restored from my.json"
            assert life.value("as:FILE") == "/d/my.json"
            assert life.value("as:STATUS") == "Ok"
            assert life.value("as:PVS") == 4
            assert life.value("as:TIME")
            stats = life.helper.stats
            assert (stats.pvs, stats.restored, stats.restore_failures) == (4, 4, 0)
            assert stats.last_success > 0
            assert life.helper.restore_report.complete

    asyncio.run(main())


def test_the_first_start_has_no_file_and_makes_one() -> None:
    disk = FakeDisk()

    async def main() -> None:
        async with running(disk) as life:
            assert life.value("as:RESTORE_STATUS") == "No file"
            assert life.severity("as:RESTORE_STATUS") == AlarmSeverity.NO_ALARM
            assert life.value("as:STATUS") == "No save"
            await life.clock.advance(1.5)
            assert saved(disk).values == {
                "x:label": "nothing",
                "x:mode": EnumValue(0, "Off"),
                "x:motor:position": 0.0,
                "x:motor:speed": 1,
            }
            assert life.value("as:STATUS") == "Ok"

    asyncio.run(main())


def test_a_damaged_file_costs_one_generation_and_is_told(
    disk: FakeDisk, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with running(disk) as life:
            await life.set("label", "newer")
            await life.request()
        disk.put(FILE, disk.content(FILE)[:-9])
        async with running(disk) as life:
            assert life.value("label") == "Strahl \u00e9"
            assert life.value("as:RESTORE_STATUS") == "Warning"
            assert life.severity("as:RESTORE_STATUS") == AlarmSeverity.MINOR_ALARM
            assert "my.json: the file is cut off" in str(life.value("as:RESTORE_MESSAGE"))
            assert "cannot use /d/my.json: the file is cut off" in caplog.text
            # What was restored becomes the file again, although no PV has changed.
            await life.clock.advance(1.5)
            assert saved(disk).values["x:label"] == "Strahl \u00e9"

    asyncio.run(main())


def test_a_restored_older_generation_becomes_the_file_again() -> None:
    disk = FakeDisk()
    disk.put("/d/my_20260301-120000.json", dumps(Snapshot({"x:label": "old"}, serial=5)))

    async def main() -> None:
        async with running(disk, cls=Smaller) as life:
            assert life.value("label") == "old"
            await life.clock.advance(1.5)
            assert saved(disk).values == {"x:label": "old"}
            assert saved(disk).serial == 6

    asyncio.run(main())


def test_nothing_usable_is_an_alarm_and_no_end(disk: FakeDisk) -> None:
    for path in list(disk.names):
        disk.put(path, b"rubbish")

    async def main() -> None:
        async with running(disk) as life:
            assert life.value("label") == "nothing"
            assert life.value("as:RESTORE_STATUS") == "Failure"
            assert life.severity("as:RESTORE_STATUS") == AlarmSeverity.MAJOR_ALARM
            assert life.helper.stats.restore_failures == 4
            await life.request()
            assert saved(disk).values["x:label"] == "nothing"
        assert b"rubbish" in [inode.content for inode in disk.after_kill().inodes.values()]

    asyncio.run(main())


class Narrow(Motor):
    position = autosaved(pvproperty(value=1.0, upper_ctrl_limit=5.0, lower_ctrl_limit=-5.0))


class NarrowIoc(Ioc):
    motor = SubGroup(Narrow)


def test_a_value_that_does_not_fit_is_told_and_waits_in_the_file(
    disk: FakeDisk, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with running(disk, cls=NarrowIoc) as life:
            assert life.value("motor:position") == 1.0
            assert life.value("label") == "Strahl \u00e9"
            assert life.value("as:RESTORE_STATUS") == "Warning"
            assert list(life.helper.restore_report.skipped) == ["x:motor:position"]
            assert life.helper.stats.restore_failures == 1
            assert "x:motor:position not restored: " in caplog.text
            await life.set("label", "new")
            await life.request()
            # The default of a PV that could not be restored does not replace what was saved.
            assert saved(disk).values["x:motor:position"] == 12.5
        async with running(disk) as life:
            assert life.value("motor:position") == 12.5
        async with running(disk, cls=NarrowIoc) as life:
            await life.set("motor:position", 2.0)
        assert saved(disk).values["x:motor:position"] == 2.0

    asyncio.run(main())


def test_the_last_good_file_is_protected_after_a_partial_restore(disk: FakeDisk) -> None:
    good = disk.content(FILE)

    async def main() -> None:
        async with running(disk, cls=NarrowIoc) as life:
            life.helper.file_manager.max_files_per_day = 1
            for number in range(8):
                await life.set("motor:position", number / 10)
                await life.request()
                await life.clock.advance(5)
            assert good in [disk.content(path) for path in life.helper.file_manager.files]

    asyncio.run(main())


class Smaller(PVGroup):
    label = autosaved(pvproperty(value="nothing"))
    keeper = SubGroup(AutosaveHelper, prefix="as:")


def test_values_of_missing_pvs_are_carried_forward(disk: FakeDisk) -> None:
    async def main() -> None:
        async with running(disk, cls=Smaller) as life:
            assert life.value("as:RESTORE_STATUS") == "Ok"
            assert "3 missing" in str(life.value("as:RESTORE_MESSAGE"))
            assert life.helper.stats.carried == 3
        assert set(saved(disk).values) == {"x:label"}
        assert saved(disk).carried["x:motor:position"].value == 12.5
        since = saved(disk).carried["x:motor:position"].since
        async with running(disk, cls=Smaller) as life:
            await life.clock.advance(1000)
            await life.set("label", "changed")
        assert saved(disk).carried["x:motor:position"].since == since
        async with running(disk) as life:
            assert life.value("motor:position") == 12.5
            assert life.value("label") == "changed"
        assert saved(disk).carried == {}

    asyncio.run(main())


def test_values_of_missing_pvs_are_not_carried_for_ever(disk: FakeDisk) -> None:
    async def main() -> None:
        for days, carried in ((0, 3), (300, 3), (400, 0)):
            clock = VirtualClock()
            clock.now = days * DAY
            async with running(disk, clock, cls=Smaller) as life:
                assert life.helper.stats.carried == carried
        assert saved(disk).carried == {}

    asyncio.run(main())


class Nothing(PVGroup):
    plain = pvproperty(value=1)
    keeper = SubGroup(AutosaveHelper, prefix="as:")


def test_an_ioc_without_its_pvs_does_not_empty_the_file(
    disk: FakeDisk, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with running(disk, cls=Nothing):
            assert "no PV of Nothing is marked as autosaved" in caplog.text
        async with running(disk) as life:
            assert life.value("motor:position") == 12.5
        empty = FakeDisk()
        async with running(empty, cls=Nothing) as life:
            await life.request()
        assert empty.names == {}

    asyncio.run(main())


def test_a_file_of_caproto_is_taken_over() -> None:
    disk = FakeDisk()
    values = {"x:label": "from caproto", "x:mode": "On", "x:motor:position": 3}
    content = {name: {"value": value, "fields": {}} for name, value in values.items()}
    disk.put(FILE, json.dumps(content).encode())

    async def main() -> None:
        async with running(disk) as life:
            assert life.value("label") == "from caproto"
            assert life.value("mode") == "On"
            assert life.value("motor:position") == 3.0
            await life.clock.advance(1.5)
            assert saved(disk).serial == 1  # now with a checksum

    asyncio.run(main())


def test_a_file_of_caproto_is_written_anew_even_if_nothing_changes() -> None:
    disk = FakeDisk()
    disk.put(FILE, json.dumps({"x:label": {"value": "from caproto", "fields": {}}}).encode())

    async def main() -> None:
        async with running(disk, cls=Smaller) as life:
            await life.clock.advance(1.5)
            assert saved(disk).values == {"x:label": "from caproto"}
            assert saved(disk).serial == 1

    asyncio.run(main())


class Records(PVGroup):
    gain = autosaved(
        pvproperty(value=1.0, record="ao", doc="A gain"), fields=["description", "EGU"]
    )
    choice = autosaved(
        pvproperty(value=0, dtype=ChannelType.ENUM, enum_strings=("A", "B"), record="mbbo"),
        fields=["ZRST", "ONST"],
    )
    keeper = SubGroup(AutosaveHelper, prefix="as:")


def test_fields_of_records_come_back_and_what_depends_on_them() -> None:
    disk = FakeDisk()

    async def main() -> None:
        async with running(disk, cls=Records) as life:
            await life.ioc.gain.fields["DESC"].write("changed by an operator")
            await life.ioc.gain.fields["EGU"].write("V/A")
            await life.ioc.choice.fields["ONST"].write("Bright")
            await life.set("choice", "Bright")
        assert saved(disk).values["x:gain.DESC"] == "changed by an operator"
        async with running(disk, cls=Records) as life:
            assert life.ioc.gain.fields["DESC"].value == "changed by an operator"
            assert life.ioc.gain.units == "V/A"
            assert life.value("choice") == "Bright"
            assert life.helper.restore_report.complete

    asyncio.run(main())


def test_fields_in_a_file_of_caproto_have_python_names() -> None:
    disk = FakeDisk()
    content = {"x:gain": {"value": 2.5, "fields": {"description": "from caproto"}}}
    disk.put(FILE, json.dumps(content).encode())

    async def main() -> None:
        async with running(disk, cls=Records) as life:
            assert life.value("gain") == 2.5
            assert life.ioc.gain.fields["DESC"].value == "from caproto"
            assert life.helper.restore_report.missing == ()

    asyncio.run(main())


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_an_unusable_directory_ends_the_start(code: int) -> None:
    disk = FakeDisk()
    disk.before = failing(code, "create")

    async def main() -> None:
        life = Life(disk, VirtualClock())
        with pytest.raises(ConfigurationError, match=r"^autosave: .*/d: "):
            await life.restore()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/deep" * 60, r"/deep/.*\.{3}"), ("/d/\udce9t\udce9.json", r"/d/\?t\?.json")],
    ids=["longer than its PV", "not in UTF-8"],
)
def test_a_path_that_its_pv_cannot_show_keeps_no_value_back(
    disk: FakeDisk, path: str, shown: str
) -> None:
    disk.put(FILE, dumps(Snapshot({"x:label": "back"})))

    async def main() -> None:
        life = Life(disk, VirtualClock())
        life.helper.filename = Path(path)
        await life.restore()
        assert re.fullmatch(shown, life.value("as:FILE"))
        assert life.value("label") == "back"
        await life.start()
        await life.stop()

    asyncio.run(main())


def test_a_putter_that_refuses_its_restored_value_stops_nothing(
    disk: FakeDisk, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing(Motor):
        speed = autosaved(pvproperty(value=1), put_on_restore=True)

        @speed.putter
        async def speed(self, instance: ChannelData, value: int) -> None:
            raise RuntimeError("not now")

    class RefusingIoc(Ioc):
        motor = SubGroup(Refusing)

    async def main() -> None:
        async with running(disk, cls=RefusingIoc) as life:
            await life.set("label", "goes on")
            await life.clock.advance(1.5)
            assert saved(disk).values["x:label"] == "goes on"
            assert "the putter of x:motor:speed refused" in caplog.text

    asyncio.run(main())
