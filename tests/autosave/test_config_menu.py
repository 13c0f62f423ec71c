"""A menu of configurations in a group, driven by hand: time, and a disk in memory."""

import asyncio
import errno
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_disk import FakeDisk
from virtual_clock import VirtualClock

from ioc_ops.autosave import ConfigMenu, autosaved
from ioc_ops.channel import AlarmSeverity, ChannelData, ChannelType
from ioc_ops.errors import AutosaveError, ChannelError, ConfigurationError, DefinitionError
from ioc_ops.server import PVGroup, SubGroup, get_pv_pair_wrapper, pvproperty

pair = get_pv_pair_wrapper(setpoint_suffix="", readback_suffix="_RBV")


class Ioc(PVGroup):
    """PVs whose putters tell that they ran, refuse, change what is written, or hang."""

    first = autosaved(pvproperty(value=1.0, record="ao"))
    second = autosaved(pvproperty(value=2, upper_ctrl_limit=100, lower_ctrl_limit=0))
    mode = autosaved(
        pvproperty(value="A", dtype=ChannelType.ENUM, enum_strings=("A", "B", "C"), record="mbbo")
    )
    curve = autosaved(pvproperty(value=[1.0, 2.0], max_length=5))
    text = autosaved(pvproperty(value="some text"))
    pair = autosaved(pair(name="pair", value=1))
    measured = pvproperty(value=5.0)
    starts = autosaved(pvproperty(value=3, read_only=True))

    configs = SubGroup(ConfigMenu, prefix="", config="scan", directory="/d")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.put: list[tuple[str, object]] = []
        self.does: dict[str, Callable[[Any], Any]] = {}

    async def group_write(self, instance: ChannelData, value: Any) -> Any:
        name = instance.name.removeprefix("x:")
        self.put.append((name, value))
        answer = self.does.get(name, lambda value: value)(value)
        return await answer if asyncio.iscoroutine(answer) else answer


class Life:
    """An IOC that has started."""

    def __init__(self, disk: FakeDisk, cls: type[PVGroup] = Ioc) -> None:
        self.disk = disk
        self.clock = VirtualClock()
        self.ioc: Any = cls(prefix="x:")
        self.configs: ConfigMenu = self.ioc.configs
        self.configs._files._fs = disk
        self.configs._files._clock = lambda: 1e9 + self.clock.now

    def _hook(self, kind: str) -> Any:
        channel = self.configs.status
        return getattr(channel.pvspec, kind)(self.configs, channel, self.clock)

    async def start(self) -> None:
        await self.clock.until(self._hook("restore"))

    async def stop(self) -> None:
        await self._hook("save")

    def value(self, name: str) -> Any:
        return self.ioc.pvdb[f"x:{name}"].value

    def severity(self, name: str) -> AlarmSeverity:
        severity: AlarmSeverity = self.ioc.pvdb[f"x:{name}"].severity
        return severity

    async def set(self, name: str, value: object) -> None:
        await self.clock.until(self.ioc.pvdb[f"x:{name}"].write(value))

    async def press(self, name: str) -> None:
        await self.clock.until(self.ioc.pvdb[f"x:{name}"].fields["PROC"].write(1))

    @property
    def message(self) -> str:
        return str(self.value("scanMenu:Message"))

    def ended(self) -> tuple[object, AlarmSeverity, object]:
        return self.value("scanMenu:status"), self.severity("scanMenu:status"), self.busy

    @property
    def busy(self) -> object:
        return self.value("scanMenu:busy")


WELL = ("Success", AlarmSeverity.NO_ALARM, "Done")
ODD = ("Success", AlarmSeverity.MINOR_ALARM, "Done")
FAILED = ("Failure", AlarmSeverity.MAJOR_ALARM, "Done")


@asynccontextmanager
async def running(disk: FakeDisk, cls: type[PVGroup] = Ioc) -> AsyncIterator[Life]:
    life = Life(disk, cls)
    await life.start()
    try:
        yield life
    finally:
        disk.before = lambda number, name: None
        await life.stop()


