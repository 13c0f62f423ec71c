"""Several files for one IOC: which PVs go where, when each is saved, who wins."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_disk import FakeDisk
from virtual_clock import VirtualClock

from ioc_ops.autosave import AutosaveHelper, Method, RotatingFileManager, SaveSet, autosaved
from ioc_ops.autosave.fileformat import loads
from ioc_ops.autosave.save_set import save_sets_of
from ioc_ops.autosave.targets import find_targets
from ioc_ops.channel import ChannelData
from ioc_ops.errors import ChannelError, ConfigurationError, DefinitionError
from ioc_ops.server import PVGroup, PVSpec, SubGroup, pvproperty

SECONDS_OF_2001 = 1e9


class Ioc(PVGroup):
    label = autosaved(pvproperty(value="nothing"))
    position = autosaved(pvproperty(value=0.0), save_set="positions")
    shot = autosaved(pvproperty(value=0), save_set="shots")
    recipe = autosaved(pvproperty(value=0), save_set="recipes")
    both = autosaved(pvproperty(value=0), save_set=("", "positions"))
    fire = pvproperty(value=0)

    keeper = SubGroup(AutosaveHelper, prefix="as:")
    positions = SubGroup(SaveSet, period=5, method="periodic")
    shots = SubGroup(SaveSet, method="triggered", trigger="fire")
    recipes = SubGroup(SaveSet, method=Method.MANUAL)


class Life:
    """An IOC on a disk and with a clock of the test's; every save set runs its hooks."""

    def __init__(
        self,
        disk: FakeDisk,
        clock: VirtualClock,
        cls: type[PVGroup] = Ioc,
        *,
        positions_on: FakeDisk | None = None,
    ) -> None:
        self.disk = disk
        self.clock = clock
        self.ioc: Any = cls(prefix="x:")
        self.sets = {each.set_name: each for each in save_sets_of(self.ioc)}
        for name, each in self.sets.items():
            each.file_manager = RotatingFileManager(
                file(name),
                file_system=positions_on or disk if name == "positions" else disk,
                clock=lambda: SECONDS_OF_2001 + clock.now,
            )
            each.filename = each.file_manager.filename
        self._tasks: list[asyncio.Task[None]] = []

    async def restore(self) -> None:
        for each in self.sets.values():
            hook = each.autosave_hook
            await self.clock.until(hook.pvspec.restore(each, hook, self.clock))

    async def start(self) -> None:
        for each in self.sets.values():
            hook = each.autosave_hook
            self._tasks.append(asyncio.create_task(hook.pvspec.startup(each, hook, self.clock)))
        await asyncio.sleep(0)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for each in self.sets.values():
            hook = each.autosave_hook
            await self.clock.until(hook.pvspec.save(each, hook, self.clock))

    def value(self, name: str) -> object:
        return self.ioc.pvdb[f"x:{name}"].value

    async def set(self, name: str, value: object) -> None:
        await self.clock.until(self.ioc.pvdb[f"x:{name}"].write(value))

    def saved(self, name: str) -> dict[str, object]:
        if file(name) not in self.disk.names:
            return {}
        return dict(loads(self.disk.content(file(name))).values)


def file(name: str) -> Path:
    return Path("/d") / f"{name or 'main'}.json"


@asynccontextmanager
async def running(
    disk: FakeDisk,
    clock: VirtualClock,
    cls: type[PVGroup] = Ioc,
    *,
    positions_on: FakeDisk | None = None,
) -> AsyncIterator[Life]:
    life = Life(disk, clock, cls, positions_on=positions_on)
    await life.restore()
    await life.start()
    try:
        yield life
    finally:
        await life.stop()


@pytest.fixture
def disk() -> FakeDisk:
    return FakeDisk()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


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


# --- PVs that come and go -------------------------------------------------------------------------


class Dynamic(PVGroup):
    fixed = autosaved(pvproperty(value=0))
    keeper = SubGroup(AutosaveHelper, prefix="as:")
    late = SubGroup(SaveSet)


