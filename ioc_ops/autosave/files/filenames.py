"""Names of the files beside a save file: dated generations, temporary and bad ones. Pure."""

import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ioc_ops.errors import DefinitionError

__all__ = ["DATE_SUFFIX", "FileNames"]

# A generation's own time is its mtime, unless the files were copied here and lost theirs; what
# differs less is the hour of daylight saving, or a second that the name does not resolve.
_TRUST_MTIME_WITHIN = 7200.0
DATE_SUFFIX = "_%Y%m%d-%H%M%S"
"""Of dated copies, unless they are to have another one; of bad and protected files always."""


@dataclass(frozen=True, slots=True)
class FileNames:
    """Names that belong to the save file ``primary``.

    For ``state/my.json`` and the default suffix: generations ``my_20260301-120000.json`` and
    ``my_20260301-120000_2.json`` (a second one of that second), temporary files
    ``.my.json.<pid>-<n>.tmp``, the lock ``.my.json.lock``, files that did not verify
    ``my.json.bad_20260301-120000``, protected ones ``my.json.keep_20260301-120000``.
    Dates in names are local time.
    """

    primary: Path
    date_suffix: str = DATE_SUFFIX

    def __post_init__(self) -> None:
        if not self.primary.name:
            raise DefinitionError(f"RotatingFileManager: {str(self.primary)!r} is no file name")
        day = datetime(2026, 3, 1)
        other = datetime(2025, 11, 23)
        try:
            clear = [datetime.strptime(d.strftime(self.date_suffix), self.date_suffix).date()
                     for d in (day, other)] == [day.date(), other.date()]  # fmt: skip
        except ValueError:
            clear = False
        if not clear or os.sep in self.date_suffix:
            raise DefinitionError(
                f"RotatingFileManager: date_suffix={self.date_suffix!r} does not tell the day"
            )

    def dated(self, time: float, number: int = 1) -> Path:
        """The ``number``-th name for a generation that was saved at a Unix time."""
        date = datetime.fromtimestamp(time).strftime(self.date_suffix)
        return self.primary.with_name(
            f"{self.primary.stem}{date}{_count(number)}{self.primary.suffix}"
        )

    def bad(self, time: float, number: int = 1) -> Path:
        """The ``number``-th name for a bad file that is put aside at a Unix time."""
        return self._beside("bad", time, number)

    def kept(self, time: float, number: int = 1) -> Path:
        """The ``number``-th name for a protected generation that was saved at a Unix time."""
        return self._beside("keep", time, number)

    def _beside(self, kind: str, time: float, number: int) -> Path:
        date = datetime.fromtimestamp(time).strftime(DATE_SUFFIX)
        return self.primary.with_name(f"{self.primary.name}.{kind}{date}{_count(number)}")

    @property
    def lock(self) -> Path:
        """The file whose lock says that the save file is in use."""
        return self.primary.with_name(f".{self.primary.name}.lock")

    def temporary(self, pid: int, number: int) -> Path:
        """A name that no other process uses."""
        return self.primary.with_name(f".{self.primary.name}.{pid}-{number}.tmp")

    def time_of(self, path: Path, mtime: float) -> float | None:
        """Unix time at which a dated generation was saved; None for any other file."""
        date = self.date_of(path)
        if date is None:
            return None
        named = date.timestamp()
        return mtime if abs(mtime - named) <= _TRUST_MTIME_WITHIN else named

    def date_of(self, path: Path) -> datetime | None:
        """The local date in the name of a generation; None for any other file."""
        stem, suffix = self.primary.stem, self.primary.suffix
        name = path.name
        if not (name.startswith(stem) and name.endswith(suffix)):
            return None
        date = name[len(stem) : len(name) - len(suffix)]
        # A number behind the date may be the second generation of a second, or part of the date.
        for text in (date, re.sub(r"_\d+\Z", "", date)):
            try:
                return datetime.strptime(text, self.date_suffix)
            except ValueError:
                continue
        return None

    def is_bad(self, path: Path) -> bool:
        """Whether it is a bad file put aside."""
        return path.name.startswith(f"{self.primary.name}.bad_")

    def bad_order(self, path: Path) -> tuple[str, int]:
        """By what bad files are sorted, oldest first: the date in the name, and its number."""
        date, _, number = path.name.removeprefix(f"{self.primary.name}.bad_").partition("_")
        return date, int(number) if number.isdecimal() else 1

    def is_kept(self, path: Path) -> bool:
        """Whether it is a protected generation."""
        return path.name.startswith(f"{self.primary.name}.keep_")

    def pid_of_temporary(self, path: Path) -> int | None:
        """The process that made a temporary file; None for any other file."""
        pattern = rf"\.{re.escape(self.primary.name)}\.(\d+)-\d+\.tmp"
        match = re.fullmatch(pattern, path.name)
        return int(match[1]) if match else None


def _count(number: int) -> str:
    return "" if number == 1 else f"_{number}"