def lines(disk: FakeDisk, name: str) -> dict[str, str]:
    content = disk.content(f"/d/scan_{name}.cfg").decode()
    pairs = [line.partition(" ")[::2] for line in content.splitlines()]
    return {pv: value for pv, value in pairs if pv.startswith("x:") or pv.startswith("#x:")}


# --- saving and loading -------------------------------------------------------------------------


def test_what_is_saved_comes_back_through_the_putters_in_order() -> None:
    async def main() -> None:
        disk = FakeDisk()
        async with running(disk) as life:
            await life.set("first", 0.1 + 0.2)
            await life.set("mode", "C")
            await life.set("curve", [0.5])
            await life.set("scanMenu:SaveAs", "a")
            assert life.ended() == WELL
            assert life.message == "saved a: 8 PVs"
            assert lines(disk, "a") == {
                "x:scanMenu:currName": "a",
                "x:scanMenu:currDesc": "",
                "x:first.DESC": "",
                "x:first": "0.30000000000000004",
                "x:second": "2",
                "x:mode.DESC": "",
                "x:mode": "2",
                "x:curve": '@array@ { "0.5" }',
                "x:text": "some text",
                "x:pair": "1",
            }
            for name, value in {"first": 7, "mode": "A", "curve": [1, 2, 3], "pair": 9}.items():
                await life.set(name, value)
            life.ioc.put.clear()
            await life.set("scanMenu:Load", "a")
            assert life.ended() == WELL
            assert [name for name, _ in life.ioc.put] == [
                "first",
                "second",
                "mode",
                "curve",
                "text",
            ]
            assert life.value("first") == 0.1 + 0.2
            assert life.value("mode") == "C"
            assert list(life.value("curve")) == [0.5]
            assert life.value("pair_RBV") == 1  # the putter of the pair
            assert life.value("scanMenu:currName") == "a"

    asyncio.run(main())


def test_a_getter_is_asked_afresh() -> None:
    class Device(PVGroup):
        knob = autosaved(pvproperty(value=1))
        configs = SubGroup(ConfigMenu, prefix="", config="scan", directory="/d")
        turned = 1

        @knob.getter
        async def knob(self, instance: ChannelData) -> int:
            if self.turned < 0:
                raise OSError("no answer")
            return self.turned

    async def main() -> None:
        disk = FakeDisk()
        async with running(disk, Device) as life:
            life.ioc.turned = 42  # nobody has read it since
            await life.set("scanMenu:SaveAs", "a")
            assert lines(disk, "a")["x:knob"] == "42"
            life.ioc.turned = -1
            with pytest.raises(ChannelError, match="not saved: x:knob: OSError: no answer"):
                await life.set("scanMenu:SaveAs", "a")
            assert life.ended() == FAILED
            assert lines(disk, "a")["x:knob"] == "42"
            # The device keeps what it is told not: reading back shows it.
            life.ioc.turned = 7
            with pytest.raises(ChannelError, match="1 of 1 differ: x:knob: is 7, not 42"):
                await life.set("scanMenu:Load", "a")

    asyncio.run(main())


@pytest.fixture
def saved() -> FakeDisk:
    """Configuration a, in which nothing is as at the start."""
    disk = FakeDisk()

    async def main() -> None:
        async with running(disk) as life:
            for name, value in {"first": 10.0, "second": 20, "mode": "B", "text": "T"}.items():
                await life.set(name, value)
            await life.clock.until(life.configs.save("a", "all set"))

    asyncio.run(main())
    return disk


def test_a_putter_that_refuses_costs_its_own_pv_alone(saved: FakeDisk) -> None:
    def refuse(value: object) -> None:
        raise ChannelError("x:second: not now")

    async def main() -> None:
        async with running(saved) as life:
            life.ioc.does["second"] = refuse
            with pytest.raises(ChannelError, match="scanMenu:Load: 1 of 8 differ"):
                await life.set("scanMenu:Load", "a")
            assert life.message == "1 of 8 differ: x:second: not now"
            assert life.ended() == FAILED
            assert life.value("scanMenu:currName") == "a (incomplete)"
            assert (life.value("first"), life.value("text")) == (10.0, "T")
            assert life.configs.report.failed == {"x:second": "not now"}
            assert "x:first" in life.configs.report.written

            life.ioc.does.clear()
            await life.set("scanMenu:Load", "a")
            assert life.ended() == WELL
            assert life.value("scanMenu:currName") == "a"

    asyncio.run(main())


