"""The helper in a group, driven through its life by hand: hooks, time, and a disk in memory."""

import asyncio
import errno
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_disk import FakeDisk
from storage_threads import Stall
from virtual_clock import VirtualClock

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager, autosaved
from ioc_ops.autosave.fileformat import dumps, loads
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.values import EnumValue
from ioc_ops.autosave.watch import Watch
from ioc_ops.channel import AlarmSeverity, ChannelData, ChannelType
from ioc_ops.errors import AutosaveError, ChannelError, ConfigurationError, DefinitionError
from ioc_ops.server import PVGroup, SubGroup, pvproperty

FILE = Path("/d/my.json")
DAY = 86400.0


class Motor(PVGroup):
    """A group whose putters tell that they ran."""

    position = autosaved(pvproperty(value=0.0, upper_ctrl_limit=100.0, lower_ctrl_limit=-100.0))
    speed = autosaved(pvproperty(value=1), put_on_restore=True)
    plain = pvproperty(value=5)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.put: list[tuple[str, object]] = []

    @position.putter
    async def position(self, instance: ChannelData, value: float) -> None:
        self.put.append((instance.name, value))

    @speed.putter
    async def speed(self, instance: ChannelData, value: int) -> None:
        self.put.append((instance.name, value))


class Ioc(PVGroup):
    label = autosaved(pvproperty(value="nothing"))
    mode = autosaved(pvproperty(value=False))
    motor = SubGroup(Motor)
    keeper = SubGroup(AutosaveHelper, prefix="as:")


