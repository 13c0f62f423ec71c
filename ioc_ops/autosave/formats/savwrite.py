"""Writing ``.sav`` files that synApps autosave R6-0 reads: `Snapshot` to bytes.

R6-0 reads lines in pieces of 199 bytes, names of 63, text of 39 characters unless the name ends
with ``$``, and unescapes array elements twice. What is written here avoids all of its traps where
that can be done, and `Written` tells where it cannot.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import numpy as np

from ioc_ops.autosave.formats.escapes import encode, escape, escape_element
from ioc_ops.autosave.formats.written import Written
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.values import EnumValue, UntypedValue, Value
from ioc_ops.errors import AutosaveError

__all__ = ["dumps_sav", "is_sav_name"]

# Limits of R6-0.
_NAME_BYTES = 63
_STRING_BYTES = 39
_LINE_BYTES = 198
_LONG_STRING_BYTES = 199

_NAME = re.compile(rb"[A-Za-z0-9_\-+:\[\];\x80-\xff][^\s\0]*")
_UNSAVED = "! {} channel(s) not connected - or not all gets were successful\n"


def is_sav_name(name: str) -> bool:
    """Whether a PV of this name can stand in a ``.sav`` file: a blank ends a name there."""
    return _NAME.fullmatch(encode(name)) is not None


def dumps_sav(snapshot: Snapshot, *, keep_order: bool = False) -> Written:
    """Write a state, one PV a line and sorted by name; arrays that are long take several lines.

    Numbers have all their digits, states of enums are their index, values that were carried
    forward stand there like the others. The time in the head is local.

    Args:
        snapshot: the state.
        keep_order: do not sort: whoever loads the file writes the PVs in this order.
    """
    lost: dict[str, str] = {}
    inexact: dict[str, str] = {}
    lines: list[bytes] = []
    carried = {name: item.value for name, item in snapshot.carried.items()}
    values = {**carried, **snapshot.values}
    for name, value in values.items() if keep_order else sorted(values.items()):
        doubts: list[str] = []
        try:
            lines.append(_line(name, value, doubts))
        except AutosaveError as error:
            lost[name] = str(error)
        if doubts:
            inexact[name] = "; ".join(doubts)
    for name, reason in sorted(snapshot.unreadable.items()):
        if is_sav_name(name):
            lines.append(
                b"#" + encode(name) + b" " + escape(encode(reason))[:_STRING_BYTES] + b"\n"
            )
    missing = len(lost) + len(snapshot.unreadable)
    head = _head(snapshot.saved_at) + (_UNSAVED.format(missing) if missing else "")
    return Written(b"".join([head.encode(), *lines, b"<END>\n"]), lost, inexact)


def _head(saved_at: float | None) -> str:
    date = "datetime"  # as asVerify has it, which knows no time either
    if saved_at is not None:
        date = datetime.fromtimestamp(saved_at).strftime("%y%m%d-%H%M%S")
    # R6-0 itself writes R5.3; a version is what makes readers look for the end mark.
    return f"# autosave R5.3\tAutomatically generated - DO NOT MODIFY - {date}\n"


def _line(name: str, value: Value, doubts: list[str]) -> bytes:
    if not is_sav_name(name):
        raise AutosaveError("the name cannot stand in a .sav file")
    raw_name = encode(name)
    if not raw_name[:1].isalnum():
        doubts.append("R6-0 restores no PV whose name begins so")
    if len(raw_name) > _NAME_BYTES:
        doubts.append(f"R6-0 reads names of at most {_NAME_BYTES} bytes")
    array = _array_of(value, doubts)
    if array is not None:
        return _wrapped(raw_name + b" @array@ {", (_element(item, doubts) for item in array))
    raw = _scalar(value)
    if isinstance(value, float) and 0 < abs(value) < sys.float_info.min:
        doubts.append("R6-0 restores no number as close to 0, unless in an array")
    text = escape(raw)
    if text.startswith(b"@array@"):
        text = b"\\x40" + text[1:]
    if b"\0" in raw:
        doubts.append("R6-0 reads text up to its first zero byte")
    line = raw_name + b" " + text
    if len(raw) > _STRING_BYTES or len(line) > _LINE_BYTES:
        # A long string has a name that says so, and a field to say it of.
        suffix = b"$" if b"." in raw_name else b".VAL$"
        line = raw_name + suffix + b" " + text
        if len(text) > _LONG_STRING_BYTES:
            doubts.append(f"R6-0 reads the first {_LONG_STRING_BYTES} bytes of a long string")
    return line + b"\n"


def _array_of(value: Value, doubts: list[str]) -> Sequence[object] | None:
    """The elements of an array, None for a scalar."""
    if isinstance(value, UntypedValue):
        return None if isinstance(value.text, str) else value.text
    if isinstance(value, bytes | list):
        return value
    if isinstance(value, np.ndarray):
        if value.ndim != 1:
            doubts.append(f"the shape {value.shape} is lost")
        elements: list[object] = value.reshape(-1).tolist()
        return elements
    return None


def _element(item: object, doubts: list[str]) -> bytes:
    raw = _scalar(item)
    text = escape_element(raw)
    if len(text) > _STRING_BYTES:
        doubt = f"R6-0 reads {_STRING_BYTES} bytes of an element"
        if doubt not in doubts:
            doubts.append(doubt)
    return b'"' + text + b'"'


def _scalar(value: object) -> bytes:
    """A scalar as its bytes, not escaped."""
    if isinstance(value, UntypedValue):
        value = value.text
    if isinstance(value, EnumValue):
        value = value.index
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return encode(value)
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return b"1" if value else b"0"
    if isinstance(value, int | float):
        try:
            return repr(float(value) if isinstance(value, float) else int(value)).encode()
        except ValueError as error:  # beyond Python's limit of digits
            raise AutosaveError(f"the integer is too long to be saved: {error}") from error
    raise AutosaveError(f"a value of type {type(value).__name__} cannot be saved")


def _wrapped(head: bytes, elements: Iterable[bytes]) -> bytes:
    """An array, broken between its elements: R6-0 misreads an escape at the end of a piece."""
    line = bytearray(head)
    for piece in _broken(len(head), elements):  # no list: a million of them is let go in one go
        line += piece
    return bytes(line) + b" }\n"


def _broken(length: int, elements: Iterable[bytes]) -> Iterator[bytes]:
    for element in elements:
        # Room for this blank and for the end of the array.
        broken = length + len(element) + 3 > _LINE_BYTES
        yield b"\n" if broken else b" "
        yield element
        length = len(element) + (0 if broken else length + 1)
