"""One save set: full disks, storage that hangs, values that cannot be saved; and its making."""

import asyncio
import errno
import logging
import os
from pathlib import Path

import pytest
from fake_disk import FakeDisk
from helper_life import FILE, Ioc, Life, failing, running, saved, used_disk
from storage_threads import Stall
from virtual_clock import VirtualClock

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager
from ioc_ops.autosave.fileformat import dumps
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.channel import AlarmSeverity
from ioc_ops.errors import ChannelError, DefinitionError


@pytest.fixture
def disk() -> FakeDisk:
    return used_disk()


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
