"""Several files for one IOC: which PVs go where, when each is saved, who wins."""

import asyncio
import errno
import os

import pytest
from fake_disk import FakeDisk
from sets_life import Life, running
from virtual_clock import VirtualClock

from ioc_ops.autosave import AutosaveHelper, SaveSet, autosaved
from ioc_ops.channel import ChannelData
from ioc_ops.errors import ChannelError
from ioc_ops.server import PVGroup, SubGroup, pvproperty

# --- when ---------------------------------------------------------------------------------------


def test_each_set_has_its_pvs_its_file_and_its_method(disk: FakeDisk, clock: VirtualClock) -> None:
    async def main() -> None:
        async with running(disk, clock) as life:
            await life.set("label", "new")
            await life.set("position", 1.5)
            await life.set("shot", 7)
            await life.set("recipe", 9)
            await clock.advance(2)
            assert life.saved("") == {"x:label": "new", "x:both": 0}
            assert life.saved("positions") == {}  # not before its period is over
            await clock.advance(4)
            assert life.saved("positions") == {"x:position": 1.5, "x:both": 0}
            await clock.advance(31)
            assert life.saved("shots") == {}
            await life.set("fire", 1)
            await clock.advance(0.5)
            assert life.saved("shots") == {"x:shot": 7}
            await clock.advance(40)
            assert life.saved("recipes") == {}
            await life.set("recipes:SAVE", 1)
            assert life.saved("recipes") == {"x:recipe": 9}

    asyncio.run(main())


def test_every_trigger_saves_and_none_is_lost(disk: FakeDisk, clock: VirtualClock) -> None:
    async def main() -> None:
        async with running(disk, clock) as life:
            for number in range(1, 4):
                await life.set("shot", number)
                await life.set("fire", number)
                await clock.advance(0.5)
                assert life.saved("shots") == {"x:shot": number}
            await life.set("shot", 99)

    asyncio.run(main())
    life = Life(disk, clock)
    assert life.saved("shots") == {"x:shot": 3}  # an orderly stop is no trigger
    assert not life.ioc.fire.feeds


def test_the_request_of_the_helper_saves_what_is_saved_by_itself(
    disk: FakeDisk, clock: VirtualClock
) -> None:
    async def main() -> None:
        async with running(disk, clock) as life:
            for name, value in (("label", "a"), ("position", 2.0), ("shot", 1), ("recipe", 1)):
                await life.set(name, value)
            await life.set("as:SAVE", 1)
            assert life.saved("")["x:label"] == "a"
            assert life.saved("positions")["x:position"] == 2.0
            assert life.saved("shots") == life.saved("recipes") == {}

    asyncio.run(main())


def test_the_request_of_the_helper_fails_if_any_set_does(
    disk: FakeDisk, clock: VirtualClock
) -> None:
    full = FakeDisk()

    def failing(number: int, operation: str) -> None:
        if operation == "write":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def main() -> None:
        async with running(disk, clock, positions_on=full) as life:
            await life.set("label", "a")
            await life.set("position", 2.0)
            full.before = failing
            with pytest.raises(ChannelError, match=r"as:SAVE: not saved: .*No space left"):
                await life.set("as:SAVE", 1)
            assert life.saved("")["x:label"] == "a"  # the other is on disk
            full.before = lambda number, name: None

    asyncio.run(main())


def test_a_trigger_that_goes_and_comes_back_saves_again(
    disk: FakeDisk, clock: VirtualClock
) -> None:
    async def main() -> None:
        async with running(disk, clock) as life:
            gone = life.ioc.fire
            life.ioc.remove_pv("fire")
            life.ioc.add_pv("fire", pvproperty(value=0))
            await life.set("shot", 3)
            await life.set("fire", 1)
            await clock.advance(0.5)
            assert life.saved("shots") == {"x:shot": 3}
            assert gone is not life.ioc.pvdb["x:fire"]

    asyncio.run(main())


def test_how_long_changes_may_wait_goes_by_the_period(disk: FakeDisk, clock: VirtualClock) -> None:
    async def main() -> None:
        async with running(disk, clock) as life:
            assert life.sets["positions"].stats.overdue == 2 * 5 + 10

    asyncio.run(main())


def test_what_is_saved_on_request_alone_is_never_late(disk: FakeDisk, clock: VirtualClock) -> None:
    def full(number: int, operation: str) -> None:
        if operation == "write":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def main() -> None:
        async with running(disk, clock) as life:
            await life.set("recipe", 3)
            disk.before = full
            with pytest.raises(ChannelError, match="No space left"):
                await life.set("recipes:SAVE", 1)
            disk.before = lambda number, name: None
            assert life.value("recipes:STATUS") == "Failure"
            assert life.sets["recipes"].stats.unsaved_since == 0
            await life.set("recipes:SAVE", 1)
            assert life.saved("recipes") == {"x:recipe": 3}

    asyncio.run(main())


# --- restoring ----------------------------------------------------------------------------------


def test_all_sets_come_back(disk: FakeDisk, clock: VirtualClock) -> None:
    async def main() -> None:
        async with running(disk, clock) as life:
            for name, value in (("label", "a"), ("position", 2.0), ("shot", 3), ("recipe", 4)):
                await life.set(name, value)
            await life.set("fire", 1)
            await life.set("recipes:SAVE", 1)
            await clock.advance(0.5)
        async with running(disk, clock) as life:
            assert [life.value(n) for n in ("label", "position", "shot", "recipe")] == [
                *("a", 2.0, 3, 4)
            ]

    asyncio.run(main())


class TwiceSaved(PVGroup):
    x = autosaved(pvproperty(value=0), save_set=("", "manual"))
    keeper = SubGroup(AutosaveHelper, prefix="as:")
    manual = SubGroup(SaveSet, method="manual")


