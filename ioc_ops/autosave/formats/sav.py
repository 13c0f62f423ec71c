r"""Reading the ``.sav`` files of synApps autosave (to R6-0): bytes to `Snapshot`.

    # autosave R5.3<TAB>Automatically generated - DO NOT MODIFY - 260301-120000
    ! 1 channel(s) not connected - or not all gets were successful
    x:gain.VAL 1.5
    x:label a \"quoted\" text
    x:curve @array@ { "1" "2" }
    x:long.VAL$ text of more than 39 characters
    #x:gone Search Issued
    <END>

There are no types in it: values are `UntypedValue`, which become a number, text or a state when
they are restored to a PV. ``.VAL`` and the ``$`` of long strings are no part of the names here.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from ioc_ops.autosave.formats.escapes import decode, unescape
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.values import UntypedValue
from ioc_ops.errors import AutosaveError

__all__ = ["loads_sav", "looks_like_sav"]

_HEAD = re.compile(rb"#\s*(?:autosave|save/restore|asVerify)\b")
_VERSION = re.compile(rb"R\s*([0-9]{1,4}(?:\.[0-9]{1,4})?)|V\s*([0-9]{1,4}(?:\.[0-9]{1,4})?)")
_DATE = re.compile(rb"([0-9]{6}-[0-9]{6})\s*\Z")
# From this version on a file must be closed by an end mark.
_FIRST_WITH_END = 1.8
# Two bytes at most follow the end mark: a line end.
_END = re.compile(rb"(?:\A|[\r\n])<END>.{1,2}\Z", re.DOTALL)
_LINE = re.compile(rb"[^\S\n]*([^\s]+)(?:[^\S\n]([^\r\n]*))?")
_FIRST = re.compile(rb"[A-Za-z0-9_\-+:\[\];\x80-\xff]")
_ELEMENT_OR_END = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"|[}"]', re.DOTALL)
_ARRAY = b"@array@"


def looks_like_sav(data: bytes) -> bool:
    """Whether a file begins or ends as autosave's do."""
    return _HEAD.match(data) is not None or _END.search(data[-9:]) is not None


def loads_sav(data: bytes) -> Snapshot:
    """Read a ``.sav`` file.

    Returns:
        The state. What stands behind a ``#`` because it was not connected, and lines that are
        none of a PV, are in ``unreadable``. The time is the local one of the head.

    Raises:
        AutosaveError: the file is empty, cut off or damaged; names the line.
    """
    if not data:
        raise AutosaveError("the file is empty")
    if b"\0" in data:
        raise AutosaveError(
            f"line {_line_at(data, data.index(0))}: a zero byte: the file is damaged"
        )
    head = data.split(b"\n", 1)[0]
    if _needs_end(head) and not _END.search(data[-9:]):
        last = _line_at(data, max(0, len(data) - 1))
        raise AutosaveError(f"line {last}: the file is cut off: it does not end with <END>")
    values: dict[str, UntypedValue] = {}
    unreadable: dict[str, str] = {}
    for line, name, value in _entries(data):
        if isinstance(value, UntypedValue):
            key = _plain(name)
            # Of a name that is there twice, R6-0 puts both: the last one stands.
            values.pop(key, None)
            values[key] = value
            unreadable.pop(key, None)
        elif name:
            unreadable.setdefault(_plain(name), f"line {line}: {value}")
        else:
            unreadable[f"line {line}"] = value
    for name in unreadable.keys() & values.keys():
        del unreadable[name]
    return Snapshot(values, unreadable=unreadable, saved_at=_time(head))


def _entries(data: bytes) -> Iterator[tuple[int, str, UntypedValue | str]]:
    """Line number, name, and the value or why there is none."""
    position, line = 0, 1
    while position < len(data):
        match = _LINE.match(data, position)
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        if match is None:
            position, line = end + 1, line + 1
            continue
        name, text = match[1], match[2] or b""
        if name.startswith(b"<"):
            return
        array = None
        if text.startswith(_ARRAY):
            array, past = _array(data, match.start(2), line)
            end = data.find(b"\n", past)
            end = len(data) if end < 0 else end
        if name.startswith((b"#", b"!")):
            if name[:1] == b"#" and _FIRST.match(name, 1):
                shown = "an array" if array is not None else decode(text).strip()
                yield line, decode(name[1:]), f"not connected when it was saved ({shown})"
        elif not _FIRST.match(name):
            yield line, "", f"{decode(name)[:40]!r} is no name of a PV"
        else:
            value = decode(unescape(text)) if array is None else array
            yield line, decode(name), UntypedValue(value)
        line += data.count(b"\n", position, end) + 1
        position = end + 1


def _array(data: bytes, start: int, line: int) -> tuple[tuple[str, ...], int]:
    """The elements of an array and the position behind it."""
    begin = data.find(b"{", start)
    if begin < 0:
        raise AutosaveError(f"line {line}: an array without {{")
    elements: list[str] = []
    for match in _ELEMENT_OR_END.finditer(data, begin + 1):
        if match[0] == b"}":
            return tuple(elements), match.end()
        if match[1] is None:
            raise AutosaveError(
                f"line {_line_at(data, match.start())}: an element of an array has no end"
            )
        # Lines may be broken anywhere; a line end that belongs to a value is escaped.
        raw = match[1].replace(b"\r", b"").replace(b"\n", b"")
        elements.append(decode(unescape(raw)))
    raise AutosaveError(f"line {line}: the array has no end")


def _plain(name: str) -> str:
    """``x`` for ``x.VAL``, ``x.VAL$`` and ``x$``; ``x.INP`` for ``x.INP$``."""
    return name.removesuffix("$").removesuffix(".VAL") or name


def _needs_end(head: bytes) -> bool:
    if not head.startswith(b"#"):
        return False
    # The first R counts, or else the first V.
    versions = list(_VERSION.finditer(head))
    match = next((m for m in versions if m[1]), next(iter(versions), None))
    return match is not None and float(match[1] or match[2]) >= _FIRST_WITH_END


def _time(head: bytes) -> float | None:
    date = _DATE.search(head) if head.startswith(b"#") else None
    try:
        return datetime.strptime(date[1].decode(), "%y%m%d-%H%M%S").timestamp() if date else None
    except (ValueError, OverflowError):
        return None


def _line_at(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1
