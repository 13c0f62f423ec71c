"""What the screens of synApps do to a menu of configurations: rows, pages, buttons."""

import asyncio
from pathlib import Path

import pytest
from config_life import FAILED, WELL, Life, disk_with_a, lines, running
from fake_disk import FakeDisk

from ioc_ops.autosave import ConfigMenu
from ioc_ops.channel import ChannelType
from ioc_ops.errors import ChannelError

# PV and record type, as in configMenu.db of R6-0; what its screens name, and what clients use.
SYNAPPS = {
    "currName": "stringout", "currDesc": "stringout", "menuName": "stringout", "findFiles": "bo",
    "Page": "longout", "PageUp": "calcout", "PageDn": "calcout", "reqFile": "stringout",
    "status": "bo", "enableSave": "bo", "disable": "calcout", "name": "stringout",
    "desc": "stringout",
    **{f"name{n}": "stringout" for n in range(1, 11)},
    **{f"desc{n}": "stringout" for n in range(1, 11)},
}  # fmt: skip
# Record types that EPICS Base does not have, and what stands in for them.
REPLACED = {
    "busy": "bo",  # busy
    "loadConfig": "seq",  # sseq, like those below
    **{f"loadConfig{n}": "seq" for n in range(1, 11)},
    **{f"saveConfig{n}": "seq" for n in range(1, 11)},
}


def rows(life: Life) -> list[str]:
    return [str(life.value(f"scanMenu:name{n}")) for n in range(1, 11)]


def disk_with(count: int) -> FakeDisk:
    """Configurations n00, n01 ..., of which each sets `first` to its number."""
    disk = FakeDisk()
    for number in range(count):
        disk.put(
            f"/d/scan_n{number:02}.cfg",
            b"# autosave R5.3\t\nx:scanMenu:currDesc no. %d\nx:first %d\n<END>\n"
            % (number, number),
        )
    return disk


def test_the_pvs_are_those_of_synapps() -> None:
    pvdb = ConfigMenu("x:", config="scan", directory=Path("/d")).pvdb
    served = {name: channel.record_type for name, channel in pvdb.items()}
    expected = {f"x:scanMenu:{name}": kind for name, kind in (SYNAPPS | REPLACED).items()}
    own = {"SaveAs", "SaveAsDesc", "Load", "Delete", "List", "Message"}
    assert served.pop("x:scanMenu") == "mbbo"
    assert {name: kind for name, kind in served.items() if name in expected} == expected
    assert {name.removeprefix("x:scanMenu:") for name in served.keys() - expected.keys()} == own
    strings = {name for name, kind in SYNAPPS.items() if kind == "stringout"}
    for name in strings:
        assert pvdb[f"x:scanMenu:{name}"].data_type == ChannelType.STRING


def test_states_are_those_of_synapps() -> None:
    pvdb: dict[str, object] = dict(ConfigMenu("x:", config="scan", directory="/d").pvdb)
    states = {
        name: getattr(pvdb[f"x:scanMenu:{name}"], "enum_strings", None)
        for name in ("busy", "status", "enableSave")
    }
    assert states == {
        "busy": ("Done", "Loading"),
        "status": ("Success", "Failure"),
        "enableSave": ("No", "Yes"),
    }


def test_the_pvs_are_in_the_access_group_of_the_menu() -> None:
    menu = ConfigMenu("x:", config="scan", directory="/d", asg="OPERATORS")
    assert {channel.asg for channel in menu.pvdb.values()} == {"OPERATORS"}


def test_a_page_shows_ten_names_and_their_descriptions() -> None:
    async def main() -> None:
        async with running(disk_with(12)) as life:
            assert rows(life) == [f"n{number:02}" for number in range(10)]
            assert life.value("scanMenu:desc3") == "no. 2"
            menu = life.ioc.pvdb["x:scanMenu"]
            assert menu.enum_strings == tuple(rows(life))
            await life.press("scanMenu:PageUp")
            assert life.value("scanMenu:Page") == 1
            assert rows(life) == ["n10", "n11", *[""] * 8]
            assert life.value("scanMenu:desc3") == ""
            assert menu.enum_strings == ("n10", "n11")
            await life.press("scanMenu:PageUp")  # there is no page behind the last
            assert life.value("scanMenu:Page") == 1
            await life.press("scanMenu:PageDn")
            await life.press("scanMenu:PageDn")
            assert life.value("scanMenu:Page") == 0
            await life.set("scanMenu:Page", 99)
            assert life.value("scanMenu:Page") == 1
            assert len(life.value("scanMenu:List")) == 12

    asyncio.run(main())


@pytest.mark.parametrize("count", [0, 10, 20])
def test_the_last_page_has_a_line_that_is_free(count: int) -> None:
    async def main() -> None:
        async with running(disk_with(count)) as life:
            await life.set("scanMenu:Page", 99)
            assert rows(life) == [""] * 10
            assert life.ioc.pvdb["x:scanMenu"].shown_as[0] == ChannelType.ENUM
            with pytest.raises(ChannelError, match="name of a configuration is missing"):
                await life.set("scanMenu", 0)
            with pytest.raises(ChannelError, match="name of a configuration is missing"):
                await life.press("scanMenu:loadConfig1")
            await life.set("scanMenu:name1", "typed")
            await life.set("scanMenu:desc1", "by hand")
            await life.press("scanMenu:saveConfig1")
            assert life.ended() == WELL
            assert rows(life)[0] == "typed"
            assert lines(life.disk, "typed")["x:scanMenu:currDesc"] == "by hand"
            assert life.value("scanMenu:currDesc") == "by hand"

    asyncio.run(main())


