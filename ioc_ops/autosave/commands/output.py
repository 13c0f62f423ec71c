"""Writing a save file that a command was told to write."""

import argparse
from pathlib import Path

from ioc_ops.autosave.commands.console import Console
from ioc_ops.autosave.files.filenames import FileNames
from ioc_ops.autosave.files.filesystem import FileSystem
from ioc_ops.autosave.files.safewrite import SafeWriter, reason_of
from ioc_ops.autosave.formats.table import FORMATS, Format, writable
from ioc_ops.autosave.formats.written import Written
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.errors import AutosaveError

__all__ = ["OutputFile", "add_output_options"]


class OutputFile:
    """A file to write, in the format that its suffix or ``--to`` tells."""

    def __init__(self, path: str, to: str | None, *, force: bool) -> None:
        """Check it before any work is done.

        Args:
            path: of the file.
            to: name of a format, or None.
            force: whether to replace a file that is there.

        Raises:
            AutosaveError: no format is told or it is read only, or there is such a file.
        """
        self.path = Path(path)
        self.format = _format(to, self.path)
        if self.path.exists() and not force:
            raise AutosaveError(f"{self.path}: there is such a file already; --force replaces it")

    def encode(self, snapshot: Snapshot) -> Written:
        """A state as the bytes of the file."""
        assert self.format.dumps is not None  # noqa: S101 - was checked
        return self.format.dumps(snapshot)

    def write(self, written: Written) -> None:
        """Write the file, or leave what is there as it is.

        Raises:
            AutosaveError: it cannot be written.
        """
        fs = FileSystem()
        writer = SafeWriter(FileNames(self.path), fs)
        try:
            temporary, _ = writer.write([written.content])
            try:
                fs.replace(temporary, self.path)
            except OSError:
                writer.discard(temporary)
                raise
            fs.fsync_directory(self.path.parent)
        except OSError as error:
            raise AutosaveError(f"{self.path}: {reason_of(error)}") from error

    def report(self, snapshot: Snapshot, written: Written, console: Console) -> int:
        """Say what was written and what could not be.

        Returns:
            1 if the file lacks a value of the state, or has one in a doubtful form; else 0.
        """
        count = len(snapshot.values) + len(snapshot.carried) - len(written.lost)
        console.out.write(f"{self.path}: {count} PVs, format {self.format.name}\n")
        for notes, word in (
            (snapshot.unreadable, "without a value"),
            (written.lost, "not converted"),
            (written.inexact, "doubtful"),
        ):
            for name, reason in notes.items():
                console.out.write(f"  {word}: {name}: {reason}\n")
        return 1 if written.lost or written.inexact else 0


def add_output_options(command: argparse.ArgumentParser) -> None:
    """Add ``--to`` and ``--force`` to a command that writes a file."""
    formats = [name for name, item in FORMATS.items() if item.dumps is not None]
    command.add_argument("--to", choices=formats, help="the format, if the suffix does not tell")
    command.add_argument("--force", action="store_true", help="replace a file that is there")


def _format(name: str | None, path: Path) -> Format:
    form = FORMATS[name] if name is not None else writable(path.name)
    if form is None:
        names = ", ".join(item.name for item in FORMATS.values() if item.dumps is not None)
        raise AutosaveError(f"{path}: the suffix tells no format; --to takes one of {names}")
    if form.dumps is None:
        raise AutosaveError(f"the format {form.name} is read only")
    return form
