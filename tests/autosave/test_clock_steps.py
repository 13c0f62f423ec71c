"""The clock is set while an IOC saves, or between two of its lives: the newest state is found."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from fake_disk import FakeDisk

from ioc_ops.autosave.files.generations import RotatingFileManager
from ioc_ops.autosave.image import SaveImage
from ioc_ops.autosave.session import SaveSession

FILE = Path("/d/my.json")
DAY = 86400.0
YEAR = 365 * DAY


class Ioc:
    """An IOC with one PV, that counts its saves."""

    def __init__(self, disk: FakeDisk) -> None:
        self.disk = disk
        self.manager = RotatingFileManager(FILE, file_system=disk, clock=lambda: disk.clock)
        self.session = SaveSession(self.manager, SaveImage("x:", carry_seconds=YEAR))
        loaded = self.session.open()
        self.found = None if loaded.snapshot is None else loaded.snapshot.values["pv"]
        self.session.adopt(loaded, {"pv": 0}, protect=False)

    def save(self, *values: int, step: float = 60.0) -> None:
        for value in values:
            self.disk.clock += step
            self.session.write([("pv", value)])


def damage(disk: FakeDisk) -> None:
    """The save file itself is lost."""
    disk.put(FILE, disk.content(FILE)[:-5])


@pytest.mark.parametrize("step", [-40 * YEAR, -DAY, -3600, -30, 3600, 40 * YEAR])
def test_the_newest_state_is_found_after_the_clock_was_set(step: float) -> None:
    disk = FakeDisk(clock=2e9)
    ioc = Ioc(disk)
    ioc.save(1, 2, 3)
    disk.clock += step
    ioc.save(4, 5, 6)
    damage(disk)
    assert Ioc(disk).found == 5


@pytest.mark.parametrize("step", [-40 * YEAR, 40 * YEAR])
def test_and_when_it_was_set_back_again(step: float) -> None:
    disk = FakeDisk(clock=2e9)
    for number in range(3):  # three restarts, each in another time
        ioc = Ioc(disk)
        ioc.save(*range(10 * number, 10 * number + 3))
        disk.clock += step if number % 2 == 0 else -step
    damage(disk)
    assert Ioc(disk).found == 21


def test_an_old_generation_that_an_operator_brought_back_counts_as_the_newest() -> None:
    disk = FakeDisk()
    Ioc(disk).save(1, 2, 3, 4, 5)
    (oldest, *_) = reversed(Ioc(disk).manager.files)
    disk.put(FILE, disk.content(oldest))
    ioc = Ioc(disk)
    assert ioc.found == 1
    # What is saved from here on is newer than all that the directory holds.
    ioc.save(7, 8, 9)
    damage(disk)
    assert Ioc(disk).found == 8


def test_a_far_jump_and_back_leaves_history_of_both_sides() -> None:
    disk = FakeDisk(clock=2e9)
    ioc = Ioc(disk)
    for day in range(8):
        ioc.save(day, step=DAY)
    jump = disk.clock
    disk.clock += 70 * YEAR
    ioc.save(*range(100, 120))
    assert sum(date.timestamp() < jump + 1 for date in ioc.manager.files.values()) == 5
    disk.clock = jump
    ioc.save(*range(200, 220))
    newest, *_ = ioc.manager.files
    assert b'"pv": 218' in disk.content(newest)
    times = [date.timestamp() for date in ioc.manager.files.values()]
    assert sum(time < jump + 1 for time in times) == 5
    assert any(time > jump + YEAR for time in times)


def saved_values(ioc: Ioc) -> Mapping[str, object]:
    snapshot = ioc.manager.load().snapshot
    assert snapshot is not None
    return snapshot.values


def test_files_of_caproto_go_by_their_date() -> None:
    disk = FakeDisk(clock=1.8e9)
    for day, value in (("03", 3), ("01", 1), ("02", 2)):
        disk.put(f"/d/my_202603{day}-120000.json", b'{"pv": {"value": %d}}' % value)
    ioc = Ioc(disk)
    assert ioc.found == 3
    ioc.save(4, 5)
    damage(disk)
    assert saved_values(ioc) == {"pv": 4}