def test_the_buttons_of_a_line() -> None:
    async def main() -> None:
        async with running(disk_with(12)) as life:
            await life.press("scanMenu:loadConfig4")
            assert life.value("first") == 3.0
            assert life.value("scanMenu:currName") == "n03"
            assert life.value("scanMenu:currDesc") == "no. 3"
            await life.press("scanMenu:PageUp")
            await life.press("scanMenu:loadConfig2")
            assert life.value("first") == 11.0
            await life.set("first", 99.0)
            await life.press("scanMenu:saveConfig1")
            assert lines(life.disk, "n10")["x:first"] == "99.0"
            assert lines(life.disk, "n10")["x:scanMenu:currDesc"] == "no. 10"

    asyncio.run(main())


def test_the_menu_loads_what_is_chosen_and_shows_what_is_loaded() -> None:
    async def main() -> None:
        async with running(disk_with(12)) as life:
            await life.set("scanMenu", "n05")
            assert life.value("first") == 5.0
            await life.set("scanMenu", 2)
            assert life.value("first") == 2.0
            await life.set("scanMenu:Load", "n07")
            assert life.value("scanMenu") == "n07"
            await life.set("scanMenu:Page", 1)
            await life.set("scanMenu", "n11")
            assert life.value("first") == 11.0
            with pytest.raises(ChannelError):
                await life.set("scanMenu", "n05")  # not on this page

    asyncio.run(main())


def test_loading_by_name_as_clients_of_synapps_do() -> None:
    async def main() -> None:
        async with running(disk_with(3)) as life:
            await life.set("scanMenu:name", "n01")
            assert life.ended()[0] == "Success"
            assert life.value("scanMenu:desc") == "no. 1"
            await life.set("first", 0.5)
            await life.press("scanMenu:loadConfig")
            assert life.value("first") == 1.0
            with pytest.raises(ChannelError, match="no configuration 'n09'"):
                await life.set("scanMenu:name", "n09")
            assert life.ended() == FAILED

    asyncio.run(main())


def test_lines_stay_where_they_are_until_files_are_looked_for() -> None:
    async def main() -> None:
        async with running(disk_with(3)) as life:
            await life.set("scanMenu:SaveAs", "aaa")
            assert rows(life)[:4] == ["n00", "n01", "n02", "aaa"]
            life.disk.put("/d/scan_copied.cfg", life.disk.content("/d/scan_n00.cfg"))
            await life.press("scanMenu:menuName")
            assert rows(life)[:5] == ["aaa", "copied", "n00", "n01", "n02"]
            await life.set("scanMenu:menuName", "other")
            assert life.value("scanMenu:menuName") == "scan"
            await life.set("scanMenu:Delete", "copied")
            assert rows(life)[:5] == ["aaa", "n00", "n01", "n02", ""]
            assert life.value("scanMenu:List") == ["aaa", "n00", "n01", "n02"]

    asyncio.run(main())


def test_saving_can_be_switched_off() -> None:
    disk = disk_with_a()

    async def main() -> None:
        async with running(disk) as life:
            await life.set("scanMenu:enableSave", "No")
            assert life.value("scanMenu:disable") == 1
            for name in ("SaveAs", "Delete"):
                with pytest.raises(ChannelError, match="switched off by x:scanMenu:enableSave"):
                    await life.set(f"scanMenu:{name}", "a")
                assert "switched off by x:scanMenu:enableSave" in life.message
                assert life.ended() == FAILED
            with pytest.raises(ChannelError, match="switched off"):
                await life.press("scanMenu:saveConfig1")
            await life.set("scanMenu:Load", "a")
            assert life.value("scanMenu:disable") == 1
            await life.set("scanMenu:enableSave", "Yes")
            assert life.value("scanMenu:disable") == 0
            await life.set("scanMenu:SaveAs", "a")

    asyncio.run(main())


def test_descriptions_of_scripts() -> None:
    async def main() -> None:
        async with running(FakeDisk()) as life:
            await life.set("scanMenu:SaveAsDesc", "first light")
            await life.set("scanMenu:SaveAs", "a")
            assert life.value("scanMenu:SaveAsDesc") == ""
            await life.set("scanMenu:SaveAs", "b")
            await life.set("scanMenu:SaveAs", "a")  # keeps the one that it has
            found = {entry.name: entry.description for entry in life.configs.entries}
            assert found == {"a": "first light", "b": ""}
            with pytest.raises(ChannelError, match="more than 39 bytes"):
                await life.clock.until(
                    life.configs.at_save_as(life.configs.save_as, "a", "\u00e9" * 20)
                )

    asyncio.run(main())


def test_a_file_that_is_broken_has_its_line() -> None:
    async def main() -> None:
        disk = disk_with(2)
        disk.put("/d/scan_m.cfg", disk.content("/d/scan_n00.cfg")[:-3])
        async with running(disk) as life:
            assert rows(life)[:3] == ["m", "n00", "n01"]
            assert life.value("scanMenu:desc1") == "(unreadable)"
            with pytest.raises(ChannelError, match="cut off"):
                await life.press("scanMenu:loadConfig1")
            # Saving over it puts it aside.
            await life.press("scanMenu:saveConfig1")
            assert life.ended() == WELL
            assert lines(life.disk, "m")["x:scanMenu:currDesc"] == ""

    asyncio.run(main())
