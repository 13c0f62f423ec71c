"""Request files (``.req``) of synApps autosave: which PVs to save.

# a comment
$(P)motor.VAL
$(P)motor.DESC$
file "slits.req" P=$(P),S=slit1
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ioc_ops.autosave.formats.macros import expand, parse_definitions
from ioc_ops.errors import AutosaveError

__all__ = ["RequestedPV", "parse_request", "read_request"]

_INCLUDE = re.compile(r'file\s+"?\s*([^\s"#]+)"?\s*,?(.*)')
_FIRST = re.compile(r"[A-Za-z0-9_\-+:\[\]<>;]")
_MAX_NESTING = 20


@dataclass(frozen=True, slots=True)
class RequestedPV:
    """A PV, or a field of one, that a request file names."""

    #: As it is written there, macros expanded.
    name: str
    #: Where it stands.
    file: str
    line: int
    #: What follows on the line behind a blank; as in R6-0 it means nothing.
    rest: str = field(default="", compare=False)

    @property
    def shown(self) -> str:
        """The name, for people who wonder why it is not the one that they wrote."""
        why = f" (a name ends at a blank, {self.rest[:40]!r} is not read)" if self.rest else ""
        return f"{self.name}{why}"

    @property
    def key(self) -> str:
        """The name under which it is saved: without ``.VAL`` and the ``$`` of long strings."""
        return self.name.removesuffix("$").removesuffix(".VAL") or self.name


def read_request(
    file: str | Path, macros: Mapping[str, str] | None = None, search_path: Sequence[Path] = ()
) -> list[RequestedPV]:
    """Read a request file and those it includes.

    Args:
        file: absolute, or searched for.
        macros: for this file; an included one has those alone that its ``file`` line gives it.
        search_path: directories, first one first; without any, the one of ``file`` itself.

    Raises:
        AutosaveError: a file cannot be found or read, or a line makes no sense; names both.
    """
    directories = search_path or [Path(file).parent]

    def read(name: str) -> str:
        for directory in directories:
            path = directory / name
            try:
                return path.read_text("utf-8", "surrogateescape")
            except FileNotFoundError:
                continue
            except OSError as error:
                raise AutosaveError(f"cannot read {path}: {error.strerror}") from error
        raise AutosaveError(f"no {name} in {', '.join(map(str, directories))}")

    name = str(file) if search_path else Path(file).name
    return list(parse_request(read(name), name, macros or {}, read))


def parse_request(
    text: str, file: str, macros: Mapping[str, str], read: Callable[[str], str]
) -> Iterator[RequestedPV]:
    """The PVs of a request file, in the order of the lines.

    Args:
        text: of the file.
        file: its name, for errors.
        macros: their values, which may hold macros in turn.
        read: name of an included file to its text, raising AutosaveError if there is none.

    Raises:
        AutosaveError: a line makes no sense; names file and line.
    """
    return _parse(text, (file,), macros, read)


def _parse(
    text: str, files: tuple[str, ...], macros: Mapping[str, str], read: Callable[[str], str]
) -> Iterator[RequestedPV]:
    for number, raw in enumerate(text.split("\n"), start=1):
        if not raw.strip() or raw.lstrip().startswith("#"):
            continue
        try:
            line = expand(raw, macros).strip()
            # R6-0 takes every line that begins with "file" for this; a PV may be named so too.
            include = _INCLUDE.fullmatch(line)
            if include is None:
                name, rest = _name(line)
                yield RequestedPV(name, files[-1], number, rest)
                continue
            name = include[1]
            if len(files) >= _MAX_NESTING or name in files:
                raise AutosaveError(f"{name} includes itself")
            inner = parse_definitions(include[2].replace('"', ""))
            content = read(name)
        except AutosaveError as error:
            raise AutosaveError(f"{files[-1]}, line {number}: {error}") from error
        yield from _parse(content, (*files, name), inner, read)


def _name(line: str) -> tuple[str, str]:
    """The name, and what is behind it."""
    name, rest = [*line.split(maxsplit=1), "", ""][:2]
    if not _FIRST.match(name):
        raise AutosaveError(f"{name[:40]!r} is no name of a PV")
    return name, rest
