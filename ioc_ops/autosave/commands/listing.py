"""``autosave list`` and ``autosave verify``: which save files there are, and which are good."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from ioc_ops.autosave.commands.console import Console
from ioc_ops.autosave.commands.files import SavedFile, date, duration, size, table
from ioc_ops.autosave.files.filesystem import FileStatus, FileSystem
from ioc_ops.autosave.files.safewrite import reason_of
from ioc_ops.errors import AutosaveError

__all__ = ["run_list", "run_verify"]

# Files that are no save files stand in the same directory; a bad one is told by its name.
_MARKS = (".json", ".sav", ".softsav", ".cfg", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class _Judged:
    """A file in the list."""

    status: FileStatus
    #: Unix time at which its state was saved, as well as can be told.
    time: float
    #: What kind of file it is, its number of PVs, and whether it verified.
    format: str
    count: str
    verdict: str
    good: bool


def run_list(options: argparse.Namespace, console: Console) -> int:
    """The history of a save directory, newest first.

    Args:
        options: ``path``, a directory, or a file of which the copies are listed too.
        console: where to.

    Returns:
        0, also with bad files in the list; 1 if there are no save files at all.

    Raises:
        AutosaveError: the directory cannot be read.
    """
    path = Path(options.path)
    directory, stem = (path, "") if path.is_dir() else (path.parent, path.stem)
    try:
        files = FileSystem().list(directory)
    except OSError as error:
        raise AutosaveError(f"{directory}: {reason_of(error)}") from error
    files = [
        file
        for file in files
        if file.path.name.startswith(stem)
        and not file.path.name.endswith((".tmp", ".lock"))
        and any(mark in file.path.name for mark in _MARKS)
    ]
    if not files:
        console.out.write(f"no save files at {path}\n")
        return 1
    judged = []
    with console.progress("reading", len(files), "file") as advance:
        for status in files:
            judged.append(_judge(status))
            advance()
    judged.sort(key=lambda file: (file.time, file.status.path.name), reverse=True)
    now = console.clock()
    head = ("FILE", "SAVED", "AGE", "SIZE", "PVS", "FORMAT", "VERIFIED")
    rows = [
        (
            file.status.path.name,
            date(file.time),
            duration(now - file.time),
            size(file.status.size),
            file.count,
            file.format,
            file.verdict,
        )
        for file in judged
    ]
    console.out.write(table([head, *rows], right=frozenset({2, 3, 4})))
    good = sum(file.good for file in judged)
    total = size(sum(file.status.size for file in judged))
    console.out.write(f"{len(judged)} files, {good} good, {total}\n")
    return 0


def _judge(status: FileStatus) -> _Judged:
    try:
        file = SavedFile(status.path, status.path.read_bytes(), status.mtime)
    except OSError as error:
        return _Judged(status, status.mtime, "-", "-", f"NO: {reason_of(error)}", good=False)
    except AutosaveError as error:
        return _Judged(status, status.mtime, "-", "-", f"NO: {error}", good=False)
    count = str(len(file.snapshot.values))
    return _Judged(
        status,
        file.dated().saved_at or 0.0,
        file.format.name,
        count,
        _verdict(file),
        good=True,
    )


def _verdict(file: SavedFile) -> str:
    verdict = f"yes ({file.format.proof})"
    if file.snapshot.unreadable:
        verdict += f", {len(file.snapshot.unreadable)} PVs without a value"
    return verdict


def run_verify(options: argparse.Namespace, console: Console) -> int:
    """Verify files, one line each, and name the entries that hold no value.

    Args:
        options: ``files``.
        console: where to.

    Returns:
        0 if all are good, 1 if one is not, 2 if one cannot be read.
    """
    status = 0
    lines: list[str] = []
    try:
        with console.progress("verifying", len(options.files), "file") as advance:
            for name in options.files:
                status = max(status, _verify(Path(name), lines))
                advance()
    finally:  # also of what was done before an interruption
        console.out.writelines(f"{line}\n" for line in lines)
    return status


def _verify(path: Path, lines: list[str]) -> int:
    try:
        file = SavedFile(path, path.read_bytes(), path.stat().st_mtime)
    except OSError as error:
        lines.append(f"{path}: NO: {reason_of(error)}")
        return 2
    except AutosaveError as error:
        lines.append(f"{path}: NO: {error}")
        return 1
    lines.append(f"{path}: {_verdict(file)}, {len(file.snapshot.values)} PVs")
    lines += [f"  {pv}: {reason}" for pv, reason in file.snapshot.unreadable.items()]
    return 0
