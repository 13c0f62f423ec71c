"""``autosave convert``: a save file in another format."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from ioc_ops.autosave.cli_files import load
from ioc_ops.autosave.filenames import FileNames
from ioc_ops.autosave.filesystem import FileSystem
from ioc_ops.autosave.formats.table import FORMATS, Format, writable
from ioc_ops.autosave.safewrite import SafeWriter, reason_of
from ioc_ops.errors import AutosaveError

__all__ = ["run_convert"]

_DATE_SUFFIX = "_%Y%m%d-%H%M%S"


def run_convert(options: argparse.Namespace, out: TextIO, clock: Callable[[], float]) -> int:
    """Write a file in the format that its suffix or ``--to`` says.

    Args:
        options: ``source``, ``target``; ``to``, the name of a format or None; ``force``, whether
            to replace a file.
        out: where the report goes.
        clock: not used.

    Returns:
        0; 1 if the target lacks a value that the source has, or has one in a doubtful form.

    Raises:
        AutosaveError: the source does not verify, or the target cannot be written.
    """
    target = Path(options.target)
    form = _format(options.to, target)
    source = load(options.source)
    if target.exists() and not options.force:
        raise AutosaveError(f"{target}: there is such a file already; --force replaces it")
    if form.dumps is None:
        raise AutosaveError(f"the format {form.name} is read only")
    written = form.dumps(source.dated())
    _write(target, written.content)
    snapshot = source.snapshot
    count = len(snapshot.values) + len(snapshot.carried) - len(written.lost)
    out.write(f"{target}: {count} PVs, format {form.name}\n")
    for notes, word in (
        (snapshot.unreadable, "without a value"),
        (written.lost, "not converted"),
        (written.inexact, "doubtful"),
    ):
        for name, reason in notes.items():
            out.write(f"  {word}: {name}: {reason}\n")
    return 1 if written.lost or written.inexact else 0


def _format(name: str | None, target: Path) -> Format:
    form = FORMATS[name] if name is not None else writable(target.name)
    if form is None:
        names = ", ".join(item.name for item in FORMATS.values() if item.dumps is not None)
        raise AutosaveError(f"{target}: the suffix tells no format; --to takes one of {names}")
    return form


def _write(target: Path, content: bytes) -> None:
    fs = FileSystem()
    writer = SafeWriter(FileNames(target, _DATE_SUFFIX), fs)
    try:
        temporary, _ = writer.write([content])
        try:
            fs.replace(temporary, target)
        except OSError:
            writer.discard(temporary)
            raise
        fs.fsync_directory(target.parent)
    except OSError as error:
        raise AutosaveError(f"{target}: {reason_of(error)}") from error