def test_what_a_putter_makes_of_a_value_is_noticed(saved: FakeDisk) -> None:
    async def main() -> None:
        async with running(saved) as life:
            life.ioc.does = {"first": lambda value: value + 0.5, "text": lambda value: "other"}
            with pytest.raises(ChannelError):
                await life.set("scanMenu:Load", "a")
            assert life.message == (
                "2 of 8 differ: x:first: is 10.5, not 10.0; x:text: is 'other', not 'T'"
            )

    asyncio.run(main())


def test_a_later_putter_that_changes_an_earlier_pv_is_noticed(saved: FakeDisk) -> None:
    async def main() -> None:
        async with running(saved) as life:

            async def reset(value: int) -> int:
                await life.ioc.first.write(0.0, verify_value=False)
                return value

            life.ioc.does["second"] = reset
            with pytest.raises(ChannelError, match=r"x:first: is 0\.0, not 10\.0"):
                await life.set("scanMenu:Load", "a")

    asyncio.run(main())


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_putter_that_hangs_is_given_up(saved: FakeDisk, stubborn: bool) -> None:
    async def main() -> None:
        release = asyncio.Event()

        async def hang(value: object) -> object:
            if stubborn:
                await asyncio.shield(release.wait())
            await release.wait()
            return value

        async with running(saved) as life:
            life.ioc.does["first"] = hang
            began = life.clock.now
            with pytest.raises(ChannelError, match="x:first: its putter has not ended within 10 s"):
                await life.set("scanMenu:Load", "a")
            assert 10 <= life.clock.now - began < 11
            assert life.ended() == FAILED
            assert life.severity("first") == AlarmSeverity.MAJOR_ALARM
            assert life.value("second") == 20  # the others are written all the same
            life.ioc.does.clear()
            await life.set("scanMenu:Load", "a")
            assert life.ended() == WELL
            assert life.severity("first") == AlarmSeverity.NO_ALARM
            release.set()
            await asyncio.sleep(0)

    asyncio.run(main())


def test_requests_are_refused_while_one_goes_on(saved: FakeDisk) -> None:
    async def main() -> None:
        reached, release = asyncio.Event(), asyncio.Event()

        async def wait(value: object) -> object:
            reached.set()
            await release.wait()
            return value

        async with running(saved) as life:
            life.ioc.does["first"] = wait
            loading = asyncio.create_task(life.set("scanMenu:Load", "a"))
            await reached.wait()
            assert life.busy == "Loading"
            assert life.value("scanMenu:disable") == 1
            assert life.value("scanMenu:currName") == "a (incomplete)"
            menu = life.ioc.pvdb
            for name in ("SaveAs", "Delete", "name"):
                with pytest.raises(ChannelError, match="busy loading 'a'"):
                    await menu[f"x:scanMenu:{name}"].write("b")
            for name in ("loadConfig1", "saveConfig1", "menuName"):
                with pytest.raises(ChannelError, match="busy loading 'a'"):
                    await menu[f"x:scanMenu:{name}"].fields["PROC"].write(1)
            with pytest.raises(AutosaveError, match="busy loading 'a'"):
                await life.configs.load("a")
            release.set()
            await loading
            assert life.ended() == WELL
            assert life.value("scanMenu:disable") == 0

    asyncio.run(main())


def test_a_load_that_is_broken_off_leaves_no_menu_that_is_busy(saved: FakeDisk) -> None:
    async def main() -> None:
        async with running(saved) as life:
            reached = asyncio.Event()

            async def hang(value: object) -> None:
                reached.set()
                await asyncio.sleep(1000)

            life.ioc.does["first"] = hang
            loading = asyncio.create_task(life.configs.load("a"))
            await life.clock.until(reached.wait())
            loading.cancel()
            await asyncio.gather(loading, return_exceptions=True)
            assert life.ended() == FAILED
            assert life.message == "loading 'a' was broken off"
            assert life.value("scanMenu:currName") == "a (incomplete)"
            life.ioc.does.clear()
            await life.clock.until(life.configs.load("a"))
            assert life.ended() == WELL
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:  # the putter, which nobody waits for any more
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    asyncio.run(main())


