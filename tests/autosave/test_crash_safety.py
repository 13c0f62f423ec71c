"""At every instant the directory holds a complete generation, none older than acknowledged."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_disk import Crash, FakeDisk

from ioc_ops.autosave.fileformat import compose, value_line
from ioc_ops.autosave.files.generations import RotatingFileManager
from ioc_ops.errors import AutosaveError, ConfigurationError

FILE = Path("/d/my.json")


def manager_on(disk: FakeDisk) -> RotatingFileManager:
    return RotatingFileManager(
        FILE, max_files_per_day=2, max_files=3, file_system=disk, clock=lambda: disk.clock
    )


def content(number: int) -> list[bytes]:
    lines = [value_line(f"pv{index}", number) for index in range(5)]
    return compose(lines, saved_at=0.0, serial=number, ioc="x:")


def number_in(disk: FakeDisk) -> int:
    """The save that a restart would restore; 0 if it would find nothing."""
    snapshot = manager_on(disk.after_kill()).load().snapshot
    if snapshot is None:
        return 0
    assert set(snapshot.values.values()) == {snapshot.serial}  # one state, not a mixture
    assert len(snapshot.values) == 5
    return snapshot.serial


class Life:
    """A process that saves again and again: what it was told is safe, and what it tried."""

    def __init__(self, disk: FakeDisk) -> None:
        self.disk = disk
        self.acknowledged = number_in(disk)
        self.tried = self.acknowledged

    def run(self, saves: int) -> None:
        manager = manager_on(self.disk)
        manager.prepare()
        loaded = manager.load()
        assert loaded.snapshot is None or loaded.snapshot.serial >= self.acknowledged
        for number in range(self.tried + 1, self.tried + 1 + saves):
            self.disk.clock += 0.4  # several within one second
            self.tried = number
            manager.save(content(number))
            self.acknowledged = number


def empty() -> FakeDisk:
    return FakeDisk()


def with_history() -> FakeDisk:
    disk = FakeDisk()
    Life(disk).run(3)
    return disk.after_kill()


def with_a_damaged_file() -> FakeDisk:
    disk = with_history()
    disk.put(FILE, disk.content(FILE)[:-40])
    return disk


def without_hard_links() -> FakeDisk:
    disk = with_history()
    disk.links = False
    return disk


def with_short_writes() -> FakeDisk:
    disk = with_history()
    disk.write_size = 200
    return disk


DISKS = [empty, with_history, with_a_damaged_file, without_hard_links, with_short_writes]


def steps_of(make_disk: Callable[[], FakeDisk], saves: int) -> list[str]:
    disk = make_disk()
    life = Life(disk)
    disk.operations.clear()
    life.run(saves)
    return disk.operations


def crash_at(disk: FakeDisk, step: int) -> None:
    disk.operations.clear()

    def before(number: int, name: str) -> None:
        if number == step:
            raise Crash

    disk.before = before


@pytest.mark.parametrize("make_disk", DISKS)
def test_a_crash_between_any_two_operations_loses_nothing(
    make_disk: Callable[[], FakeDisk],
) -> None:
    saves = 3
    steps = steps_of(make_disk, saves)
    assert {"create", "write", "fsync", "replace", "fsync_directory", "unlink"} <= set(steps)
    states = 0
    for step in range(len(steps) + 1):
        disk = make_disk()
        life = Life(disk)
        crash_at(disk, step)
        if step < len(steps):
            with pytest.raises(Crash):
                life.run(saves)
        else:
            life.run(saves)
        for after in (disk.after_kill(), *disk.after_power_loss()):
            states += 1
            found = number_in(after)
            assert life.acknowledged <= found <= life.tried, (step, steps[step : step + 1])
            # And life goes on from there.
            next_life = Life(after)
            next_life.run(1)
            assert number_in(after.after_kill()) == found + 1
            for later in after.after_power_loss():
                assert number_in(later) == found + 1
    assert states > len(steps) * 2


def run_to_failure(life: Life) -> str | None:
    try:
        life.run(2)
    except (AutosaveError, ConfigurationError) as error:
        return str(error)
    return None


@pytest.mark.parametrize("make_disk", DISKS)
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE])
def test_an_error_of_any_operation_loses_nothing(
    make_disk: Callable[[], FakeDisk], code: int
) -> None:
    steps = steps_of(make_disk, 2)
    for step in range(len(steps)):
        disk = make_disk()
        life = Life(disk)
        disk.operations.clear()

        def before(number: int, name: str, step: int = step) -> None:
            if number == step:
                raise OSError(code, os.strerror(code))

        disk.before = before
        failure = run_to_failure(life)
        assert failure is None or ("/d" in failure and os.strerror(code) in failure)
        for after in (disk.after_kill(), *disk.after_power_loss()):
            assert life.acknowledged <= number_in(after) <= life.tried

        disk.before = lambda number, name: None
        life.run(1)
        assert number_in(disk) == life.acknowledged
        leftover = [path for path in disk.names if path.suffix == ".tmp"]
        assert leftover == []


def test_a_disk_that_stays_full_keeps_the_last_state() -> None:
    disk = with_history()
    manager = manager_on(disk)

    def before(number: int, name: str) -> None:
        if name == "write":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    disk.before = before
    before_names = dict(disk.names)
    for _ in range(10):
        with pytest.raises(AutosaveError, match="No space left on device"):
            manager.save(content(9))
    assert disk.names == before_names
    assert number_in(disk) == 3


def test_without_fsync_the_test_would_fail() -> None:
    """The disk does lose what was not synced: the tests above can fail."""
    disk = with_history()

    class Careless(FakeDisk):
        def fsync(self, descriptor: int) -> None:
            self._step("fsync")

    disk.__class__ = Careless
    manager_on(disk).save(content(4))
    assert {number_in(after) for after in disk.after_power_loss()} != {4}


def test_without_fsync_of_the_directory_the_test_would_fail() -> None:
    disk = with_history()

    class Careless(FakeDisk):
        def fsync_directory(self, path: Path) -> None:
            self._step("fsync_directory")

    disk.__class__ = Careless
    manager_on(disk).save(content(4))
    assert 3 in {number_in(after) for after in disk.after_power_loss()}
