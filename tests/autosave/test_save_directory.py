"""The directory of a save file: made, found unusable, full, shared with other files."""

import errno
import os
from pathlib import Path

import pytest
from fake_disk import FakeDisk

from ioc_ops.autosave.fileformat import compose, value_line
from ioc_ops.autosave.files.filesystem import FileSystem
from ioc_ops.autosave.files.generations import RotatingFileManager
from ioc_ops.errors import AutosaveError, ConfigurationError, DefinitionError

FILE = Path("/d/my.json")


def content(number: int) -> list[bytes]:
    return compose([value_line("pv", number)], saved_at=0.0, serial=number, ioc="x:")


def whole(number: int) -> bytes:
    return b"".join(content(number))


def loaded(manager: RotatingFileManager) -> int | None:
    snapshot = manager.load().snapshot
    return None if snapshot is None else snapshot.serial


def test_missing_directories_are_made(tmp_path: Path) -> None:
    manager = RotatingFileManager(tmp_path / "a" / "b" / "my.json")
    manager.prepare()
    manager.save(content(1))
    assert loaded(manager) == 1
    assert sorted(os.listdir(tmp_path / "a" / "b")) == [".my.json.lock", "my.json"]
    manager.close()


def test_a_relative_file_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = RotatingFileManager("my.json")
    monkeypatch.chdir(tmp_path)
    manager.prepare()
    manager.save(content(1))
    manager.save(content(2))
    assert (tmp_path / "my.json").read_bytes() == whole(2)
    assert loaded(manager) == 2
    manager.close()


def test_a_file_in_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    manager = RotatingFileManager(tmp_path / "state" / "my.json")
    with pytest.raises(ConfigurationError, match=r"^autosave: .*/state: Not a directory$"):
        manager.prepare()


def test_a_directory_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "my.json").mkdir()
    with pytest.raises(ConfigurationError, match=r"my\.json is a directory, not a file$"):
        RotatingFileManager(tmp_path / "my.json").prepare()


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_directory_that_cannot_be_written_to(code: int) -> None:
    disk = FakeDisk()

    def before(number: int, name: str) -> None:
        if name == "create":
            raise OSError(code, os.strerror(code))

    disk.before = before
    with pytest.raises(ConfigurationError, match=f"directory /d: {os.strerror(code)}$"):
        RotatingFileManager(FILE, file_system=disk).prepare()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.EIO])
def test_a_full_disk_does_not_keep_an_ioc_from_starting(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    disk = FakeDisk()
    disk.put(FILE, whole(1))

    def before(number: int, name: str) -> None:
        if name == "create":
            raise OSError(code, os.strerror(code))

    disk.before = before
    manager = RotatingFileManager(FILE, file_system=disk)
    manager.prepare()
    assert f"cannot write to the directory /d: {os.strerror(code)}" in caplog.text
    assert loaded(manager) == 1
    with pytest.raises(AutosaveError, match=os.strerror(code)):
        manager.save(content(2))
    disk.before = lambda number, name: None
    manager.save(content(2))
    assert loaded(manager) == 2


def leave_temporaries(directory: Path) -> dict[str, Path]:
    names = {"old": "1-1", "young": "2-1", "mine": f"{os.getpid()}-9", "other": "x-1"}
    paths = {key: directory / f".my.json.{name}.tmp" for key, name in names.items()}
    for path in paths.values():
        path.write_text("half a fi")
    os.utime(paths["old"], (1.0, 1.0))
    return paths


def test_prepare_removes_what_killed_processes_left(tmp_path: Path) -> None:
    # Also what a supervisor's many starts on a full disk have left in the last minutes.
    paths = leave_temporaries(tmp_path)
    manager = RotatingFileManager(tmp_path / "my.json")
    manager.prepare()
    assert list(tmp_path.glob(".*.tmp")) == [paths["other"]]
    manager.close()


def test_without_a_lock_prepare_spares_what_may_be_in_use(tmp_path: Path) -> None:
    class Lockless(FileSystem):
        def lock(self, path: Path) -> int:
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    paths = leave_temporaries(tmp_path)
    RotatingFileManager(tmp_path / "my.json", file_system=Lockless()).prepare()
    assert set(tmp_path.glob(".*.tmp")) == {paths["young"], paths["other"]}


@pytest.mark.parametrize(
    "arguments",
    [
        {"max_files_per_day": 0},
        {"max_file_age": -1},
        {"max_files": 0},
        {"max_total_bytes": 0},
        {"max_bad_files": 0},
        {"lock_timeout": -1},
        {"date_suffix": "_old"},
        {"date_suffix": "_%H%M%S"},
        {"date_suffix": "/%Y%m%d"},
        {"filename": "/"},
    ],
    ids=str,
)
def test_arguments_that_make_no_sense(arguments: dict[str, object]) -> None:
    with pytest.raises(DefinitionError, match="RotatingFileManager"):
        RotatingFileManager(**{"filename": "my.json"} | arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", ["_%Y%m%d", "-%d.%m.%y", "_%Y%m%d-%H%M%S-%f", "%Y_%j"])
def test_other_date_suffixes(tmp_path: Path, suffix: str) -> None:
    manager = RotatingFileManager(tmp_path / "my.json", date_suffix=suffix)
    for number in range(1, 6):
        manager.save(content(number))
    assert [path.read_bytes() for path in manager.files] == [whole(n) for n in (4, 3, 2, 1)]


def test_nothing_beside_the_save_file_is_touched(tmp_path: Path) -> None:
    strangers = [
        "my.json.old",
        "my-notes.json",
        "other.json",
        "my_99999999-000000.json",
        "my.jsonx",
    ]
    for name in strangers:
        (tmp_path / name).write_text("precious")
        os.utime(tmp_path / name, (1.0, 1.0))
    manager = RotatingFileManager(tmp_path / "my.json", max_files_per_day=1, max_file_age=0.001)
    manager.prepare()
    for number in range(1, 4):
        manager.save(content(number))
    (tmp_path / "my.json").unlink()
    (tmp_path / "my.json").write_bytes(b"rubbish")
    manager.load()
    manager.close()
    assert [(tmp_path / name).read_text() for name in strangers] == ["precious"] * 5
