"""Which PVs a configuration holds: marked ones, names, patterns, request files, save sets."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from config_life import ODD, WELL, Life, lines, running
from fake_disk import FakeDisk
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.autosave import AutosaveHelper, ConfigMenu, autosaved
from ioc_ops.autosave.configurations.selection import Choice, Selection, select, targets_of_set
from ioc_ops.autosave.targets import Target
from ioc_ops.errors import ConfigurationError
from ioc_ops.server import PVGroup, SubGroup, pvproperty
from ioc_ops.status import StatusHelper

DATA = Path(__file__).parent / "data"


class Detector(PVGroup):
    exposure = pvproperty(value=1.0, record="ao")
    gain = autosaved(pvproperty(value=1))
    counts = pvproperty(value=0, read_only=True)


class Ioc(PVGroup):
    """Two detectors and what other helpers add."""

    label = autosaved(pvproperty(value="text", record="lso"))
    axis = autosaved(pvproperty(value=5.0, name="axis.VAL"), fields=())
    total = autosaved(pvproperty(value=1, read_only=True))
    det1 = SubGroup(Detector)
    det2 = SubGroup(Detector)
    status = SubGroup(StatusHelper, prefix="Ioc:")
    keeper = SubGroup(AutosaveHelper)
    other = SubGroup(ConfigMenu, prefix="", config="other", directory="/d")


def selection(choice: Choice) -> Selection:
    menus = {f"x:otherMenu{name}" for name in ("", ":currName", ":enableSave")}
    return select(Ioc(prefix="x:"), choice, lambda channel: channel.name in menus)


def names(*pvs: str) -> list[str]:
    return list(selection(Choice(pvs)).channels)


def test_by_default_what_the_author_has_marked() -> None:
    found = selection(Choice()).channels
    assert list(found) == ["x:label.DESC", "x:label", "x:axis", "x:det1:gain", "x:det2:gain"]


def test_names_with_and_without_the_prefix_of_the_ioc() -> None:
    assert names("label", "x:det1:gain") == ["x:label", "x:det1:gain"]
    assert names("det2:gain", "det1:gain") == ["x:det2:gain", "x:det1:gain"]  # as they were given


def test_patterns() -> None:
    assert names("det*:exposure") == ["x:det1:exposure", "x:det2:exposure"]
    assert names("x:det[2]*") == ["x:det2:exposure", "x:det2:gain"]  # not what is read only
    assert names("det1:gain", "det?:gain") == ["x:det1:gain", "x:det2:gain"]


def test_fields() -> None:
    assert names("det1:exposure.PREC", "det1:exposure.VAL", "axis", "axis.VAL") == [
        "x:det1:exposure.PREC",
        "x:det1:exposure",
        "x:axis",  # whose name ends with .VAL
    ]


def test_what_is_not_served_or_read_only_is_told() -> None:
    found = selection(Choice(("label", "none", "no*", "label.NONE", "det1:counts", "none.VAL")))
    assert list(found.channels) == ["x:label"]
    assert found.unserved == ("none", "no*", "label.NONE", "none.VAL")
    assert found.read_only == ("x:det1:counts",)


@given(st.lists(st.text(max_size=12), max_size=5))
def test_whatever_is_asked_for(texts: list[str]) -> None:
    found = selection(Choice(tuple(texts)))
    assert len(found.unserved) <= len(texts)
    assert not any(channel.read_only for channel in found.channels.values())


def test_targets_that_tell_their_save_sets() -> None:
    class InSets(Target):
        sets: tuple[str, ...] = ()

    channel = Ioc(prefix="x:").label
    plain = Target("plain", channel, False)
    fast, both = (InSets(name, channel, False) for name in ("fast", "both"))
    object.__setattr__(fast, "sets", ("fast",))
    object.__setattr__(both, "sets", ("", "fast"))
    targets = {target.name: target for target in (plain, fast, both)}
    assert [t.name for t in targets_of_set(targets, None)] == ["plain", "fast", "both"]
    assert [t.name for t in targets_of_set(targets, "fast")] == ["fast", "both"]
    assert [t.name for t in targets_of_set(targets, "")] == ["plain", "both"]


# --- in an IOC that runs ------------------------------------------------------------------------


def ioc_with(**arguments: Any) -> type[PVGroup]:
    class WithMenu(PVGroup):
        first = pvproperty(value=1.0, record="ao")
        second = pvproperty(value=2)
        configs = SubGroup(ConfigMenu, prefix="", config="scan", directory="/d", **arguments)

    return WithMenu


def test_a_request_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "configMenu.req").write_text(
        "$(P)$(CONFIG)Menu:currName\n$(P)$(CONFIG)Menu:currDesc\n"
    )
    (tmp_path / "scan.req").write_text(
        'file "configMenu.req" P=$(P),CONFIG=$(CONFIG)\n'
        "# a comment\n$(P)$(S).VAL\n$(P)first.DESC$\n$(P)first\n$(P)gone\n"
    )
    cls = ioc_with(request=tmp_path / "scan.req", request_macros={"S": "second"})

    async def main() -> None:
        disk = FakeDisk()
        async with running(disk, cls) as life:
            assert "no PV x:gone is served" in caplog.text
            assert life.value("scanMenu:reqFile") == "scan.req"
            await life.set("scanMenu:SaveAs", "a")
            assert list(lines(disk, "a").items()) == [
                ("x:scanMenu:currName", "a"),
                ("x:scanMenu:currDesc", ""),
                ("x:second", "2"),
                ("x:first.DESC", ""),
                ("x:first", "1.0"),
                ("#x:gone", "not served"),
            ]
            await life.set("second", 5)
            await life.set("scanMenu:Load", "a")
            assert life.ended() == WELL
            assert life.value("second") == 2

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())


def test_a_request_file_with_an_error_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "scan.req").write_text("$(P)first\n=oops\n")

    async def main() -> None:
        with pytest.raises(ConfigurationError, match=r"scan\.req, line 2"):
            async with running(FakeDisk(), ioc_with(request=tmp_path / "scan.req")):
                pass

    asyncio.run(main())


def test_pvs_that_come_and_go_at_run_time() -> None:
    async def main() -> None:
        disk = FakeDisk()
        async with running(disk, ioc_with(pvs=["first", "extra*"])) as life:
            await life.set("scanMenu:SaveAs", "a")
            assert "x:extra1" not in lines(disk, "a")
            life.ioc.add_pv("extra1", pvproperty(value=7))
            await life.set("scanMenu:SaveAs", "a")
            assert lines(disk, "a")["x:extra1"] == "7"
            life.ioc.remove_pv("extra1")
            life.ioc.add_pv("extra2", pvproperty(value=8))
            await life.set("scanMenu:SaveAs", "b")
            assert {"x:extra1", "x:extra2"} & lines(disk, "b").keys() == {"x:extra2"}
            await life.set("scanMenu:Load", "a")
            assert life.ended() == ODD
            assert "not in the file: x:extra2" in life.message
            assert "not part of this configuration: x:extra1" in life.message

    asyncio.run(main())


def test_a_file_that_synapps_wrote_is_loaded() -> None:
    """Floats with 7 digits, states by their index, arrays of one element as a scalar."""

    class Synapps(PVGroup):
        double = pvproperty(value=0.0)
        single = pvproperty(value=0.0, dtype=float, max_length=3)
        state = pvproperty(value=False)
        long = pvproperty(value="", max_length=300, record="lso")
        configs = SubGroup(ConfigMenu, prefix="", config="scan", directory="/d", pvs=["*"])

    content = (
        "# autosave R5.3\tAutomatically generated - DO NOT MODIFY - 261122-124042\n"
        "! 1 channel(s) not connected - or not all gets were successful\n"
        "x:double.VAL 3.1415926535898\nx:single 2.5\nx:state 1\n"
        'x:long.VAL$ a \\"quoted\\" \\xc3\\xa9\n'
        "x:scanMenu:currName other\nx:scanMenu:currDesc from the old IOC\n<END>\n"
    )

    async def main() -> None:
        disk = FakeDisk()
        disk.put("/d/scan_old.cfg", content.encode())
        async with running(disk, Synapps) as life:
            await life.set("scanMenu:Load", "old")
            assert life.ended() == WELL
            assert life.value("double") == 3.1415926535898
            assert list(life.value("single")) == [2.5]
            assert life.value("state") == "On"
            assert life.value("long") == 'a "quoted" \u00e9'
            assert life.value("scanMenu:currName") == "old"
            assert life.value("scanMenu:currDesc") == "from the old IOC"

    asyncio.run(main())


# --- names that no line of a file can begin with --------------------------------------------------


class WithBlanks(PVGroup):
    first = autosaved(pvproperty(value=1.0))
    blank = autosaved(pvproperty(value=2.0, name="my gain"))
    last = autosaved(pvproperty(value=3.0))

    configs = SubGroup(ConfigMenu, prefix="", config="scan", directory="/d")


def test_a_name_with_a_blank_is_left_out_with_a_word_and_costs_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    left_out = "x:my gain is left out: a file of synApps cannot have such a name"
    disk = FakeDisk()

    async def main() -> None:
        async with running(disk, WithBlanks) as life:
            assert f"configurations: WithBlanks.configs: {left_out}" in caplog.messages
            await life.set("scanMenu:SaveAs", "a")
            assert life.message == f"saved a: 2 PVs; {left_out}"
            assert life.ended() == ODD
            assert lines(disk, "a") == {
                "x:scanMenu:currName": "a",
                "x:scanMenu:currDesc": "",
                "x:first": "1.0",
                "x:last": "3.0",
            }
            for name in ("first", "my gain", "last"):
                await life.set(name, 7.0)
            await life.set("scanMenu:Load", "a")
            assert life.ended() == WELL
            assert [life.value(name) for name in ("first", "my gain", "last")] == [1.0, 7.0, 3.0]

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())


def test_a_menu_of_nothing_but_such_names_ends_the_start() -> None:
    class Blank(PVGroup):
        blank = pvproperty(value=2.0, name="my gain")
        configs = SubGroup(
            ConfigMenu, prefix="", config="scan", directory="/d", pvs=["my gain", "my?*"]
        )

    async def main() -> None:
        with pytest.raises(ConfigurationError, match="x:my gain is left out"):
            await Life(FakeDisk(), Blank).start()

    asyncio.run(main())
