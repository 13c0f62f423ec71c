"""The last complete state outlives starts that cannot restore it: wrong macros, damaged files."""

import asyncio
import errno
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from fake_disk import FakeDisk
from sets_life import Ioc, file, running
from virtual_clock import VirtualClock

from ioc_ops.autosave import SaveSet
from ioc_ops.autosave.fileformat import compose, value_line
from ioc_ops.autosave.files.generations import RotatingFileManager
from ioc_ops.autosave.image import SaveImage
from ioc_ops.autosave.session import SaveSession

FILE = Path("/d/my.json")


def content(number: int) -> list[bytes]:
    return compose([value_line("pv", number)], saved_at=0.0, serial=number, ioc="x:")


def whole(number: int) -> bytes:
    return b"".join(content(number))


def manager_on(disk: FakeDisk) -> RotatingFileManager:
    return RotatingFileManager(
        FILE, max_files_per_day=1, max_files=1, file_system=disk, clock=lambda: disk.clock
    )


def kept(disk: FakeDisk) -> list[bytes]:
    """What is protected, oldest first."""
    paths = sorted(path for path in disk.names if ".keep_" in path.name)
    return [disk.content(path) for path in paths]


class Start:
    """One start of an IOC that serves some PVs, saves a few times and dies."""

    def __init__(
        self,
        disk: FakeDisk,
        pvs: Mapping[str, int],
        *,
        complete: bool = True,
        saves: int = 4,
        carry_seconds: float = 1e9,
    ) -> None:
        session = SaveSession(manager_on(disk), SaveImage("x:", carry_seconds=carry_seconds))
        self.loaded = session.open()
        session.adopt(self.loaded, pvs, protect=not complete)
        for number in range(saves):
            disk.clock += 10
            session.write([(name, value + number) for name, value in pvs.items()])
        session.close()


RIGHT = {"r:a": 1, "r:b": 2}
WRONG = {"w:a": 50}


@pytest.fixture(params=[True, False], ids=["links", "copies"])
def disk(request: pytest.FixtureRequest) -> FakeDisk:
    """A disk with the state of an IOC that ran well."""
    disk = FakeDisk(links=request.param)
    Start(disk, RIGHT)
    return disk.after_kill()


def test_an_ioc_that_runs_well_protects_nothing(disk: FakeDisk) -> None:
    for _ in range(3):
        Start(disk, RIGHT)
        assert kept(disk) == []


@pytest.mark.parametrize("starts", [1, 3, 12])
def test_the_last_complete_file_outlives_starts_with_wrong_macros(
    disk: FakeDisk, starts: int
) -> None:
    good = disk.content(FILE)
    for number in range(starts):
        # Each run with a state of its own, pruned as hard as can be, and killed.
        Start(disk, {"w:a": 100 * number})
        disk = disk.after_kill()
        assert kept(disk)[0] == good
    assert len(kept(disk)) <= 3


def test_of_many_states_that_could_not_be_restored_the_oldest_and_two_more_stay(
    disk: FakeDisk,
) -> None:
    before = []
    for _ in range(6):
        before.append(disk.content(FILE))
        Start(disk, RIGHT, complete=False)
        disk = disk.after_kill()
    assert kept(disk) == [before[0], before[-2], before[-1]]


def test_one_state_is_protected_once(disk: FakeDisk) -> None:
    good = disk.content(FILE)
    for _ in range(3):  # a crash loop that never gets as far as to save
        Start(disk, RIGHT, complete=False, saves=0)
        disk = disk.after_kill()
        assert kept(disk) == [good]


def test_protection_ends_when_all_of_a_state_is_back(disk: FakeDisk) -> None:
    Start(disk, {"r:a": 7})  # r:b is missing
    assert len(kept(disk)) == 1
    Start(disk, {"r:a": 8})  # nothing is missing in the file, but r:b is carried in it
    assert len(kept(disk)) == 1
    Start(disk, RIGHT, complete=False)  # all there, but not all of it fits
    assert kept(disk)
    Start(disk, RIGHT)
    assert kept(disk) == []


def test_protection_holds_against_power_loss_right_after_the_start(disk: FakeDisk) -> None:
    good = disk.content(FILE)
    Start(disk, WRONG, saves=0)
    for after in disk.after_power_loss():
        assert kept(after) == [good]


def test_a_protected_file_is_found_when_all_others_are_gone(disk: FakeDisk) -> None:
    Start(disk, WRONG)
    for path in list(disk.names):
        if ".keep_" not in path.name:
            disk.unlink(path)
    result = manager_on(disk).load()
    assert result.snapshot is not None
    assert set(result.snapshot.values) == {"r:a", "r:b"}
    assert result.path is not None
    assert ".keep_" in result.path.name
    # And is protected no second time.
    Start(disk, WRONG)
    assert len(kept(disk)) == 1


