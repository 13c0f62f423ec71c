"""The file manager on a real directory, and on a disk that misbehaves."""

import errno
import json
import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fake_disk import FakeDisk

from ioc_ops.autosave.fileformat import compose, value_line
from ioc_ops.autosave.files.generations import RotatingFileManager
from ioc_ops.errors import AutosaveError

FILE = Path("/d/my.json")
NOON = datetime(2026, 3, 1, 12).timestamp()


def content(number: int) -> list[bytes]:
    return compose([value_line("pv", number)], saved_at=0.0, serial=number, ioc="x:")


def whole(number: int) -> bytes:
    return b"".join(content(number))


def loaded(manager: RotatingFileManager) -> int | None:
    snapshot = manager.load().snapshot
    return None if snapshot is None else snapshot.serial


class Now:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = time.time()

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def manager(tmp_path: Path) -> RotatingFileManager:
    return RotatingFileManager(tmp_path / "my.json")


def test_a_first_save(manager: RotatingFileManager, tmp_path: Path) -> None:
    manager.prepare()
    result = manager.save(content(1))
    assert result.path == tmp_path / "my.json"
    assert result.path.read_bytes() == whole(1)
    assert (result.size, result.backup, result.generations) == (len(whole(1)), None, 0)
    assert sorted(os.listdir(tmp_path)) == [".my.json.lock", "my.json"]
    assert manager.exists()
    manager.close()


def test_every_save_keeps_the_one_before_even_within_a_second(
    manager: RotatingFileManager, tmp_path: Path
) -> None:
    backups = [manager.save(content(number)).backup for number in range(1, 5)]
    assert backups[0] is None
    assert len(set(backups)) == 4
    states = [backup.read_bytes() for backup in backups if backup]
    assert states == [whole(1), whole(2), whole(3)]
    assert list(manager.files) == [*reversed(backups[1:])]


def test_a_save_that_fails_half_way_leaves_nothing_and_keeps_the_state_once() -> None:
    disk = FakeDisk()
    manager = RotatingFileManager(FILE, file_system=disk, clock=lambda: disk.clock)
    manager.save(content(1))

    def before(number: int, name: str) -> None:
        if name == "replace":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    disk.before = before
    for _ in range(3):
        with pytest.raises(AutosaveError, match=r"cannot replace /d/my\.json: Input/output error"):
            manager.save(content(2))
    disk.before = lambda number, name: None
    manager.save(content(3))
    assert [disk.content(path) for path in manager.files] == [whole(1)]
    assert len(disk.names) == 2


def test_the_file_mode_lets_a_group_work_together(
    manager: RotatingFileManager, tmp_path: Path
) -> None:
    before = os.umask(0o002)
    try:
        manager.save(content(1))
    finally:
        os.umask(before)
    assert (tmp_path / "my.json").stat().st_mode & 0o777 == 0o664


def test_the_dated_name_is_the_time_at_which_that_state_was_saved(tmp_path: Path) -> None:
    manager = RotatingFileManager(tmp_path / "my.json")
    manager.save(content(1))
    os.utime(tmp_path / "my.json", (NOON, NOON))
    backup = manager.save(content(2)).backup
    assert backup is not None
    assert backup.name == "my_20260301-120000.json"


def test_names_of_caproto_keep_working(tmp_path: Path) -> None:
    now = Now()
    manager = RotatingFileManager(
        str(tmp_path / "my.json"),
        max_files_per_day=5,
        max_file_age=30,
        date_suffix="_%Y%m%d-%H%M%S",
        clock=now,
    )
    for days in (1, 40, 60):
        date = datetime.fromtimestamp(now.time - days * 86400)
        (tmp_path / f"my{date:_%Y%m%d-%H%M%S}.json").write_bytes(whole(100 - days))
    (tmp_path / "my_other.json").write_bytes(b"not ours")
    assert manager.filename == tmp_path / "my.json"
    assert manager.directory == tmp_path
    assert manager.glob_string == "my*.json"
    ages = [timedelta(days=days) for days in (1, 40, 60)]
    assert [round(age / timedelta(days=1)) for age in manager.files_by_age] == [1, 40, 60]
    assert all(
        abs(found - age) < timedelta(hours=2)
        for found, age in zip(manager.files_by_age, ages, strict=True)
    )
    files = list(manager.files)
    assert manager.prune_files() == set(files[1:])
    assert sorted(os.listdir(tmp_path)) == sorted(["my_other.json", files[0].name])


def test_files_of_one_age_are_all_there(tmp_path: Path) -> None:
    manager = RotatingFileManager(tmp_path / "my.json")
    for number in ("", "_2", "_10"):
        path = tmp_path / f"my_20260301-120000{number}.json"
        path.write_bytes(whole(1))
        os.utime(path, (NOON, NOON))
    names = [path.name for path in manager.files_by_age.values()]
    assert names == [f"my_20260301-120000{number}.json" for number in ("_10", "_2", "")]