def test_pvs_added_at_run_time_get_their_values_and_are_saved(
    disk: FakeDisk, clock: VirtualClock
) -> None:
    spec = autosaved(pvproperty(value=1.0))

    async def main() -> None:
        async with running(disk, clock, Dynamic) as life:
            life.ioc.add_pv("extra", spec)
            assert life.sets[""].stats.pvs == 2
            await life.set("extra", 2.5)
            await life.set("as:SAVE", 1)
            assert life.saved("")["x:extra"] == 2.5

            life.ioc.remove_pv("extra")
            await life.set("as:SAVE", 1)
            assert "x:extra" not in life.saved("")
            assert loads(disk.content(file(""))).carried["x:extra"].value == 2.5
            # It comes back in the same run, before any hook of its own could look.
            assert life.ioc.add_pv("extra", spec).value == 2.5
            life.ioc.remove_pv("extra")
        async with running(disk, clock, Dynamic) as life:
            assert life.ioc.add_pv("extra", spec).value == 2.5
            await life.set("as:SAVE", 1)
            assert life.saved("")["x:extra"] == 2.5
            assert loads(disk.content(file(""))).carried == {}
            other = life.ioc.add_pv("other", autosaved(pvproperty(value=3), save_set="late"))
            assert other.value == 3
            await clock.advance(31)
            assert life.saved("late") == {"x:other": 3}

    asyncio.run(main())


def test_a_pv_that_goes_while_it_is_being_saved_is_not_saved_as_served(
    disk: FakeDisk, clock: VirtualClock
) -> None:
    async def main() -> None:
        async with running(disk, clock, Dynamic) as life:
            life.ioc.add_pv("extra", autosaved(pvproperty(value=1.0)))
            await life.set("extra", 7.0)
            saver = life.sets[""]._saver
            assert saver is not None
            list(saver.watch.take())  # taken, and not yet handed on
            life.ioc.remove_pv("extra")
            await life.set("as:SAVE", 1)
            snapshot = loads(disk.content(file("")))
            assert "x:extra" not in snapshot.values
            assert snapshot.carried["x:extra"].value == 7.0

    asyncio.run(main())


# --- tags and configuration -----------------------------------------------------------------------


def test_info_tags_name_the_fields_and_perhaps_the_value() -> None:
    class Tagged(PVGroup):
        with_value = autosaved(pvproperty(value=1.0, record="ao"), info="VAL PREC DESC$")
        without = autosaved(pvproperty(value=1.0, record="ao"), info="EGU")

    assert list(find_targets(Tagged(prefix="x:"))) == [
        *("x:with_value.PREC", "x:with_value.DESC", "x:with_value", "x:without.EGU")
    ]


@pytest.mark.parametrize(
    "options", [{"info": " "}, {"info": "VAL", "fields": ["EGU"]}, {"save_set": ()}]
)
def test_tags_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match=r"^autosaved\("):
        autosaved(pvproperty(value=1.0), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "sometimes"}, "'sometimes' is none of on change, periodic"),
        ({"method": "triggered"}, "go together"),
        ({"trigger": "fire"}, "go together"),
        ({"period": 0}, "period=0 is not above 0"),
    ],
)
def test_sets_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        SaveSet("x:", name="ioc.odd", **options)


class Misspelt(PVGroup):
    x = autosaved(pvproperty(value=0), save_set="postions")
    keeper = SubGroup(AutosaveHelper, prefix="as:")
    positions = SubGroup(SaveSet)


class NoHelper(PVGroup):
    x = autosaved(pvproperty(value=0))
    positions = SubGroup(SaveSet)


class Twins(PVGroup):
    one = SubGroup(AutosaveHelper)
    two = SubGroup(AutosaveHelper)


