"""All formats of save files, and which one a file is in: by its content, then by its name."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from ioc_ops.autosave.fileformat import dumps, loads
from ioc_ops.autosave.formats.sav import loads_sav, looks_like_sav
from ioc_ops.autosave.formats.savwrite import dumps_sav
from ioc_ops.autosave.formats.softsav import loads_softsav
from ioc_ops.autosave.formats.written import Written
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.values import to_text
from ioc_ops.errors import AutosaveError

__all__ = ["FORMATS", "Format", "format_of", "parse", "writable"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format of save files."""

    name: str
    #: In small letters and with the dot, the usual one first.
    suffixes: tuple[str, ...]
    #: What tells that a file that was read is the whole of what was written.
    proof: str
    #: Raises AutosaveError, naming the line where there is one.
    loads: Callable[[bytes], Snapshot]
    #: None: is read only.
    dumps: Callable[[Snapshot], Written] | None = None
    #: Whether the PVs stand in the order in which somebody wants them back.
    ordered: bool = True


def _dumps_own(snapshot: Snapshot) -> Written:
    lost: dict[str, str] = {}
    for name, value in snapshot.values.items():
        try:
            to_text(value)
        except AutosaveError as error:
            lost[name] = str(error)
    kept = {name: value for name, value in snapshot.values.items() if name not in lost}
    content = Snapshot(kept, snapshot.carried, {}, snapshot.saved_at, snapshot.serial, snapshot.ioc)
    return Written(dumps(content), lost)


_JSON = Format("json", (".json",), "checksum", loads, _dumps_own, ordered=False)
_CAPROTO = Format("caproto", (), "complete JSON", loads, ordered=False)
_SAV = Format("sav", (".sav", ".cfg"), "end mark", loads_sav, dumps_sav)
_SOFTSAV = Format("softsav", (".softsav", ".yaml", ".yml"), "none", loads_softsav)

FORMATS = {item.name: item for item in (_JSON, _CAPROTO, _SAV, _SOFTSAV)}
"""By name."""

_BY_SUFFIX = {suffix: item for item in FORMATS.values() for suffix in item.suffixes}
_OWN = re.compile(rb'\{\s*"format": "ioc_ops')
# Copies are marked behind the suffix: x.savB, x.sav0, x.sav_260301-120000, x.json.bad_2026...
_SUFFIX = re.compile(r"(\.[a-z]+)(?=\Z|B\Z|[0-9]+\Z|B?_|\.bad_|\.bu\Z)")


def _by_name(name: str) -> Format | None:
    suffixes = _SUFFIX.findall(name)
    return next((_BY_SUFFIX[s] for s in reversed(suffixes) if s in _BY_SUFFIX), None)


def format_of(data: bytes, name: str = "") -> Format:
    """The format that a file is in.

    Args:
        data: its content, which decides where it can.
        name: of the file.

    Raises:
        AutosaveError: neither tells.
    """
    if _OWN.match(data):
        return _JSON
    if looks_like_sav(data):
        return _SAV
    named = _by_name(name)
    if named is not None and named is not _JSON:
        return named
    if named is _JSON or data.lstrip()[:1] == b"{":
        return _CAPROTO
    if not data:
        raise AutosaveError("the file is empty")
    raise AutosaveError("line 1: not a save file in a known format (json, sav, softsav)")


def parse(data: bytes, name: str = "") -> Snapshot:
    """Read a save file in any format.

    Raises:
        AutosaveError: it is none, or it is cut off or damaged; names the line where there is one.
    """
    return format_of(data, name).loads(data)


def writable(name: str) -> Format | None:
    """The format in which to write a file of this name; None if its suffix tells none."""
    named = _by_name(name)
    return named if named is not None and named.dumps is not None else None
