"""How the commands read files, and how they print values, ages and tables. Pure but for `load`."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from ioc_ops.autosave.files.safewrite import reason_of
from ioc_ops.autosave.formats import Format, format_of
from ioc_ops.autosave.formats.escapes import encode
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.values import EnumValue, UntypedValue, Value
from ioc_ops.errors import AutosaveError

__all__ = ["SavedFile", "date", "duration", "load", "shown", "size", "table"]

_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))

_WIDEST = 60  # characters of a column


class SavedFile:
    """A save file that was read and verified."""

    def __init__(self, path: Path, data: bytes, mtime: float) -> None:
        """Parse it.

        Args:
            path: of the file; its suffix may tell the format.
            data: its content.
            mtime: Unix time of its last change.

        Raises:
            AutosaveError: it does not verify.
        """
        self.path = path
        self.data = data
        self.mtime = mtime
        self.format: Format = format_of(data, path.name)
        self.snapshot: Snapshot = self.format.loads(data)

    def line_of(self, name: str) -> int | None:
        """The line on which the value of a PV begins; None where that cannot be told."""
        if self.data.count(b"\n") < 2:  # caproto writes one line
            return None
        pattern = rb'^[ \t]*"?' + re.escape(encode(name)) + rb'(?:\.VAL)?\$?(?:": |: |[ \t\r\n])'
        # Of a name that is there twice, the last one stands.
        start = max((match.start() for match in re.finditer(pattern, self.data, re.M)), default=-1)
        return self.data.count(b"\n", 0, start) + 1 if start >= 0 else None

    def dated(self) -> Snapshot:
        """Its state, with the time of the file where the format does not tell one."""
        if self.snapshot.saved_at is not None:
            return self.snapshot
        return replace(self.snapshot, saved_at=self.mtime)


def load(path: str | os.PathLike[str]) -> SavedFile:
    """Read a save file in any format.

    Raises:
        AutosaveError: it cannot be read, or does not verify; one line that begins with the path.
    """
    try:
        return SavedFile(Path(path), Path(path).read_bytes(), Path(path).stat().st_mtime)
    except OSError as error:
        raise AutosaveError(f"{path}: {reason_of(error)}") from error
    except AutosaveError as error:
        raise AutosaveError(f"{path}: {error}") from error


def table(rows: Iterable[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Rows in columns, those of the numbers ``right`` set to the right; the last one as it is.

    What is longer than a column may be wide shifts its own row alone.
    """
    lines = [list(row) for row in rows]
    widths = [min(max(map(len, column)), _WIDEST) for column in zip(*lines, strict=True)]
    text = ""
    for line in lines:
        cells = [
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text += "  ".join(cells).rstrip() + "\n"
    return text


def shown(value: Value | None, width: int = _WIDEST) -> str:
    """A value on one line, cut to a width."""
    text = _text(value)
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text[: width + 1])
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _text(value: Value | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, EnumValue):
        return f"{value.index} {value.state}".rstrip()
    if isinstance(value, UntypedValue):
        return (value.text or "''") if isinstance(value.text, str) else _array(value.text, "")
    if isinstance(value, np.ndarray):
        return _array(value.reshape(-1)[:60].tolist(), f" ({value.dtype})", value.size)
    if isinstance(value, list):
        return _array(value, "")
    return repr(value) if isinstance(value, str | bytes) else str(value)


def _array(items: Sequence[object], kind: str, count: int | None = None) -> str:
    total = len(items) if count is None else count
    text = ", ".join(str(item) for item in items[:60])
    return f"{total} elements{kind}: [{text}{', ...' if total > 60 else ''}]"


def size(count: int) -> str:
    """Bytes, readable: ``512 B``, ``1.2 kB``, ``3.4 MB``."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def duration(seconds: float) -> str:
    """An age, readable: ``5 s``, ``12 min``, ``3.5 h``; with a minus in the future."""
    for unit, name in _UNITS:
        if abs(seconds) >= unit:
            count = seconds / unit
            return f"{count:.1f} {name}" if abs(count) < 10 else f"{count:.0f} {name}"
    return f"{seconds:.0f} s"


def date(time: float | None) -> str:
    """Local date and time to the second."""
    if time is None:
        return "-"
    return datetime.fromtimestamp(time).isoformat(" ", "seconds")
