"""A menu of configurations saves and loads, and says what it could not."""

import asyncio

import pytest
from config_life import FAILED, ODD, WELL, disk_with_a, lines, running
from fake_disk import FakeDisk

from ioc_ops.autosave import ConfigMenu, autosaved
from ioc_ops.channel import AlarmSeverity, ChannelData
from ioc_ops.errors import AutosaveError, ChannelError
from ioc_ops.server import PVGroup, SubGroup, pvproperty


@pytest.fixture
def saved() -> FakeDisk:
    return disk_with_a()


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
            try:
                await release.wait()
            except asyncio.CancelledError:
                if not stubborn:
                    raise
                await release.wait()
            return value

        async with running(saved) as life:
            life.ioc.does["first"] = hang
            began = life.clock.now
            with pytest.raises(ChannelError, match="x:first: its putter has not ended within 10 s"):
                await life.set("scanMenu:Load", "a")
            assert 10 <= life.clock.now - began < 20
            assert life.ended() == FAILED
            assert life.severity("first") == AlarmSeverity.MAJOR_ALARM
            assert life.value("second") == 20  # the others are written all the same
            life.ioc.does.clear()
            await life.set("scanMenu:Load", "a")
            assert life.ended() == WELL
            assert life.severity("first") == AlarmSeverity.NO_ALARM
            release.set()
            await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})

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
        content = content.replace(b"x:text T\n", b"x:gone 1\nx:measured 7\nx:starts 9\n=x 1\n")
        disk.put("/d/scan_a.cfg", content)
        async with running(disk) as life:
            await life.set("scanMenu:Load", "a")
            assert life.ended() == ODD
            assert life.message == (
                "loaded a: 6 PVs written and verified; not in the file: x:second, x:text; "
                "not part of this configuration: x:gone, x:measured, x:starts, line 13"
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
