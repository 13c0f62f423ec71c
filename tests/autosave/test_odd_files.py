"""What stands where the save file should be: links, directories, huge files, bytes of any kind."""

import errno
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fake_disk import FakeDisk

from ioc_ops.autosave.fileformat import compose, dumps, value_line
from ioc_ops.autosave.files.generations import RotatingFileManager
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.errors import AutosaveError, ConfigurationError

Make = Callable[[str], RotatingFileManager]


def content(number: int) -> list[bytes]:
    return compose([value_line("pv", number)], saved_at=0.0, serial=number, ioc="x:")


def whole(number: int) -> bytes:
    return b"".join(content(number))


def loaded(manager: RotatingFileManager) -> int | None:
    snapshot = manager.load().snapshot
    return None if snapshot is None else snapshot.serial


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[RotatingFileManager] = []

    def manager(name: str = "my.json") -> RotatingFileManager:
        made.append(RotatingFileManager(tmp_path / name))
        made[-1].prepare()
        return made[-1]

    yield manager
    for each in made:
        each.close()


# --- symbolic links ---------------------------------------------------------------------------


@pytest.mark.parametrize("there", [True, False], ids=["file", "dangling"])
def test_a_link_stays_a_link_and_all_is_kept_beside_what_it_stands_for(
    make: Make, tmp_path: Path, there: bool
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    if there:
        (data / "real.json").write_bytes(whole(1))
    (tmp_path / "my.json").symlink_to("data/real.json")
    manager = make("my.json")
    result = manager.load()
    assert (result.path == tmp_path / "my.json") == there  # the name that the user gave
    backups = [manager.save(content(number)).backup for number in (2, 3)]
    assert (tmp_path / "my.json").is_symlink()
    assert os.readlink(tmp_path / "my.json") == "data/real.json"
    assert (data / "real.json").read_bytes() == whole(3)
    assert sorted(os.listdir(tmp_path)) == ["data", "my.json"]
    assert backups[1] is not None
    assert backups[1].parent == data
    assert set(manager.files) == {path for path in data.iterdir() if "real_" in path.name}
    assert manager.directory == data
    manager.protect(tmp_path / "my.json")
    assert len(list(data.glob("real.json.keep_*"))) == 1
    (data / "real.json").unlink()
    (data / "real.json").write_bytes(b"rubbish")
    (rejected,) = manager.load().rejected
    assert rejected.path == tmp_path / "my.json"
    assert rejected.moved_to is not None
    assert rejected.moved_to.parent == data


def test_a_link_in_a_circle(make: Make, tmp_path: Path) -> None:
    (tmp_path / "my.json").symlink_to("other.json")
    (tmp_path / "other.json").symlink_to("my.json")
    with pytest.raises(ConfigurationError, match=r"cannot follow .*my\.json: Too many"):
        make("my.json")


def test_a_link_to_a_directory(make: Make, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "my.json").symlink_to("data")
    with pytest.raises(ConfigurationError, match=r"my\.json is a directory, not a file"):
        make("my.json")


def test_a_linked_directory_is_a_directory(make: Make, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "state").symlink_to("data")
    manager = make("state/my.json")
    manager.save(content(1))
    assert (tmp_path / "data" / "my.json").read_bytes() == whole(1)


# --- while it runs ------------------------------------------------------------------------------


def test_the_directory_is_moved_away_and_comes_back(make: Make, tmp_path: Path) -> None:
    manager = make("state/my.json")
    manager.save(content(1))
    (tmp_path / "state").rename(tmp_path / "away")
    # A mount that is gone must not be replaced by a directory: that would hide the trouble.
    with pytest.raises(AutosaveError, match=r"cannot write to .*state: No such file or directory"):
        manager.save(content(2))
    assert not manager.exists()
    assert not (tmp_path / "state").exists()
    (tmp_path / "away").rename(tmp_path / "state")
    manager.save(content(2))
    assert loaded(manager) == 2
    assert [path.read_bytes() for path in manager.files] == [whole(1)]


def test_the_file_is_replaced_by_a_directory(make: Make, tmp_path: Path) -> None:
    manager = make("my.json")
    for number in (1, 2):
        manager.save(content(number))
    (tmp_path / "my.json").unlink()
    (tmp_path / "my.json").mkdir()
    with pytest.raises(AutosaveError, match=r"cannot replace .*my\.json: Is a directory"):
        manager.save(content(3))
    assert not list(tmp_path.glob(".*.tmp"))
    # Who looks for the newest state finds the one before.
    result = manager.load()
    assert result.snapshot is not None
    assert result.snapshot.serial == 1
    assert result.rejected[0].reason == "Is a directory"
    (tmp_path / "my.json").rmdir()
    manager.save(content(3))
    assert loaded(manager) == 3


def test_somebody_else_deletes_files_while_it_saves(make: Make, tmp_path: Path) -> None:
    manager = make("my.json")
    for number in range(1, 12):
        manager.save(content(number))
        for path in list(manager.files)[1:]:
            path.unlink()
        if number % 3 == 0:
            (tmp_path / "my.json").unlink()
    assert loaded(manager) == 11


def test_a_second_link_to_the_file_keeps_its_content(make: Make, tmp_path: Path) -> None:
    manager = make("my.json")
    manager.save(content(1))
    os.link(tmp_path / "my.json", tmp_path / "mine.txt")  # an operator's own backup
    manager.save(content(2))
    assert (tmp_path / "mine.txt").read_bytes() == whole(1)


# --- what is in it ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00binary",
        whole(1).replace(b'"pv"', b'"p\xff"'),
        b'{"pv": {"value": "\xc3\x28"}}',
        b"\xef\xbb\xbf" + whole(1),
        b"[" * 100_000,
        b"\x00" * 1_000_000,
        b'{"pv": NaN}',
        b'{"pv": {"value": 1e999999}, "pv": 1}',
        whole(1) * 2,
        whole(1).replace(b'"serial": 1', b'"serial": 99999999999999999999'),
    ],
    ids=range(10),
)
def test_bytes_of_any_kind_cost_one_generation(make: Make, tmp_path: Path, data: bytes) -> None:
    manager = make("my.json")
    manager.save(content(1))
    manager.save(content(2))
    (tmp_path / "my.json").unlink()
    (tmp_path / "my.json").write_bytes(data)
    result = manager.load()
    assert result.snapshot is not None
    assert result.snapshot.serial == 1
    (rejected,) = result.rejected
    assert "\n" not in rejected.reason
    assert rejected.moved_to is not None
    assert rejected.moved_to.read_bytes() == data
    manager.save(content(result.highest_serial + 1))
    assert loaded(manager) == result.highest_serial + 1