def test_rotate_in_file(manager: RotatingFileManager, tmp_path: Path) -> None:
    manager.save(content(1))
    new = tmp_path / "new"
    new.write_bytes(whole(2))
    assert manager.rotate_in_file(new) == set()
    assert loaded(manager) == 2
    assert not new.exists()
    assert [path.read_bytes() for path in manager.files] == [whole(1)]
    with pytest.raises(AutosaveError, match=r"cannot use .*new: No such file"):
        manager.rotate_in_file(new)


def test_rotate_in_a_file_from_another_file_system() -> None:
    disk = FakeDisk()
    disk.directories.add(Path("/tmp"))
    disk.put(FILE, whole(1))
    disk.put("/tmp/new", whole(2))
    renamed: list[str] = []

    def before(number: int, name: str) -> None:
        if name == "replace":
            renamed.append(name)
            if len(renamed) == 1:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    disk.before = before
    manager = RotatingFileManager(FILE, file_system=disk)
    manager.rotate_in_file("/tmp/new")
    assert loaded(manager) == 2
    assert [disk.content(path) for path in manager.files] == [whole(1)]
    assert Path("/tmp/new") not in disk.names


def test_a_file_that_could_not_be_rotated_in_is_still_there() -> None:
    disk = FakeDisk()
    disk.put("/d/new", whole(2))

    def before(number: int, name: str) -> None:
        if name == "replace":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    disk.before = before
    with pytest.raises(AutosaveError, match="Input/output error"):
        RotatingFileManager(FILE, file_system=disk).rotate_in_file("/d/new")
    assert disk.content("/d/new") == whole(2)


def test_pruning_while_saving(tmp_path: Path) -> None:
    manager = RotatingFileManager(tmp_path / "my.json", max_files_per_day=3)
    for number in range(1, 20):
        result = manager.save(content(number))
    assert result.generations == 3
    assert len(result.pruned) == 1
    assert len(os.listdir(tmp_path)) == 4


# --- loading -----------------------------------------------------------------------------------


def damage(path: Path, data: bytes) -> None:
    """In place, as a disk does it; the dated copies are hard links of older files."""
    status = path.stat()
    path.unlink()
    path.write_bytes(data)
    os.utime(path, (status.st_atime, status.st_mtime))


