"""Files of configurations: whole at every instant, listed whatever they hold."""

import errno
import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fake_disk import Crash, FakeDisk
from hypothesis import example, given
from hypothesis import strategies as st

from ioc_ops.autosave.configurations.files import ConfigEntry, ConfigFiles
from ioc_ops.autosave.configurations.names import ConfigNames
from ioc_ops.autosave.formats import loads_sav
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.values import EnumValue, UntypedValue
from ioc_ops.errors import AutosaveError, ConfigurationError

DIRECTORY = Path("/d")
FILE = Path("/d/scan_a.cfg")
DATA = Path(__file__).parent / "data"


def files_on(disk: FakeDisk, keep: int = 3) -> ConfigFiles:
    names = ConfigNames(DIRECTORY, "scan")
    files = ConfigFiles(names, "x:", keep=keep, file_system=disk, clock=lambda: disk.clock)
    files.prepare(writable=True)
    return files


def state(number: float) -> Snapshot:
    return Snapshot({"x:gain": number, "x:offset": -number})


def gain_in(disk: FakeDisk, name: str = "a") -> float:
    """What a restart would load; the file must be whole and of one state."""
    values = files_on(disk).load(name)[1].values
    gain, offset = values["x:gain"], values["x:offset"]
    assert isinstance(gain, UntypedValue)
    assert isinstance(offset, UntypedValue)
    assert float(str(gain.text)) == -float(str(offset.text))
    return float(str(gain.text))


def listing(disk: FakeDisk) -> list[str]:
    return sorted(path.name for path in disk.names)


def test_what_is_in_a_file() -> None:
    disk = FakeDisk()
    files = files_on(disk)
    values = {"x:z": 0.1 + 0.2, "x:a": "two words", "x:mode": EnumValue(2, "FAST")}
    assert files.save("a", "for me", Snapshot(values)) == []
    lines = disk.content(FILE).decode().splitlines()
    assert lines[0].startswith("# autosave R5.3\t")
    assert lines[1:] == [
        "x:scanMenu:currName a",
        "x:scanMenu:currDesc for me",
        "x:z 0.30000000000000004",  # in the order in which they are to be loaded
        "x:a two words",
        "x:mode 2",
        "<END>",
    ]
    assert files.find() == [ConfigEntry("a", "for me")]


def test_values_of_every_kind_read_back() -> None:
    disk = FakeDisk()
    values = {
        "x:f": math.nan, "x:g": -0.0, "x:i": 2**63 - 1, "x:b": True, "x:s": "",
        "x:t": "\u00e9" * 60, "x:raw": bytes(range(256)), "x:n": [], "x:l": [1.5],
        "x:ss": ["a b", 'q"\\\n', ""],
        "x:array": np.linspace(0, 1, 500), "x:floats": np.float32([0.1, np.inf]),
        "x:zero": "a\0b", "x:at": "@array@ { ", "x:end": "<END>",
    }  # fmt: skip
    files_on(disk).save("a", "", Snapshot(values))  # which compares them itself
    assert values.keys() <= files_on(disk).load("a")[1].values.keys()


def test_a_value_that_cannot_be_saved_leaves_the_file_as_it_was() -> None:
    disk = FakeDisk()
    files = files_on(disk)
    files.save("a", "", state(1))
    for bad in (Snapshot({"x:gain": 2.0, "x:o": object()}), Snapshot({"x y": 1})):  # type: ignore[dict-item]
        with pytest.raises(AutosaveError, match=r"not saved: x( y|:o)"):
            files.save("a", "", bad)
    assert gain_in(disk) == 1
    assert listing(disk) == ["scan_a.cfg"]


def test_a_storage_that_garbles_leaves_the_file_as_it_was() -> None:
    class Garbling(FakeDisk):
        def read(self, path: Path) -> bytes:
            content = super().read(path)
            return content.replace(b"gain 2", b"gain 3") if path.suffix == ".tmp" else content

    disk = Garbling()
    files = files_on(disk)
    files.save("a", "", state(1))
    with pytest.raises(AutosaveError, match="x:gain does not read back"):
        files.save("a", "", state(2))
    assert gain_in(disk) == 1