def test_a_head_that_is_damaged_tells_no_serial(make: Make, tmp_path: Path) -> None:
    # Else all that is saved later would look older than it.
    (tmp_path / "my_20260301-120000.json").write_bytes(
        whole(1).replace(b'"serial": 1', b'"serial": 99999999999999999999')
    )
    assert make("my.json").load().highest_serial == 0


def test_an_array_of_ten_megabytes_comes_back(make: Make) -> None:
    array = np.frombuffer(np.random.default_rng(1).bytes(10_000_000), np.float64)
    values = {"big": array, "nan": math.nan, "text": "\u00e9"}
    manager = make("my.json")
    size = manager.save([dumps(Snapshot(values, serial=1))]).size
    snapshot = manager.load().snapshot
    assert size > 10_000_000
    assert snapshot is not None
    back = snapshot.values["big"]
    assert isinstance(back, np.ndarray)
    assert back.tobytes() == array.tobytes()  # with the NaNs among random bits
    assert math.isnan(snapshot.values["nan"])  # type: ignore[arg-type]


def test_a_file_on_another_file_system_is_brought_over(tmp_path: Path) -> None:
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    manager = RotatingFileManager(tmp_path / "my.json")
    manager.save(content(1))
    new = Path(f"/dev/shm/rotate-in-{os.getpid()}.json")
    new.write_bytes(whole(2))
    try:
        assert manager.rotate_in_file(new) == set()
        assert not new.exists()
    finally:
        new.unlink(missing_ok=True)
    assert loaded(manager) == 2
    assert [path.read_bytes() for path in manager.files] == [whole(1)]


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE])
def test_a_head_that_cannot_be_read_stops_nothing(code: int) -> None:
    disk = FakeDisk()
    for day in (1, 2, 3):
        disk.put(f"/d/my_2026030{day}-120000.json", whole(day))

    class Unreadable(FakeDisk):
        def read_head(self, path: Path, size: int) -> bytes:
            raise OSError(code, os.strerror(code))

    disk.__class__ = Unreadable
    manager = RotatingFileManager("/d/my.json", max_file_age=None, file_system=disk)
    assert loaded(manager) == 3
    manager.save(content(4))
    assert [path.name[10:11] for path in manager.files] == ["3", "2", "1"]
