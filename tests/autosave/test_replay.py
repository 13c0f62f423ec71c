"""Whatever a crash leaves of a recorded life, a complete state as new as acknowledged is found."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fake_disk import FakeDisk, Inode
from hypothesis import example, given, settings
from hypothesis import strategies as st
from replay import CALLS, Files, Recorder, Step, crashes, steps_of_strace

from ioc_ops.autosave.files.filesystem import FileSystem
from ioc_ops.autosave.files.generations import RotatingFileManager
from ioc_ops.autosave.image import SaveImage
from ioc_ops.autosave.session import SaveSession
from ioc_ops.errors import AutosaveError, ConfigurationError

PVS = ("x:a", "x:b", "x:c")


class Lives:
    """An IOC that is started, saves a few times and dies, again and again, and tells of it."""

    def __init__(self, file: Path, record: Recorder, **options: Any) -> None:
        self.file = file
        self.record = record
        self.options = options
        self.number = 0

    def run(self, saves: int, *, complete: bool = True) -> None:
        manager = RotatingFileManager(self.file, file_system=self.record, **self.options)
        session = SaveSession(manager, SaveImage("x:", carry_seconds=1e9))
        try:
            session.adopt(session.open(), dict.fromkeys(PVS), protect=not complete)
            for _ in range(saves):
                self.number += 1
                self.record.tell(f"tried {self.number}")
                try:
                    session.write([(name, self.number) for name in PVS])
                except AutosaveError:
                    continue
                self.record.tell(f"acknowledged {self.number}")
        except ConfigurationError:
            pass  # it did not start
        finally:
            session.close()


def found_in(files: Files, file: Path) -> int:
    """The state that the next start would restore; 0 if none."""
    inodes = {n: Inode(data, data, 1e9 + n) for n, data in enumerate(files.values(), start=1)}
    names = {Path(name): number for number, name in enumerate(files, start=1)}
    disk = FakeDisk(inodes, names, dict(names), directories={file.parent})
    snapshot = RotatingFileManager(file, file_system=disk).load().snapshot
    if snapshot is None:
        return 0
    (number,) = set(snapshot.values.values())  # one state, not a mixture
    assert tuple(snapshot.values) == PVS
    assert isinstance(number, int)
    return number


def prove(steps: Sequence[Step], file: Path) -> int:
    """Crash after each step, in every way; returns how many different states were looked at."""
    acknowledged = tried = 0
    seen: dict[frozenset[tuple[str, bytes]], int] = {}
    for count, disk in crashes(steps):
        if count and steps[count - 1].kind == "told":
            word, number = steps[count - 1].data.split()
            tried, acknowledged = (
                (int(number), acknowledged) if word == b"tried" else (tried, int(number))
            )
        for files in (disk.after_kill(), *disk.after_power_loss()):
            key = frozenset(files.items())
            if key not in seen:
                seen[key] = found_in(files, file)
            assert acknowledged <= seen[key] <= tried, (count, steps[max(0, count - 12) : count])
    return len(seen)


# --- on a disk in memory ------------------------------------------------------------------------

FILE = Path("/d/my.json")
errors = st.sampled_from([errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENOLCK])


class Fault:
    """From the operation of this number on, so many fail."""

    def __init__(self, first: int, count: int, code: int) -> None:
        self.first, self.last, self.code = first, first + count, code
        self.happened = 0

    def __call__(self, number: int, name: str) -> None:
        if self.first <= number < self.last and name not in ("close", "overwrite"):
            self.happened += 1
            raise OSError(self.code, os.strerror(self.code))


@settings(max_examples=35)
@given(
    lives=st.lists(st.tuples(st.integers(1, 3), st.booleans()), min_size=1, max_size=4),
    links=st.booleans(),
    max_files=st.integers(1, 3),
    write_size=st.sampled_from([1 << 30, 150]),
    fault=st.none() | st.builds(Fault, st.integers(0, 150), st.integers(1, 30), errors),
)
@example([(3, False), (3, True)], True, 1, 1 << 30, None)
@example([(3, False), (3, True)], False, 1, 1 << 30, None)
def test_any_life_can_crash_at_any_moment(
    lives: list[tuple[int, bool]],
    links: bool,
    max_files: int,
    write_size: int,
    fault: Fault | None,
) -> None:
    disk = FakeDisk(links=links, write_size=write_size)
    if fault is not None:
        disk.before = fault
    record = Recorder(disk)
    process = Lives(FILE, record, max_files=max_files, clock=lambda: disk.clock)
    for saves, complete in lives:
        disk.clock += 0.4
        process.run(saves, complete=complete)
    assert prove(record.steps, FILE)


@pytest.mark.parametrize("kind", ["sync", "sync names"])
def test_without_any_of_the_syncs_the_proof_fails(kind: str) -> None:
    disk = FakeDisk()
    record = Recorder(disk)
    Lives(FILE, record, clock=lambda: disk.clock).run(2)
    prove(record.steps, FILE)
    with pytest.raises(AssertionError):
        prove([step for step in record.steps if step.kind != kind], FILE)


# --- on a real one, seen from outside -----------------------------------------------------------


def save_for_strace(directory: Path) -> list[Step]:
    """What the process under strace does, and what it knows of it itself."""

    class Telling(Recorder):
        def tell(self, word: str) -> None:
            super().tell(word)
            os.write(1, f"{word}\n".encode())

    record = Telling(FileSystem())
    lives = Lives(directory / "my.json", record, max_files=2)
    lives.run(3)
    lives.run(2, complete=False)
    lives.run(4)
    damaged = record.create(directory / "damaged")
    record.write(damaged, memoryview(b"rubbish"))
    record.close(damaged)
    record.replace(directory / "damaged", directory / "my.json")
    lives.run(2)
    return record.steps


def test_the_kernel_was_asked_for_what_the_record_says(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    state, output, own = tmp_path / "state", tmp_path / "strace.txt", tmp_path / "own.txt"
    state.mkdir()
    code = (
        "import sys; from pathlib import Path; import test_replay\n"
        "steps = test_replay.save_for_strace(Path(sys.argv[1]))\n"
        "Path(sys.argv[2]).write_text(repr([vars(s) for s in steps]))"
    )
    command = [strace, "-f", "-xx", "-s", "1000000", "-e", f"trace={CALLS}", "-o", output]
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    ran = subprocess.run(
        [*command, sys.executable, "-c", code, state, own],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    if ran.returncode != 0 and "ptrace" in ran.stderr:
        pytest.skip(f"strace may not trace here: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stderr
    steps = steps_of_strace(output.read_text(), state)
    assert [vars(step) for step in steps] == eval(own.read_text())
    kinds = {step.kind for step in steps}
    assert kinds >= {"create", "write", "sync", "link", "rename", "sync names", "unlink"}
    # The damage at the end is none of a crash's making: what comes before it is proved.
    damage = next(number for number, step in enumerate(steps) if "damaged" in step.path)
    assert prove(steps[:damage], state / "my.json") > 50