def test_what_is_overwritten_and_deleted_stays_as_a_copy() -> None:
    disk = FakeDisk()
    files = files_on(disk)
    for number in range(1, 7):
        files.save("a", "", state(number))  # several within one second
    assert len(listing(disk)) == 1 + 3
    kept = [loads_sav(disk.content(path)) for path in disk.names if path != FILE]
    found = {value.text for s in kept if isinstance(value := s.values["x:gain"], UntypedValue)}
    assert found == {"3", "4", "5"}
    assert files.delete("a") == ("a", [])
    assert FILE not in disk.names
    newest = max(disk.names, key=lambda path: files.names.age_of_copy(FILE, path) or ("", 0))
    assert b"x:gain 6" in disk.content(newest)
    with pytest.raises(AutosaveError, match="no configuration 'a' in /d"):
        files.delete("a")


# --- crashes ----------------------------------------------------------------------------------


def saved_once(*, links: bool = True) -> FakeDisk:
    disk = FakeDisk(links=links)
    files_on(disk).save("a", "", state(1))
    return disk.after_kill()


def crashing(disk: FakeDisk, step: int) -> None:
    disk.operations.clear()

    def before(number: int, name: str) -> None:
        if number == step:
            raise Crash

    disk.before = before


@pytest.mark.parametrize("links", [True, False])
def test_a_crash_at_any_operation_leaves_the_old_or_the_new_file(links: bool) -> None:
    disk = saved_once(links=links)
    files = files_on(disk)
    disk.operations.clear()
    files.save("a", "", state(2))
    steps = list(disk.operations)
    assert {"create", "write", "fsync", "replace", "fsync_directory"} <= set(steps)
    seen = set()
    for step in range(len(steps)):
        disk = saved_once(links=links)
        files = files_on(disk)
        crashing(disk, step)
        with pytest.raises(Crash):
            files.save("a", "", state(2))
        for after in (disk.after_kill(), *disk.after_power_loss()):
            seen.add(gain_in(after))
            files_on(after).save("a", "", state(3))  # and life goes on
            assert gain_in(after.after_kill()) == 3
            assert not [name for name in listing(after) if name.endswith(".tmp")]
    assert seen == {1, 2}


def test_what_was_saved_is_there_after_a_loss_of_power() -> None:
    disk = saved_once()
    files_on(disk).save("a", "", state(2))
    for after in disk.after_power_loss():
        assert gain_in(after) == 2


def test_a_crash_while_deleting_loses_nothing() -> None:
    disk = saved_once()
    files = files_on(disk)
    disk.operations.clear()
    files.delete("a")
    for step in range(len(disk.operations)):
        disk = saved_once()
        files = files_on(disk)
        crashing(disk, step)
        with pytest.raises(Crash):
            files.delete("a")
        for after in (disk.after_kill(), *disk.after_power_loss()):
            assert any(b"x:gain 1\n" in after.content(path) for path in after.names)


@pytest.mark.parametrize("operation", ["create", "write", "fsync", "close", "replace", "read"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE])
def test_an_error_of_the_disk_leaves_the_old_file(operation: str, number: int) -> None:
    disk = saved_once()
    files = files_on(disk)

    def before(step: int, name: str) -> None:
        if name == operation:
            raise OSError(number, os.strerror(number))

    disk.before = before
    with pytest.raises(AutosaveError, match=os.strerror(number)):
        files.save("a", "", state(2))
    disk.before = lambda number, name: None
    assert gain_in(disk) == 1
    files.save("a", "", state(3))
    assert gain_in(disk) == 3


# --- what may lie in the directory --------------------------------------------------------------


def test_a_broken_file_is_listed_and_does_no_harm() -> None:
    disk = saved_once()
    whole = disk.content(FILE)
    broken = {"cut": whole[:-8], "empty": b"", "zero": b"\0" * 100, "json": b"{}"}
    for name, content in broken.items():
        disk.put(f"/d/scan_{name}.cfg", content)
    files = files_on(disk)
    troubles = {entry.name: entry.trouble for entry in files.find()}
    assert list(troubles) == ["a", "cut", "empty", "json", "zero"]
    assert troubles["a"] == ""
    assert "cut off" in troubles["cut"]
    assert "empty" in troubles["empty"]
    assert "zero byte" in troubles["zero"]
    with pytest.raises(AutosaveError, match=r"cannot use /d/scan_cut.cfg: line \d+: .*cut off"):
        files.load("cut")
    assert gain_in(disk) == 1


PIECES = [
    b"# autosave R5.3\t\n", b"# save/restore V1", b"! 1 channel", b"#", b"<END>\n", b"x:a 1\n",
    b"x:scanMenu:currDesc ", b"@array@ {", b'"1"', b"}", b"\\", b"\n", b"\r\n", b"\xff", b" ", b"$",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=20).map(b"".join))
