"""Which PVs belong to a save set: tags, request files, PVs that come and go."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fake_disk import FakeDisk
from sets_life import Life, file, running
from virtual_clock import VirtualClock

from ioc_ops.autosave import AutosaveHelper, SaveSet, autosaved
from ioc_ops.autosave.fileformat import loads
from ioc_ops.autosave.targets import find_targets
from ioc_ops.errors import ConfigurationError, DefinitionError
from ioc_ops.server import PVGroup, PVSpec, SubGroup, pvproperty

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


def test_requested_pvs_that_come_and_go_keep_their_values(
    disk: FakeDisk, clock: VirtualClock, tmp_path: Path
) -> None:
    request = tmp_path / "settings.req"
    request.write_text("$(P)extra.EGU\n$(P)extra\n")
    spec = PVSpec(value=1.0, record="ao")

    async def main() -> None:
        async with running(disk, clock, with_request(request)) as life:
            extra = life.ioc.add_pv("extra", spec)
            await life.set("extra", 2.5)
            await extra.fields["EGU"].write("mm")
            await life.set("settings:SAVE", 1)
            assert life.saved("settings") == {"x:extra": 2.5, "x:extra.EGU": "mm"}
            life.ioc.remove_pv("extra")
            await life.set("settings:SAVE", 1)
            assert life.saved("settings") == {}
            extra = life.ioc.add_pv("extra", spec)
            assert (extra.value, extra.units) == (2.5, "mm")
            await life.set("settings:SAVE", 1)
            assert life.saved("settings") == {"x:extra": 2.5, "x:extra.EGU": "mm"}

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