def test_what_the_file_lacks_or_has_too_much_is_reported(saved: FakeDisk) -> None:
    async def main() -> None:
        disk = saved
        content = disk.content("/d/scan_a.cfg")
        content = content.replace(b"x:second 20\n", b"#x:second Search Issued\n")
        content = content.replace(b"x:text T\n", b"x:gone 1\nx:measured 7\nx:starts 9\n")
        disk.put("/d/scan_a.cfg", content)
        async with running(disk) as life:
            await life.set("scanMenu:Load", "a")
            assert life.ended() == ODD
            assert life.message == (
                "loaded a: 6 PVs written and verified; not in the file: x:second, x:text; "
                "not part of this configuration: x:gone, x:measured, x:starts"
            )
            assert life.value("scanMenu:currName") == "a"
            assert (life.value("second"), life.value("text")) == (2, "some text")
            assert (life.value("measured"), life.value("starts")) == (5.0, 3)
            assert "not connected" in life.configs.report.absent["x:second"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"x:second 5.7", "5.7 would come back as 5"),
        (b"x:second 500", "500 is outside the control limits 0 to 100"),
        (b"x:second many", "'many' is no number"),
        (b'x:second @array@ { "1" "2" }', "2 elements do not fit a scalar"),
        (b'x:second @array@ { "1" "many" }', "'many' is no number"),
    ],
)
def test_a_value_that_does_not_fit(saved: FakeDisk, line: bytes, reason: str) -> None:
    async def main() -> None:
        disk = saved
        disk.put("/d/scan_a.cfg", disk.content("/d/scan_a.cfg").replace(b"x:second 20", line))
        async with running(disk) as life:
            with pytest.raises(ChannelError):
                await life.set("scanMenu:Load", "a")
            assert life.message == f"1 of 8 differ: x:second: {reason}"
            assert life.value("second") == 2

    asyncio.run(main())


def test_a_load_that_fails_before_it_begins_changes_nothing(saved: FakeDisk) -> None:
    async def main() -> None:
        disk = saved
        disk.put("/d/scan_cut.cfg", disk.content("/d/scan_a.cfg")[:-8])
        disk.put("/d/scan_other.cfg", b"# autosave R5.3\t\ny:z 1\n<END>\n")
        async with running(disk) as life:
            await life.set("scanMenu:Load", "a")
            life.ioc.put.clear()
            for name, reason in {
                "cut": "cannot use /d/scan_cut.cfg: line .*cut off",
                "none": "no configuration 'none' in /d",
                "other": "other has a value for none of the 8 PVs",
                "": "name of a configuration is missing",
                "../a": "no configuration '___a'",
            }.items():
                with pytest.raises(ChannelError, match=reason):
                    await life.set("scanMenu:Load", name)
                assert life.ended() == FAILED
                assert life.value("scanMenu:currName") == "a"
            assert life.ioc.put == []

    asyncio.run(main())


# --- storage that fails or hangs ----------------------------------------------------------------


def test_a_full_disk_is_shown_and_overcome(saved: FakeDisk) -> None:
    async def main() -> None:
        disk = saved

        def before(number: int, name: str) -> None:
            if name == "write":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        async with running(disk) as life:
            disk.before = before
            with pytest.raises(ChannelError, match="No space left on device"):
                await life.set("scanMenu:SaveAs", "a")
            assert life.ended() == FAILED
            assert life.value("scanMenu:currName") == ""
            assert lines(disk, "a")["x:first"] == "10.0"
            disk.before = lambda number, name: None
            await life.set("scanMenu:SaveAs", "a")
            assert life.ended() == WELL
            assert lines(disk, "a")["x:first"] == "1.0"

    asyncio.run(main())