def test_a_damaged_file_protects_the_one_before(disk: FakeDisk) -> None:
    Start(disk, RIGHT)
    before = [disk.content(path) for path in manager_on(disk).files]
    disk.put(FILE, disk.content(FILE)[:-5])
    start = Start(disk, RIGHT, complete=False)
    assert start.loaded.snapshot is not None
    assert kept(disk) == before


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_where_no_second_name_can_be_given_this_process_spares_the_file(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    disk = FakeDisk()
    Start(disk, RIGHT)
    good = disk.content(FILE)
    manager = manager_on(disk)

    def before(number: int, name: str) -> None:
        if name == "link":
            raise OSError(code, os.strerror(code))

    disk.before = before
    manager.protect(FILE)
    assert f"cannot protect /d/my.json: {os.strerror(code)}" in caplog.text
    disk.before = lambda number, name: None
    for number in range(10, 20):
        disk.clock += 10
        manager.save(content(number))
    assert good in [disk.content(path) for path in manager.files]


def test_protection_that_cannot_be_ended_stops_nothing(
    disk: FakeDisk, caplog: pytest.LogCaptureFixture
) -> None:
    Start(disk, WRONG)

    def before(number: int, name: str) -> None:
        if name == "unlink":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    disk.before = before
    Start(disk, RIGHT | WRONG)
    assert "cannot delete protected files: Input/output error" in caplog.text


def test_a_protected_generation_outlives_every_limit(tmp_path: Path) -> None:
    manager = RotatingFileManager(tmp_path / "my.json", max_files_per_day=2, max_files=2)
    manager.save(content(1))
    result = manager.load()
    assert result.path is not None
    manager.protect(result.path)
    for number in range(2, 12):
        manager.save(content(number))
    assert whole(1) in [path.read_bytes() for path in manager.files]
    (keep,) = tmp_path.glob("my.json.keep_*")
    assert keep.read_bytes() == whole(1)
    manager.end_protection()
    assert not keep.exists()


# --- an older generation was taken ----------------------------------------------------------------


def damage(disk: FakeDisk, count: int) -> None:
    """Cut off that many generations, the newest first."""
    manager = manager_on(disk)
    for path in [FILE, *manager.files][:count]:
        disk.put(path, disk.content(path)[:-5], mtime=disk.status(path).mtime)


@pytest.mark.parametrize("count", [1, 2])
def test_what_was_put_aside_counts_until_a_save_takes_its_place(count: int) -> None:
    disk = FakeDisk()
    manager = RotatingFileManager(FILE, file_system=disk, clock=lambda: disk.clock)
    for number in (1, 2, 3):
        disk.clock += 10
        manager.save(content(number))
    damage(disk, count)
    for start in range(3):  # none of which gets as far as a save
        result = manager.load()
        assert result.snapshot is not None
        assert result.snapshot.serial == 3 - count
        assert len(result.rejected) == count
        assert all((each.moved_to is None) == (start > 0) for each in result.rejected)
    assert {each.reason for each in result.rejected} == {"put aside at an earlier start"}

    disk.clock += 10
    manager.save(content(result.highest_serial + 1))
    assert manager.load().rejected == ()
    disk.unlink(FILE)  # and what is left is older than what was put aside
    assert len(manager.load().rejected) == count


def test_what_was_put_aside_long_ago_does_not_count() -> None:
    disk = FakeDisk()
    manager = RotatingFileManager(FILE, file_system=disk, clock=lambda: disk.clock)
    for number in (1, 2):
        disk.clock += 10
        manager.save(content(number))
    damage(disk, 1)
    assert len(manager.load().rejected) == 1
    for number in (3, 4):
        disk.clock += 10
        manager.save(content(number))
    disk.unlink(FILE)
    result = manager.load()
    assert result.snapshot is not None
    assert (result.snapshot.serial, result.rejected) == (3, ())


def test_where_only_put_aside_files_are_left_that_is_told() -> None:
    disk = FakeDisk()
    disk.put(FILE, b"rubbish")
    for _ in range(2):
        result = manager_on(disk).load()
        assert (result.snapshot, len(result.rejected)) == (None, 1)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Storage has all the time that it wants."""
    for limit in ("restore_timeout", "save_timeout", "stop_timeout"):
        monkeypatch.setattr(SaveSet, limit, 1e6)


@pytest.mark.usefixtures("patient")
def test_generations_that_were_passed_over_are_counted() -> None:
    disk, clock = FakeDisk(), VirtualClock()

    async def life(number: int, expected: int, state: str) -> None:
        async with running(disk, clock, Ioc) as one:
            stats = one.sets[""].stats
            assert (stats.passed_over, one.value("as:RESTORE_STATUS")) == (expected, state)
            await one.set("label", f"after start {number}")
            await one.set("as:SAVE", 1)

    async def main() -> None:
        await life(1, 0, "No file")
        await life(2, 0, "Ok")
        path = file("")
        disk.put(path, disk.content(path)[:-5])
        await life(3, 1, "Warning")
        await life(4, 0, "Ok")

    asyncio.run(main())


@pytest.mark.usefixtures("patient")
def test_where_there_is_nothing_to_take_nothing_was_passed_over() -> None:
    disk, clock = FakeDisk(), VirtualClock()
    disk.put(file(""), b"rubbish")

    async def main() -> None:
        async with running(disk, clock, Ioc) as life:
            stats = life.sets[""].stats
            assert (stats.passed_over, stats.restore_failures) == (0, 2)

    asyncio.run(main())


def test_what_another_user_alone_may_read_is_not_overwritten() -> None:
    """Nor does Linux let one link it (protected_hardlinks)."""
    disk = FakeDisk()
    disk.put("/d/my_20260301-120000.json", whole(1))
    disk.put(FILE, whole(2))
    theirs = disk.names[FILE]

    class OfAnother(FakeDisk):
        def read(self, path: Path) -> bytes:
            if self.names[path] == theirs:
                raise OSError(errno.EACCES, os.strerror(errno.EACCES))
            return super().read(path)

        def link(self, source: Path, target: Path) -> None:
            if self.names[source] == theirs:
                raise OSError(errno.EPERM, os.strerror(errno.EPERM))
            super().link(source, target)

    disk.__class__ = OfAnother
    manager = manager_on(disk)
    manager.load()
    saved = manager.save(content(3))
    for number in range(4, 9):
        disk.clock += 10
        manager.save(content(number))
    disk.__class__ = FakeDisk  # somebody has mended the rights
    assert [path for path in disk.names if disk.content(path) == whole(2)] == [saved.backup]
    assert disk.content(FILE) == whole(8)