class NoTrigger(PVGroup):
    keeper = SubGroup(AutosaveHelper, method="triggered", trigger="fier")


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (Misspelt, "x:x: there is no save set 'postions', but 'positions'; add postions ="),
        (NoHelper, "nothing saves x:x: add autosave = SubGroup\\(AutosaveHelper\\)"),
        (Twins, "two save sets are called"),
        (NoTrigger, "trigger='fier': there is no PV of this name"),
    ],
)
def test_a_configuration_that_would_lose_values_ends_the_start(
    disk: FakeDisk, clock: VirtualClock, cls: type[PVGroup], message: str
) -> None:
    async def main() -> None:
        with pytest.raises(ConfigurationError, match=message):
            await Life(disk, clock, cls).restore()

    asyncio.run(main())


# --- request files --------------------------------------------------------------------------------


class Requested(PVGroup):
    gain = pvproperty(value=1.0, record="ao")
    offset = pvproperty(value=2.0)
    other = pvproperty(value=3.0)
    keeper = SubGroup(AutosaveHelper, prefix="as:")


def with_request(path: Path, **options: Any) -> type[PVGroup]:
    class Own(Requested):
        settings = SubGroup(SaveSet, request=path, **options)

    return Own


def test_a_request_file_names_pvs_and_fields(
    disk: FakeDisk, clock: VirtualClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "inner.req").write_text("$(P)$(N).VAL\n$(P)lost\n$(P)later\n")
    request = tmp_path / "settings.req"
    request.write_text("# what to save\n$(P)gain.EGU\n$(P)gain\nfile inner.req P=$(P),N=offset\n")
    cls = with_request(request)

    async def main() -> None:
        async with running(disk, clock, cls) as life:
            assert "inner.req:2: no PV x:lost here" in caplog.text
            await life.set("offset", 5.0)
            await life.ioc.gain.fields["EGU"].write("V")
            life.ioc.add_pv("later", PVSpec(value=7))
            await life.set("settings:SAVE", 1)
            assert life.saved("settings") == {
                **{"x:gain.EGU": "V", "x:gain": 1.0, "x:offset": 5.0, "x:later": 7}
            }
        async with running(disk, clock, cls) as life:
            assert life.value("offset") == 5.0
            assert life.ioc.gain.units == "V"
            assert life.value("other") == 3.0
            assert life.ioc.add_pv("later", PVSpec(value=0)).value == 7

    asyncio.run(main())


def test_a_requested_name_with_a_blank_is_told_with_the_whole_line(
    disk: FakeDisk, clock: VirtualClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    request = tmp_path / "settings.req"
    request.write_text("$(P)gain\n$(P)my  gain \n$(P)other  # R6-0 reads no further than this\n")

    async def main() -> None:
        async with running(disk, clock, with_request(request)) as life:
            said = "settings.req:2: no PV x:my (a name ends at a blank, 'gain' is not read) here"
            assert said in caplog.text
            assert "settings.req:3" not in caplog.text
            assert life.sets["settings"].stats.pvs == 2

    asyncio.run(main())


def test_a_request_file_with_a_fault_ends_the_start(
    disk: FakeDisk, clock: VirtualClock, tmp_path: Path
) -> None:
    async def refused(request: Path) -> str:
        life = Life(disk, clock, with_request(request))
        with pytest.raises(ConfigurationError) as error:
            await life.restore()
        await life.stop()
        return str(error.value)

    async def main() -> None:
        missing = await refused(tmp_path / "nothing.req")
        assert missing.startswith("autosave: no nothing.req in ")
        bad = tmp_path / "bad.req"
        bad.write_text("$(P)gain\nfile missing.req P=a\n")
        assert "bad.req, line 2: no missing.req" in await refused(bad)
        bad.write_text("$(Q)gain\n")
        assert "bad.req, line 1: " in await refused(bad)
        found = with_request(Path("bad.req"), request_macros={"Q": "x:"}, request_path=[tmp_path])
        async with running(disk, clock, found) as life:
            assert life.sets["settings"].stats.pvs == 1

    asyncio.run(main())