@example(b"")
@example(b"# R9" * 500)
@example(b"# autosave R" + b"9" * 400 + b"\n")
def test_whatever_is_in_a_file(content: bytes) -> None:
    disk = FakeDisk()
    disk.put("/d/scan_x.cfg", content)
    files = files_on(disk)
    (entry,) = files.find()
    assert entry.name == "x"
    if entry.trouble:
        with pytest.raises(AutosaveError, match=r"/d/scan_x\.cfg: ") as problem:
            files.load("x")
        assert str(problem.value) == entry.trouble
    else:
        assert files.load("x")[0] == "x"
    files.save("x", "", state(1))
    assert gain_in(disk, "x") == 1
    assert len(disk.names) == 2


def test_files_are_read_again_only_if_they_have_changed() -> None:
    disk = saved_once()
    files = files_on(disk)
    files.find()
    disk.operations.clear()
    assert [entry.name for entry in files.find()] == ["a"]
    assert disk.operations == ["list"]
    disk.put(FILE, b"nonsense <END>", mtime=disk.clock + 1)
    files.find()
    assert "read" in disk.operations


def test_files_of_synapps_are_read() -> None:
    disk = FakeDisk()
    disk.put("/d/scan_gold.cfg", (DATA / "golden_R6-0.sav").read_bytes())
    content = (
        b"# autosave R5.3\tx - 260301-120000\nother:scanMenu:currDesc by synApps\na 1\n<END>\n"
    )
    disk.put("/d/scan_b c.cfg", content)
    files = files_on(disk)
    assert [(e.name, e.description) for e in files.find()] == [("b c", "by synApps"), ("gold", "")]
    assert "T:ao" in files.load("gold")[1].values
    assert files.load("b c")[0] == "b c"  # which no IOC could have made
    assert files.is_own("other:scanMenu:currDesc")


@pytest.mark.parametrize("name", ["../scan_a", "/etc/passwd", "a\0", "x" * 300, "", "..", "\ud800"])
def test_hostile_names_reach_no_file(name: str) -> None:
    disk = saved_once()
    files = files_on(disk)
    disk.put("/etc/passwd", b"a 1\n")
    for act in (files.load, files.delete):
        with pytest.raises(AutosaveError):
            act(name)
    assert disk.names.keys() == {FILE, Path("/etc/passwd")}


def test_leftovers_of_killed_processes_go() -> None:
    disk = saved_once()
    disk.put("/d/.scan_a.cfg.99999999-1.tmp", b"half", mtime=disk.clock - 7200)
    disk.put("/d/.other_a.cfg.99999999-1.tmp", b"half", mtime=disk.clock - 7200)
    disk.put("/d/.scan_b.cfg.99999999-1.tmp", b"at work", mtime=disk.clock)
    files_on(disk)
    left = [name for name in listing(disk) if name.endswith(".tmp")]
    assert left == [".other_a.cfg.99999999-1.tmp", ".scan_b.cfg.99999999-1.tmp"]


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    names = ConfigNames(tmp_path / "state", "scan")
    with pytest.raises(ConfigurationError, match=r"cannot use the directory .*Not a directory"):
        ConfigFiles(names, "x:", keep=1).prepare(writable=True)


def on_a_real_disk(directory: Path) -> ConfigFiles:
    files = ConfigFiles(ConfigNames(directory, "scan"), "x:", keep=1)
    files.prepare(writable=True)
    return files


def test_a_real_disk(tmp_path: Path) -> None:
    files = on_a_real_disk(tmp_path / "deep" / "down")
    for number in (1, 2, 3):
        files.save("a", "d", state(number))
    assert files.find() == [ConfigEntry("a", "d")]
    assert len(os.listdir(tmp_path / "deep" / "down")) == 2
    files.delete("a")
    assert files.find() == []


def test_a_directory_in_place_of_the_file(tmp_path: Path) -> None:
    files = on_a_real_disk(tmp_path)
    (tmp_path / "scan_a.cfg").mkdir()
    assert files.find() == []
    acts: list[Callable[[], object]] = [
        lambda: files.load("a"),
        lambda: files.save("a", "", state(1)),
        lambda: files.delete("a"),
    ]
    for act in acts:
        with pytest.raises(AutosaveError, match="Is a directory"):
            act()
    assert os.listdir(tmp_path) == ["scan_a.cfg"]
