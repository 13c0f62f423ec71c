"""Storage that hangs from the very start: what the status PVs say meanwhile and afterwards."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_disk import FakeDisk
from sets_life import Life, file
from storage_threads import Stall
from virtual_clock import VirtualClock

from ioc_ops.autosave.fileformat import dumps
from ioc_ops.autosave.health import Health, State
from ioc_ops.autosave.last_save import tell_lost
from ioc_ops.autosave.restore import RestoreReport
from ioc_ops.autosave.restored import Restored
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.stats import AutosaveStats
from ioc_ops.channel import AlarmSeverity
from ioc_ops.errors import AutosaveError

SETS = ("positions", "shots", "recipes")  # periodic, triggered, manual
WAITS = Health(State.FAILURE, "waiting for storage, nothing is saved")


class HangingDisk(FakeDisk):
    """It hangs until it is told to answer."""

    def __init__(self) -> None:
        super().__init__()
        self._stall = Stall(self)
        self.hang()

    def hang(self) -> None:
        self._stall.begin()

    def answer(self) -> None:
        self._stall.end()


@pytest.fixture
def disk() -> Iterator[HangingDisk]:
    disk = HangingDisk()
    disk.put(file("recipes"), dumps(Snapshot({"x:recipe": 5}, saved_at=1.0, serial=1)))
    yield disk
    disk.answer()


async def second(life: Life) -> None:
    """What is done once a second."""
    sets = list(life.sets.values())
    for each in sets:
        hook = each.autosave_hook
        await life.clock.until(hook.pvspec.scan.function(each, hook, life.clock))
    await life.clock.until(life.ioc.keeper.synapps_status.show(sets, life.clock.now))


async def until_well(life: Life, name: str) -> None:
    """Seconds, until storage is not waited for; the time limit of the test is the limit."""
    while life.sets[name].stats.hung:
        await second(life)


def test_a_start_without_storage_is_an_alarm_from_its_first_moment(disk: HangingDisk) -> None:
    async def main() -> None:
        life = Life(disk, VirtualClock())
        await life.restore()
        # Nobody has tried to save yet.
        for name in SETS:
            health = life.sets[name].health
            assert health == WAITS
            assert len(health.message) < 40  # as much as SR_statusStr shows
            assert life.sets[name].stats.failures == 0
            assert life.value(f"{name}:STATUS") == "Failure"
            assert life.severity(f"{name}:STATUS") == AlarmSeverity.MAJOR_ALARM
            assert life.value(f"{name}:RESTORE_STATUS") == "Failure"
        await second(life)
        assert life.value("as:SR_status") == "Failure"
        assert life.value("as:SR_statusStr") == WAITS.message
        assert life.severity("as:SR_status") == AlarmSeverity.MAJOR_ALARM
        assert life.value("as:SR_3_Status") == "Failure"
        disk.answer()
        await life.stop()

    asyncio.run(main())


@pytest.mark.parametrize("name", SETS)
def test_the_alarm_ends_when_storage_answers_although_nothing_is_saved(
    disk: HangingDisk, name: str
) -> None:
    async def main() -> None:
        life = Life(disk, VirtualClock())
        await life.restore()
        await second(life)
        assert life.sets[name].health == WAITS
        disk.answer()
        await until_well(life, name)
        assert life.sets[name].health.state == State.NO_STATUS
        assert life.value(f"{name}:STATUS") == "No save"
        assert life.severity(f"{name}:STATUS") == AlarmSeverity.NO_ALARM
        # Values that nobody has written since are safe from the defaults.
        await life.stop()
        assert life.saved("recipes") == {"x:recipe": 5}

    asyncio.run(main())


def test_a_save_and_a_look_at_the_same_time_take_the_file_once(disk: HangingDisk) -> None:
    async def main() -> None:
        life = Life(disk, VirtualClock())
        await life.restore()
        recipes = life.sets["recipes"]
        await life.set("recipe", 9)
        saving = asyncio.ensure_future(recipes.save())
        await asyncio.sleep(0)
        disk.answer()
        await second(life)
        await life.clock.until(saving)
        assert life.saved("recipes") == {"x:recipe": 9}
        assert not recipes.stats.hung
        await life.stop()

    asyncio.run(main())


def test_a_restore_on_request_that_storage_did_not_answer_is_no_alarm_for_ever() -> None:
    disk = HangingDisk()
    disk.answer()

    async def main() -> None:
        life = Life(disk, VirtualClock())
        await life.restore()
        recipes = life.sets["recipes"]
        recipes.restore_timeout = 10.0
        disk.hang()
        with pytest.raises(AutosaveError, match="not answered for 10 s"):
            await life.clock.until(recipes.restore_now())
        assert recipes.health == WAITS
        disk.answer()
        await until_well(life, "recipes")
        assert recipes.health.state == State.NO_STATUS
        await life.stop()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("saved_at", "path", "words"),
    [
        (1.5e9, None, "the newest that is safe is of 2017-07-1"),
        (0.0, Path("/d/my_20260301-120000.json"), "the newest that is safe is my_20260301"),
        (0.0, None, "none that is safe is known"),
    ],
)
def test_what_is_said_of_a_last_save_that_fails(
    caplog: pytest.LogCaptureFixture, saved_at: float, path: Path | None, words: str
) -> None:
    """Outside of a running IOC there is no exit status to set."""
    stats, restored = AutosaveStats(last_success=saved_at), Restored(RestoreReport(path))
    tell_lost(logging.getLogger(), Path("my.json"), "disk full", stats, restored)
    (said,) = caplog.messages
    assert said.startswith(f"autosave: the last changes are not in my.json: disk full; {words}")