class Stall:
    """A disk that waits in every operation while it is stalled."""

    def __init__(self, disk: FakeDisk) -> None:
        self._free = threading.Event()
        self._free.set()
        disk.before = lambda number, name: self._wait()

    def _wait(self) -> None:
        assert self._free.wait(20)

    def begin(self) -> None:
        self._free.clear()

    def end(self) -> None:
        self._free.set()


def test_storage_that_hangs_is_shown_and_the_menu_recovers(saved: FakeDisk) -> None:
    async def main() -> None:
        disk = saved
        async with running(disk) as life:
            stall = Stall(disk)
            stall.begin()
            for act in ("SaveAs", "Load", "Delete"):
                began = life.clock.now
                with pytest.raises(ChannelError, match="storage has not answered for 10 s"):
                    await life.set(f"scanMenu:{act}", "a")
                assert life.clock.now - began == pytest.approx(10, abs=0.2)
                assert life.ended() == FAILED
            stall.end()
            await life.set("scanMenu:Load", "a")
            assert life.ended() == WELL
            # What was under way when it hung has been done; nothing was handed in behind it.
            assert life.value("first") == 1.0
            assert life.value("scanMenu:List") == ["a"]

    asyncio.run(main())


def test_storage_that_hangs_at_the_start_delays_it_by_the_timeout(
    saved: FakeDisk,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        disk = saved
        life = Life(disk)
        stall = Stall(disk)
        stall.begin()
        await life.start()
        assert life.clock.now == pytest.approx(10, abs=0.2)
        assert life.ended() == FAILED
        assert "storage has not answered" in caplog.text
        stall.end()
        await life.press("scanMenu:menuName")  # Find config files
        assert life.ended() == WELL
        assert life.value("scanMenu:List") == ["a"]
        await life.set("scanMenu:Load", "a")
        assert life.value("first") == 10.0
        await life.stop()

    asyncio.run(main())


def test_finding_files_does_not_clear_the_failure_of_a_load(saved: FakeDisk) -> None:
    async def main() -> None:
        async with running(saved) as life:
            with pytest.raises(ChannelError):
                await life.set("scanMenu:Load", "none")
            await life.press("scanMenu:menuName")
            assert life.ended() == FAILED

    asyncio.run(main())


def test_an_ioc_that_does_not_run_says_so() -> None:
    with pytest.raises(AutosaveError, match="does not run"):
        asyncio.run(Ioc(prefix="x:").configs.save("a"))


# --- what is declared wrongly -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"config": ""}, "letters, digits"),
        ({"config": "../x"}, "letters, digits"),
        ({"pvs": ["a"], "save_set": "b"}, "one of save_set, request and pvs"),
        ({"pvs": "first"}, "list of names"),
        ({"keep": 0}, "above 0"),
        ({"hook_timeout": 0}, "above 0"),
    ],
)
def test_arguments_that_make_no_sense(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(DefinitionError, match=reason):
        ConfigMenu(**{"config": "scan", "directory": "/d", **arguments})


def test_making_a_menu_touches_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ConfigMenu("x:", config="scan", directory="state", request="none.req")
    assert os.listdir(tmp_path) == []


def test_a_menu_without_pvs_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    class Empty(PVGroup):
        plain = pvproperty(value=1)
        configs = SubGroup(ConfigMenu, prefix="", config="scan", directory="/d")

    async def main() -> None:
        async with running(FakeDisk(), Empty) as life:
            assert "no PV for Empty.configs is marked as autosaved" in caplog.text
            with pytest.raises(ChannelError, match="has no PVs to save"):
                await life.set("scanMenu:SaveAs", "a")

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"pvs": ["nothing*"]}, "names no PV"),
        ({"save_set": "nothing"}, "names no PV"),
        ({"request": "/nowhere/x.req"}, "no x.req in /nowhere"),
    ],
)
def test_a_choice_without_pvs_ends_the_start(arguments: dict[str, Any], reason: str) -> None:
    class Empty(PVGroup):
        plain = pvproperty(value=1)
        configs = SubGroup(ConfigMenu, prefix="", config="scan", directory="/d", **arguments)

    async def main() -> None:
        with pytest.raises(ConfigurationError, match=reason):
            await Life(FakeDisk(), Empty).start()

    asyncio.run(main())