class Life:
    """An IOC from restore to its end, on a disk and with a clock of the test's."""

    def __init__(self, disk: FakeDisk, clock: VirtualClock, cls: type[PVGroup] = Ioc) -> None:
        self.disk = disk
        self.clock = clock
        self.ioc: Any = cls(prefix="x:")
        self.helper: AutosaveHelper = self.ioc.keeper
        self.helper.file_manager = RotatingFileManager(
            FILE, file_system=disk, clock=lambda: 1e9 + clock.now
        )
        self.helper.filename = FILE
        self._loop: asyncio.Task[None] | None = None

    def _hook(self, kind: str) -> Any:
        channel = self.helper.autosave_hook
        return getattr(channel.pvspec, kind)(self.helper, channel, self.clock)

    async def restore(self) -> None:
        await self.clock.until(self._hook("restore"))

    async def start(self) -> None:
        self._loop = asyncio.create_task(self._hook("startup"))
        await asyncio.sleep(0)

    async def stop(self) -> None:
        await self.kill()
        await self.clock.until(self._hook("save"))

    async def kill(self) -> None:
        """The loop ends in the middle of what it does."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None

    def value(self, name: str) -> object:
        return self.ioc.pvdb[f"x:{name}"].value

    def severity(self, name: str) -> AlarmSeverity:
        severity: AlarmSeverity = self.ioc.pvdb[f"x:{name}"].severity
        return severity

    async def set(self, name: str, value: object) -> None:
        await self.ioc.pvdb[f"x:{name}"].write(value)

    async def request(self, value: object = 1) -> None:
        await self.clock.until(self.ioc.keeper.save_request.write(value))


@asynccontextmanager
async def running(
    disk: FakeDisk, clock: VirtualClock | None = None, cls: type[PVGroup] = Ioc
) -> AsyncIterator[Life]:
    """From restore to an orderly stop."""
    life = Life(disk, clock or VirtualClock(), cls)
    await life.restore()
    await life.start()
    try:
        yield life
    finally:
        disk.before = lambda number, name: None
        await life.stop()


def saved(disk: FakeDisk) -> Snapshot:
    return loads(disk.content(FILE))


def file_of(disk: FakeDisk) -> int:
    """Tells whether the file has been written anew."""
    return disk.names[FILE]


def with_values(**values: object) -> FakeDisk:
    """A disk with what an IOC has saved in an orderly way."""
    disk = FakeDisk()

    async def main() -> None:
        async with running(disk) as life:
            for name, value in values.items():
                await life.set(name.replace("_", ":"), value)

    asyncio.run(main())
    return disk.after_kill()


@pytest.fixture
def disk() -> FakeDisk:
    return with_values(label="Strahl \u00e9", mode="On", motor_position=12.5, motor_speed=7)


@pytest.fixture
def stall(disk: FakeDisk) -> Iterator[Stall]:
    stall = Stall(disk)
    yield stall
    stall.end()


def failing(code: int, operation: str) -> Callable[[int, str], None]:
    def before(number: int, name: str) -> None:
        if name == operation:
            raise OSError(code, os.strerror(code))

    return before


# --- restore ------------------------------------------------------------------------------------


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


# --- when saves happen --------------------------------------------------------------------------


def test_a_first_change_is_on_disk_within_about_a_second(disk: FakeDisk) -> None:
    async def main() -> None:
        async with running(disk) as life:
            await life.clock.advance(100)
            await life.set("label", "new")
            await life.clock.advance(0.5)
            await life.set("motor:position", 1.0)  # the second of a burst goes with it
            await life.clock.advance(0.6)
            assert saved(disk).values["x:label"] == "new"
            assert saved(disk).values["x:motor:position"] == 1.0
            assert life.helper.stats.saves == 1

    asyncio.run(main())


def test_while_changes_go_on_there_is_one_save_a_period(disk: FakeDisk) -> None:
    async def main() -> None:
        async with running(disk) as life:
            for number in range(1, 1201):  # 120 s, a change every 0.1 s
                await life.set("motor:position", number / 100)
                await life.clock.advance(0.1)
            assert life.helper.stats.saves in (4, 5)
        assert saved(disk).values["x:motor:position"] == 12.0  # the last one, at the stop

    asyncio.run(main())


def test_a_short_period_is_kept_too(disk: FakeDisk) -> None:
    class Quick(PVGroup):
        label = autosaved(pvproperty(value="nothing"))
        keeper = SubGroup(AutosaveHelper, prefix="as:", period=0.2)

    async def main() -> None:
        async with running(disk, cls=Quick) as life:
            await life.clock.advance(1)
            saves = life.helper.stats.saves
            await life.set("label", "new")
            await life.clock.advance(0.25)
            assert saved(disk).values["x:label"] == "new"
            assert life.helper.stats.saves == saves + 1

    asyncio.run(main())


def test_unchanged_state_writes_no_file(disk: FakeDisk) -> None:
    async def main() -> None:
        before, names = file_of(disk), set(disk.names)
        async with running(disk) as life:
            await life.clock.advance(200)
            await life.request()
            await life.set("plain" if "x:plain" in life.ioc.pvdb else "motor:plain", 9)
            await life.set("label", "Strahl \u00e9")  # the value that it has
            await life.clock.advance(200)
            await life.request()
            assert life.helper.stats.saves == 0
            assert life.helper.stats.unsaved_since == 0
        assert file_of(disk) == before
        assert set(disk.names) == names

    asyncio.run(main())


def test_at_rest_no_pv_is_looked_at_but_once_a_minute(
    disk: FakeDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []
    look = Watch.look

    async def main() -> None:
        async with running(disk) as life:
            await life.clock.advance(100)
            monkeypatch.setattr(
                Watch, "look", lambda watch: looks.append(life.clock.now) or look(watch)
            )
            await life.clock.advance(600)

    asyncio.run(main())
    assert 9 <= len(looks) <= 10


def test_a_change_that_is_not_published_is_saved_within_about_a_minute(disk: FakeDisk) -> None:
    async def main() -> None:
        async with running(disk) as life:
            await life.clock.advance(100)
            await life.ioc.mode.write_metadata(publish=False, enum_strings=["Off", "Busy"])
            await life.clock.advance(62)
            assert saved(disk).values["x:mode"] == EnumValue(1, "Busy")

    asyncio.run(main())


def test_the_same_time_and_another_value_is_a_change(disk: FakeDisk) -> None:
    async def main() -> None:
        async with running(disk) as life:
            pv = life.ioc.motor.position
            await pv.write(5.0, timestamp=1_000_000.0)
            await life.clock.advance(40)
            await pv.write(6.0, timestamp=1_000_000.0)
            await life.clock.advance(40)
            assert saved(disk).values["x:motor:position"] == 6.0

    asyncio.run(main())


def test_a_request_completes_when_the_value_is_on_disk(disk: FakeDisk) -> None:
    async def main() -> None:
        async with running(disk) as life:
            await life.set("label", "now")
            await life.request()
            assert loads(disk.after_kill().content(FILE)).values["x:label"] == "now"
            assert life.value("as:SAVE") == "Idle"
            assert life.value("as:SAVES") == 1
            assert life.value("as:PVS") == 4
            assert life.value("as:TIME")
            await life.set("label", "later")
            await life.request(0)  # writing "Idle" asks for nothing
            assert life.helper.stats.saves == 1

    asyncio.run(main())


def test_requests_at_the_same_time_all_complete(disk: FakeDisk) -> None:
    async def main() -> None:
        async with running(disk) as life:

            async def one(number: int) -> None:
                await life.set("motor:position", float(number))
                await life.helper.save()
                assert saved(disk).values["x:motor:position"] >= number  # type: ignore[operator]

            await life.clock.until(asyncio.gather(*(one(number) for number in range(1, 6))))

    asyncio.run(main())


def test_a_file_that_somebody_removed_is_written_on_request(disk: FakeDisk) -> None:
    async def main() -> None:
        async with running(disk) as life:
            disk.names.pop(FILE)
            await life.request()
            assert saved(disk).values["x:label"] == "Strahl \u00e9"

    asyncio.run(main())


def test_the_orderly_stop_saves(disk: FakeDisk) -> None:
    async def main() -> None:
        async with running(disk) as life:
            await life.set("label", "last words")
        assert saved(disk).values["x:label"] == "last words"

    asyncio.run(main())


def test_a_loop_that_is_cancelled_half_way_loses_no_value(disk: FakeDisk) -> None:
    """Whatever await the stop hits, the last save has everything."""

    async def main(turns: int) -> None:
        ours = disk.after_kill()
        async with running(ours) as life:
            await life.set("label", "precious")
            save = asyncio.create_task(life.helper.save())
            for _ in range(turns):
                await asyncio.sleep(0)
            save.cancel()
            await asyncio.gather(save, return_exceptions=True)
        assert saved(ours).values["x:label"] == "precious"

    for turns in range(12):
        asyncio.run(main(turns))


def test_before_the_start_there_is_nothing_to_save() -> None:
    helper = AutosaveHelper("x:")
    with pytest.raises(AutosaveError, match="does not run"):
        asyncio.run(helper.save())


# --- trouble ------------------------------------------------------------------------------------


def test_a_full_disk_is_an_alarm_until_there_is_room(
    disk: FakeDisk, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        before = disk.content(FILE)
        async with running(disk) as life:
            disk.before = failing(errno.ENOSPC, "write")
            await life.set("label", "new")
            await life.clock.advance(2)
            assert life.value("as:STATUS") == "Failure"
            assert life.severity("as:STATUS") == AlarmSeverity.MAJOR_ALARM
            assert "No space left on device" in str(life.value("as:MESSAGE"))
            assert life.value("as:FAILURES") == life.helper.stats.failures == 1
            assert life.helper.stats.unsaved_since > 0
            assert "not saved: cannot write to /d: No space left on device" in caplog.text
            with pytest.raises(ChannelError, match="x:as:SAVE: not saved: cannot write to /d"):
                await life.request()
            assert life.helper.stats.failures_by_kind == {"ENOSPC": 2}
            assert disk.content(FILE) == before

            disk.before = lambda number, name: None
            await life.clock.advance(35)  # tried again by itself, although nothing has changed
            assert saved(disk).values["x:label"] == "new"
            assert life.value("as:STATUS") == "Ok"
            assert life.severity("as:STATUS") == AlarmSeverity.NO_ALARM
            assert life.value("as:MESSAGE") == ""
            assert life.helper.stats.unsaved_since == 0

    asyncio.run(main())


def test_a_request_that_failed_is_made_good_by_itself(disk: FakeDisk) -> None:
    async def main() -> None:
        async with running(disk) as life:
            await life.clock.advance(40)
            disk.before = failing(errno.ENOSPC, "write")
            await life.set("label", "new")
            with pytest.raises(ChannelError):
                await life.request()
            disk.before = lambda number, name: None
            await life.clock.advance(5)
            assert saved(disk).values["x:label"] == "new"

    asyncio.run(main())


def test_pvs_that_the_late_file_does_not_know_are_saved(disk: FakeDisk, stall: Stall) -> None:
    async def main() -> None:
        disk.put(FILE, dumps(Snapshot({"x:label": "old"}, serial=5)))
        stall.begin()
        life = Life(disk, VirtualClock())
        await life.restore()
        await life.start()
        stall.end()
        await life.clock.advance(60)
        await life.stop()
        values = saved(disk).values
        assert values["x:label"] == "old"
        assert values["x:motor:position"] == 0.0

    asyncio.run(main())


def test_hung_storage_delays_the_start_by_the_timeout_only(
    disk: FakeDisk, stall: Stall, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        stall.begin()
        life = Life(disk, VirtualClock())
        await life.restore()
        assert life.clock.now == pytest.approx(10, abs=0.1)
        assert life.value("label") == "nothing"
        assert life.value("as:RESTORE_STATUS") == "Failure"
        assert life.severity("as:RESTORE_STATUS") == AlarmSeverity.MAJOR_ALARM
        assert "not answered for 10 s" in str(life.value("as:RESTORE_MESSAGE"))
        assert life.helper.stats.hung
        assert life.helper.stats.restore_failures == 4

        await life.start()
        await life.set("motor:position", 1.0)
        await life.clock.advance(60)
        assert life.value("as:STATUS") == "Failure"

        # The storage is back: what nobody has written keeps its value for the next start.
        stall.end()
        await life.clock.advance(60)
        assert not life.helper.stats.hung
        assert life.value("as:STATUS") == "Ok"
        assert "storage answers again" in caplog.text
        await life.stop()
        assert saved(disk).values["x:label"] == "Strahl \u00e9"
        assert saved(disk).values["x:motor:position"] == 1.0
        async with running(disk) as next_life:
            assert next_life.value("label") == "Strahl \u00e9"
            assert next_life.value("motor:position") == 1.0

    asyncio.run(main())


def test_hung_storage_fails_saves_and_gets_every_value_afterwards(
    disk: FakeDisk, stall: Stall
) -> None:
    async def main() -> None:
        async with running(disk) as life:
            stall.begin()
            await life.set("label", "first")
            began = life.clock.now
            with pytest.raises(ChannelError, match="not answered for 10 s"):
                await life.request()
            assert life.clock.now - began == pytest.approx(10, abs=0.2)
            assert life.helper.stats.hung
            await life.set("label", "second")
            with pytest.raises(ChannelError, match="not answered for 10 s"):
                await life.request()
            assert life.severity("as:STATUS") == AlarmSeverity.MAJOR_ALARM
            assert life.helper.stats.failures_by_kind["timeout"] >= 2
            assert life.helper.stats.unsaved_since > 0

            stall.end()
            await life.clock.advance(40)
            assert saved(disk).values["x:label"] == "second"
            assert not life.helper.stats.hung
            assert life.value("as:STATUS") == "Ok"

    asyncio.run(main())


def test_hung_storage_does_not_delay_the_stop(
    disk: FakeDisk, stall: Stall, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        life = Life(disk, VirtualClock())
        await life.restore()
        await life.start()
        await life.set("label", "too late")
        stall.begin()
        began = life.clock.now
        await life.stop()
        assert life.clock.now - began == pytest.approx(0.9, abs=0.1)
        assert "the last changes are not in /d/my.json" in caplog.text

    asyncio.run(main())


def test_a_value_that_cannot_be_saved_costs_itself_alone(disk: FakeDisk) -> None:
    async def main() -> None:
        async with running(disk) as life:
            life.ioc.label._value = object()  # as a PV class of a user's could have it
            await life.set("motor:position", 3.0)
            await life.request()
            assert saved(disk).values["x:motor:position"] == 3.0
            assert saved(disk).values["x:label"] == "Strahl \u00e9"
            assert life.value("as:STATUS") == "Warning"
            assert life.severity("as:STATUS") == AlarmSeverity.MINOR_ALARM
            assert "x:label" in str(life.value("as:MESSAGE"))
            await life.set("label", "good again")
            await life.request()
            assert life.value("as:STATUS") == "Ok"

    asyncio.run(main())


# --- construction -------------------------------------------------------------------------------


def test_arguments_and_attributes_of_caproto() -> None:
    class Custom(AutosaveHelper):
        filename = "custom.json"
        period = 5

    helper = Custom("x:")
    assert (helper.filename, helper.period) == (Path("custom.json"), 5)
    manager = RotatingFileManager("other.json")
    helper = Custom(prefix="x:", macros={}, file_manager=manager)
    assert helper.file_manager is manager
    assert helper.filename == Path("other.json")
    assert AutosaveHelper.filename == "autosave.json"
    assert AutosaveHelper.period == 30
    assert "x::__autosave_hook__" in helper.pvdb


@pytest.mark.parametrize("period", [0, -1, float("nan")])
def test_a_period_that_makes_no_sense(period: float) -> None:
    with pytest.raises(DefinitionError, match="period"):
        AutosaveHelper("x:", period=period)


def test_making_a_helper_touches_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    Ioc(prefix="x:")
    assert os.listdir(tmp_path) == []
