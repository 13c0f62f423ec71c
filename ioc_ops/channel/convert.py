"""Numbers to text and back as EPICS Base does it (``cvtFast.c``, ``dbConvert.c``)."""

import re
import sys
from math import isfinite, isnan

import numpy as np
from numpy.typing import NDArray

from ioc_ops.ca import ChannelType
from ioc_ops.errors import ConversionError

__all__ = [
    "INTEGER_RANGES",
    "cut",
    "decode_text",
    "encode_text",
    "format_number",
    "parse_number",
    "to_integers",
]

INTEGER_RANGES: dict[ChannelType, tuple[int, int]] = {
    ChannelType.INT: (-0x8000, 0x7FFF),
    ChannelType.LONG: (-0x80000000, 0x7FFFFFFF),
    ChannelType.CHAR: (-0x80, 0xFF),
    ChannelType.ENUM: (0, 0xFFFF),
}


_LARGEST_DOUBLE = sys.float_info.max
# Not what int() and float() take: they know 1_000 and the digits of all scripts.
_INTEGER = re.compile(r"[+-]?(0x[0-9a-f]+|\d{1,400})", re.IGNORECASE | re.ASCII)
_REAL = re.compile(
    r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf(inity)?|nan)", re.IGNORECASE | re.ASCII
)


def format_number(value: float, precision: int | None) -> str:
    """Text of a number in at most 39 characters.

    Args:
        value: integers are written in full.
        precision: digits behind the point as ``cvtDoubleToString`` has them; None writes
            the shortest text that reads back as the same number.
    """
    if isinstance(value, int):
        return str(value)
    if isnan(value):
        return "nan"
    if not isfinite(value):
        return "inf" if value > 0 else "-inf"
    if precision is None:
        return repr(value)
    precision = max(precision, 0)
    if precision > 8 or abs(value) > 1e16:
        return f"{value:{precision + 7}.{min(precision, 17)}e}".strip()
    if abs(value) > 1e7:
        return f"{value:.{min(precision, 3)}f}"
    # Half is rounded away from zero, as people expect, and -0.0 has no sign.
    scale = 10**precision
    whole = int(abs(value))
    fraction = (int((abs(value) - whole) * scale * 10) + 5) // 10
    whole, fraction = whole + fraction // scale, fraction % scale
    digits = f".{fraction:0{precision}d}" if precision else ""
    return f"{'-' if value < 0 else ''}{whole}{digits}"


def parse_number(text: str) -> float:
    """Number of a whole text, as C writes them; integers stay exact, 0x is hexadecimal.

    Raises:
        ConversionError: the text is no number, or one beyond the range of DOUBLE.
    """
    stripped = text.strip()
    if _INTEGER.fullmatch(stripped):
        number: float = int(stripped, 16 if "x" in stripped.lower() else 10)
    elif _REAL.fullmatch(stripped):
        number = float(stripped)
    else:
        raise ConversionError(f"{text!r} is no number")
    if abs(number) > _LARGEST_DOUBLE and "inf" not in stripped.lower():
        raise ConversionError(f"{text!r} is outside the range of DOUBLE")
    return number


def to_integers(values: NDArray[np.generic], native: ChannelType) -> NDArray[np.int64]:
    """Integers of a numeric array, fractions cut off.

    Raises:
        ConversionError: an element is not finite or outside the range of the type.
    """
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ConversionError(f"an element is not finite and {native.name} holds integers")
    low, high = INTEGER_RANGES[native]
    if values.size and (values.min().item() < low or values.max().item() > high):
        raise ConversionError(f"an element is outside the range of {native.name}")
    return values.astype(np.int64)


class _Latin1(str):
    """Text that came as bytes of another encoding than its PV's."""

    __slots__ = ()


def decode_text(raw: bytes, encoding: str) -> str:
    """Text of bytes up to a terminator; what is not valid in ``encoding`` is read as Latin-1.

    Such a text gives its bytes back when it is encoded, as EPICS Base gives back what it got.
    """
    raw = raw.split(b"\0", 1)[0]
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return _Latin1(raw, "latin-1")


def encode_text(text: str, encoding: str) -> bytes:
    """Bytes of a text; question marks where ``encoding`` has no such character."""
    if type(text) is _Latin1:
        return text.encode("latin-1")
    return text.encode(encoding, "replace")


def cut(text: bytes, size: int, encoding: str) -> bytes:
    """At most ``size`` bytes of a text, never half a character of what is valid as a whole."""
    if len(text) <= size:
        return text
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return text[:size]
    return text[:size].decode(encoding, "ignore").encode(encoding)
