"""One save set: when it is saved."""

import asyncio

import pytest
from fake_disk import FakeDisk
from helper_life import FILE, file_of, running, saved, used_disk

from ioc_ops.autosave import AutosaveHelper, autosaved
from ioc_ops.autosave.fileformat import loads
from ioc_ops.autosave.values import EnumValue
from ioc_ops.autosave.watch import Watch
from ioc_ops.errors import AutosaveError
from ioc_ops.server import PVGroup, SubGroup, pvproperty


@pytest.fixture
def disk() -> FakeDisk:
    return used_disk()


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