DAMAGES: list[Callable[[bytes], bytes]] = [
    lambda data: b"",
    lambda data: data[:-1],
    lambda data: data[: len(data) // 2],
    lambda data: bytes(len(data)),
    lambda data: data.replace(b'"pv": 2', b'"pv": 3'),
    lambda data: b"{}}",
    lambda data: os.urandom(4096),
]


@pytest.mark.parametrize("damaged", DAMAGES, ids=range(len(DAMAGES)))
def test_a_damaged_file_is_put_aside_and_the_one_before_is_loaded(
    manager: RotatingFileManager, tmp_path: Path, damaged: Callable[[bytes], bytes]
) -> None:
    for number in (1, 2):
        manager.save(content(number))
    bad = damaged(whole(2))
    damage(tmp_path / "my.json", bad)

    result = manager.load()
    assert result.snapshot is not None
    assert result.snapshot.serial == 1
    assert result.path == next(iter(manager.files))
    (rejected,) = result.rejected
    assert rejected.path == tmp_path / "my.json"
    assert rejected.reason
    assert rejected.moved_to is not None
    assert rejected.moved_to.name.startswith("my.json.bad_")
    assert rejected.moved_to.read_bytes() == bad

    # The next save neither touches the bad file nor rotates it in among the good ones.
    assert manager.save(content(3)).backup is None
    assert rejected.moved_to.read_bytes() == bad
    assert [path.read_bytes() for path in manager.files] == [whole(1)]
    assert loaded(manager) == 3


def test_the_chain_goes_back_to_the_last_good_one(
    manager: RotatingFileManager, tmp_path: Path
) -> None:
    for number in range(1, 5):
        manager.save(content(number))
    for path in [tmp_path / "my.json", *list(manager.files)[:2]]:
        damage(path, b"rubbish")
    result = manager.load()
    assert result.snapshot is not None
    assert result.snapshot.serial == 1
    assert len(result.rejected) == 3
    assert loaded(manager) == 1  # and again, now that the bad ones are out of the way


def test_nothing_usable_at_all(manager: RotatingFileManager, tmp_path: Path) -> None:
    assert manager.load().snapshot is None  # an empty directory is nothing bad
    assert manager.load().rejected == ()
    manager.save(content(1))
    damage(tmp_path / "my.json", b"rubbish")
    result = manager.load()
    assert result.snapshot is None
    assert len(result.rejected) == 1


def test_without_a_directory_there_is_nothing_to_load(tmp_path: Path) -> None:
    assert RotatingFileManager(tmp_path / "not" / "there.json").load().snapshot is None


def test_bad_files_are_kept_but_not_without_end(tmp_path: Path) -> None:
    now = Now()
    manager = RotatingFileManager(tmp_path / "my.json", max_bad_files=3, clock=now)
    kept = []
    for number in range(6):
        now.time += 0.4
        manager.save(content(1))
        damage(tmp_path / "my.json", b"rubbish %d" % number)
        kept.append(manager.load().rejected[0].moved_to)
    bad = sorted(tmp_path.glob("*.bad_*"))
    assert {path.read_bytes() for path in bad} == {b"rubbish 3", b"rubbish 4", b"rubbish 5"}
    assert bad == sorted(path for path in kept[3:] if path)


def test_of_many_bad_files_the_newest_are_kept(tmp_path: Path) -> None:
    """All of a second, as one start finds them; each is where the report says."""
    now = Now()
    manager = RotatingFileManager(
        tmp_path / "my.json", max_files_per_day=None, max_bad_files=3, clock=now
    )
    for number in range(12):
        now.time += 0.01
        manager.save(content(number))
    for number, path in enumerate([tmp_path / "my.json", *manager.files]):
        damage(path, b"rubbish %d" % number)  # 0 is the newest
    rejected = manager.load().rejected
    assert len(rejected) == 12
    kept = [each.moved_to.read_bytes() for each in rejected if each.moved_to]
    assert kept == [b"rubbish 0", b"rubbish 1", b"rubbish 2"]
    assert len(list(tmp_path.glob("*.bad_*"))) == 3

    manager.save(content(13))
    damage(tmp_path / "my.json", b"newer rubbish")  # and again in that second
    (newer,) = manager.load().rejected
    assert newer.moved_to
    assert newer.moved_to.read_bytes() == b"newer rubbish"
    contents = {path.read_bytes() for path in tmp_path.glob("*.bad_*")}
    assert contents == {b"newer rubbish", b"rubbish 0", b"rubbish 1"}


def test_caproto_files_are_loaded_as_generations(tmp_path: Path) -> None:
    data = json.dumps({"pv": {"value": 5, "fields": {}}})
    (tmp_path / "my_20260301-120000.json").write_text(data)
    snapshot = RotatingFileManager(tmp_path / "my.json").load().snapshot
    assert snapshot is not None
    assert snapshot.values == {"pv": 5}


def test_generations_that_were_copied_here_go_by_their_name(tmp_path: Path) -> None:
    for day in (3, 1, 2):  # the oldest state is the youngest file
        (tmp_path / f"my_2026030{day}-120000.json").write_bytes(whole(day))
    manager = RotatingFileManager(tmp_path / "my.json", max_file_age=None)
    assert [path.name[10:11] for path in manager.files] == ["3", "2", "1"]
    assert loaded(manager) == 3


def test_a_moment_without_descriptors_costs_no_generation() -> None:
    disk = FakeDisk()
    disk.put("/d/my_20260301-120000.json", whole(1))
    disk.put(FILE, whole(2))
    failed: list[int] = []

    def before(number: int, name: str) -> None:
        if name == "read" and not failed:
            failed.append(number)
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    disk.before = before
    assert loaded(RotatingFileManager(FILE, file_system=disk)) == 2
    assert failed


def test_a_file_that_cannot_be_read_stays_and_is_spared() -> None:
    disk = FakeDisk()
    disk.put("/d/my_20260301-120000.json", whole(1))
    disk.put(FILE, whole(2))
    unreadable = disk.names[FILE]

    class Unreadable(FakeDisk):
        def read(self, path: Path) -> bytes:
            if self.names[path] == unreadable:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().read(path)

    disk.__class__ = Unreadable
    manager = RotatingFileManager(
        FILE, max_files_per_day=1, max_files=1, file_system=disk, clock=lambda: disk.clock
    )
    result = manager.load()
    assert result.snapshot is not None
    assert result.snapshot.serial == 1
    assert [(r.path, r.reason, r.moved_to) for r in result.rejected] == [
        (FILE, "Input/output error", None)
    ]
    for number in range(3, 9):
        disk.clock += 10
        manager.save(content(number))
    disk.__class__ = FakeDisk  # the disk can be read again
    assert whole(2) in [disk.content(path) for path in manager.files]


def test_a_bad_file_that_cannot_be_put_aside_stops_no_save() -> None:
    disk = FakeDisk()
    disk.put(FILE, b"rubbish")

    def before(number: int, name: str) -> None:
        if name == "replace":
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    disk.before = before
    manager = RotatingFileManager(FILE, file_system=disk)
    assert manager.load().rejected[0].moved_to is None
    disk.before = lambda number, name: None
    assert manager.save(content(1)).backup is None
    assert loaded(manager) == 1
    assert b"rubbish" in [disk.content(p) for p in disk.names if ".bad_" in p.name]
