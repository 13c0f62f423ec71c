"""Names of configurations and of their files, as configMenu of synApps has them. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ioc_ops.errors import AutosaveError

__all__ = ["MAX_TEXT_BYTES", "ConfigNames", "legal_name", "menu_states"]

MAX_TEXT_BYTES = 39
"""Of a name or description: the PVs that show them are EPICS strings."""

_MAX_STATE_BYTES = 25
_DATE = "%y%m%d-%H%M%S"
_COPY = re.compile(r"_([0-9]{6}-[0-9]{6})(?:_([0-9]+))?")
_TEMPORARY = re.compile(r"\.(.+\.cfg)\.[0-9]+-[0-9]+\.tmp", re.DOTALL)


def legal_name(text: str) -> str:
    """The name that a configuration gets for what somebody typed.

    As in synApps every byte that is no letter or digit of ASCII becomes ``_`` (``makeLegal`` in
    ``configMenuSub.c``), so that no name leads out of the directory.

    Raises:
        AutosaveError: it is too long, or there is nothing left of it.
    """
    raw = text.strip().encode("utf-8", "surrogatepass")
    if not raw:
        raise AutosaveError("the name of a configuration is missing")
    if len(raw) > MAX_TEXT_BYTES:
        raise AutosaveError(
            f"{text.strip()[:20]!r}...: the name of a configuration has {MAX_TEXT_BYTES} bytes "
            f"at most, not {len(raw)}"
        )
    name = re.sub(rb"[^A-Za-z0-9]", b"_", raw).decode()
    if not name.strip("_"):
        raise AutosaveError(f"{text!r}: the name of a configuration needs a letter or digit")
    return name


@dataclass(frozen=True, slots=True)
class ConfigNames:
    """Files of the configurations of one menu.

    ``scan_bright.cfg`` is configuration ``bright`` of menu ``scan``; what it was before is
    ``scan_bright.cfg_260301-120000`` (local time), a second one of that second has ``_2`` behind.
    """

    directory: Path
    menu: str

    def path(self, name: str) -> Path:
        """The file of a configuration."""
        return self.directory / f"{self.menu}_{name}.cfg"

    def name_of(self, path: Path) -> str | None:
        """The configuration that is in a file; None for any other file."""
        file, begin = path.name, f"{self.menu}_"
        if not (file.startswith(begin) and file.endswith(".cfg")):
            return None
        return file[len(begin) : -len(".cfg")] or None

    def copy(self, path: Path, time: float, files: Iterable[Path] = ()) -> Path:
        """A name for what a file was until a Unix time, behind all of that second in ``files``."""
        date = datetime.fromtimestamp(time).strftime(_DATE)
        ages = [age for file in files if (age := self.age_of_copy(path, file)) is not None]
        number = max((number for day, number in ages if day == date), default=0) + 1
        return path.with_name(f"{path.name}_{date}" + (f"_{number}" if number > 1 else ""))

    def age_of_copy(self, path: Path, copy: Path) -> tuple[str, int] | None:
        """By which to sort the copies of one file, oldest first; None for any other file."""
        match = _COPY.fullmatch(copy.name.removeprefix(path.name))
        return None if match is None else (match[1], int(match[2] or 1))

    def surplus(self, path: Path, files: Iterable[Path], keep: int, latest: Path) -> list[Path]:
        """The copies of one file to drop, so that the newest ``keep`` stay.

        ``latest`` is one of them, whatever date a clock that was set back has given it.
        """
        ages = [
            (age, file)
            for file in files
            if file != latest and (age := self.age_of_copy(path, file)) is not None
        ]
        return [file for _, file in sorted(ages, reverse=True)[keep - 1 :]]

    def unfinished(self, path: Path) -> Path | None:
        """The configuration file for which a temporary file was made; None for any other file."""
        match = _TEMPORARY.fullmatch(path.name)
        file = None if match is None else path.with_name(match[1])
        return file if file is not None and self.name_of(file) is not None else None


def menu_states(names: Sequence[str]) -> tuple[str, ...]:
    """Names as states of an mbbo: 25 bytes at most, no two alike, and never none at all."""
    states: list[str] = []
    for name in names:
        number, state = 1, _cut(name, "")
        while state in states:
            number += 1
            state = _cut(name, f"~{number}")
        states.append(state)
    return tuple(states) or ("",)


def _cut(text: str, end: str) -> str:
    raw = text.encode("utf-8", "replace")
    return raw[: _MAX_STATE_BYTES - len(end)].decode("utf-8", "ignore") + end