class TwiceSavedManualFirst(PVGroup):
    x = autosaved(pvproperty(value=0), save_set=("", "manual"))
    manual = SubGroup(SaveSet, method="manual")
    keeper = SubGroup(AutosaveHelper, prefix="as:")


@pytest.mark.parametrize("cls", [TwiceSaved, TwiceSavedManualFirst])
def test_of_two_sets_the_value_that_was_saved_last_counts(
    disk: FakeDisk, clock: VirtualClock, cls: type[PVGroup]
) -> None:
    async def main() -> None:
        async with running(disk, clock, cls) as life:
            await life.set("x", 1)
            await life.set("manual:SAVE", 1)
            await clock.advance(31)
            await life.set("x", 2)
            await clock.advance(31)
        async with running(disk, clock, cls) as life:
            assert life.value("x") == 2
            await clock.advance(31)
            await life.set("manual:SAVE", 1)
            assert life.saved("manual") == {"x:x": 2}

    asyncio.run(main())


class Before(PVGroup):
    moved = autosaved(pvproperty(value=1.0))
    stays = autosaved(pvproperty(value=1.0))
    keeper = SubGroup(AutosaveHelper, prefix="as:")


class After(PVGroup):
    moved = autosaved(pvproperty(value=1.0), save_set="new")
    stays = autosaved(pvproperty(value=1.0))
    keeper = SubGroup(AutosaveHelper, prefix="as:")
    new = SubGroup(SaveSet)


class AfterNewFirst(PVGroup):
    new = SubGroup(SaveSet)
    keeper = SubGroup(AutosaveHelper, prefix="as:")
    moved = autosaved(pvproperty(value=1.0), save_set="new")
    stays = autosaved(pvproperty(value=1.0))


@pytest.mark.parametrize("cls", [After, AfterNewFirst])
def test_a_pv_that_is_given_to_another_set_keeps_its_value(
    disk: FakeDisk, clock: VirtualClock, cls: type[PVGroup]
) -> None:
    async def main() -> None:
        async with running(disk, clock, Before) as life:
            await life.set("moved", 5.0)
        async with running(disk, clock, cls) as life:
            assert life.value("moved") == 5.0
            await clock.advance(31)
            assert life.saved("new") == {"x:moved": 5.0}
        async with running(disk, clock, cls) as life:
            assert life.value("moved") == 5.0

    asyncio.run(main())


# --- restoring at run time ------------------------------------------------------------------------


class Careful(PVGroup):
    x = autosaved(pvproperty(value=0))
    guarded = autosaved(pvproperty(value=0))
    keeper = SubGroup(AutosaveHelper, prefix="as:")
    put: list[tuple[str, object]] = []

    @x.putter
    async def x(self, instance: ChannelData, value: int) -> None:
        self.put.append((instance.name, value))

    @guarded.putter
    async def guarded(self, instance: ChannelData, value: int) -> None:
        if value == 3:
            raise RuntimeError("interlock is open")


def test_an_operator_takes_values_back_through_the_putters(
    disk: FakeDisk, clock: VirtualClock
) -> None:
    async def main() -> None:
        async with running(disk, clock, Careful) as life:
            for number in (1, 2):
                await life.set("x", number)
                await life.set("as:SAVE", 1)
                await clock.advance(10)
            older = next(iter(life.sets[""].file_manager.files)).name
            life.ioc.put.clear()
            await life.set("x", 50)
            await life.set("as:RESTORE", 1)
            assert life.value("x") == 2
            assert life.ioc.put == [("x:x", 50), ("x:x", 2)]
            assert life.value("as:RESTORE") == "Idle"
            assert life.value("as:RESTORE_STATUS") == "Ok"

            await life.set("as:RESTORE_FILE", older)
            await life.set("as:RESTORE", 1)
            assert life.value("x") == 1
            assert life.value("as:RESTORE_MESSAGE") == f"2 PVs restored from {older}"

            await life.set("as:RESTORE_FILE", "main.json")
            await life.set("as:RESTORE", 1)
            assert life.value("x") == 2

    asyncio.run(main())


def test_what_cannot_be_restored_at_run_time_is_said(
    disk: FakeDisk, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with running(disk, clock, Careful) as life:
            with pytest.raises(ChannelError, match="there is no save file"):
                await life.set("as:RESTORE", 1)
            assert life.value("as:RESTORE_STATUS") == "Failure"
            assert "there is no save file" in str(life.value("as:RESTORE_MESSAGE"))
            assert "x:as:RESTORE: not restored: there is no save file" in caplog.text
            for name in ("../secret", "a/b", "/etc/passwd"):
                with pytest.raises(ChannelError, match="give the name of a file alone"):
                    await life.set("as:RESTORE_FILE", name)
            await life.set("as:SAVE", 1)
            for name in ("nothing.json", "shots.json"):
                await life.set("as:RESTORE_FILE", name)
                with pytest.raises(ChannelError, match=f"{name} is no generation of /d/main.json"):
                    await life.set("as:RESTORE", 1)

            life.ioc.guarded.restore(3)
            await life.set("x", 4)
            await life.set("as:SAVE", 1)
            await life.set("x", 5)
            await life.set("as:RESTORE_FILE", "")
            await life.set("as:RESTORE", 1)
            assert life.value("x") == 4  # what one PV refuses costs it alone
            assert life.value("as:RESTORE_STATUS") == "Warning"
            assert "x:guarded: interlock is open" in str(life.value("as:RESTORE_MESSAGE"))
            report = str(life.value("as:RESTORE_REPORT")).splitlines()
            assert "x:guarded not restored: interlock is open" in report
            assert "x:x restored" in report

    asyncio.run(main())
