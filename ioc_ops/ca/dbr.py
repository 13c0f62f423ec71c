"""DBR types 0 to 38 as a table (EPICS Base ``db_access.h``).

A payload of any type is a prefix (alarm, time, limits, ... by family), then the elements.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

__all__ = [
    "LAST_TYPE",
    "LAYOUTS",
    "LIMIT_CODES",
    "MAX_ENUM_STATES",
    "MAX_ENUM_STRING_SIZE",
    "MAX_STRING_SIZE",
    "MAX_UNITS_SIZE",
    "NATIVE_DTYPES",
    "NATIVE_SIZES",
    "ChannelType",
    "Family",
    "Layout",
    "Limits",
    "payload_size",
]

MAX_STRING_SIZE = 40
MAX_UNITS_SIZE = 8
MAX_ENUM_STRING_SIZE = 26
MAX_ENUM_STATES = 16
LAST_TYPE = 38


class ChannelType(IntEnum):
    """DBR types; the first seven are the native ones (INT is the 16-bit integer)."""

    STRING = 0
    INT = 1
    FLOAT = 2
    ENUM = 3
    CHAR = 4
    LONG = 5
    DOUBLE = 6
    STS_STRING = 7
    STS_INT = 8
    STS_FLOAT = 9
    STS_ENUM = 10
    STS_CHAR = 11
    STS_LONG = 12
    STS_DOUBLE = 13
    TIME_STRING = 14
    TIME_INT = 15
    TIME_FLOAT = 16
    TIME_ENUM = 17
    TIME_CHAR = 18
    TIME_LONG = 19
    TIME_DOUBLE = 20
    GR_STRING = 21
    GR_INT = 22
    GR_FLOAT = 23
    GR_ENUM = 24
    GR_CHAR = 25
    GR_LONG = 26
    GR_DOUBLE = 27
    CTRL_STRING = 28
    CTRL_INT = 29
    CTRL_FLOAT = 30
    CTRL_ENUM = 31
    CTRL_CHAR = 32
    CTRL_LONG = 33
    CTRL_DOUBLE = 34
    PUT_ACKT = 35
    PUT_ACKS = 36
    STSACK_STRING = 37
    CLASS_NAME = 38


class Family(IntEnum):
    """What stands before the elements."""

    PLAIN = 0
    STS = 1
    TIME = 2
    GR = 3
    CTRL = 4
    PUT_ACKT = 5
    PUT_ACKS = 6
    STSACK = 7
    CLASS_NAME = 8


class Limits(NamedTuple):
    """The eight limits in their order on the wire; GR types carry the first six."""

    upper_disp: float = 0
    lower_disp: float = 0
    upper_alarm: float = 0
    upper_warning: float = 0
    lower_warning: float = 0
    lower_alarm: float = 0
    upper_ctrl: float = 0
    lower_ctrl: float = 0


class Layout(NamedTuple):
    """One DBR type: its family, native element type, and the struct of its prefix."""

    family: Family
    native: ChannelType
    prefix: struct.Struct
    element_size: int

    @property
    def size(self) -> int:
        """Bytes with one element, unpadded."""
        return self.prefix.size + self.element_size


NATIVE_SIZES = (MAX_STRING_SIZE, 2, 4, 2, 1, 4, 8)
"""Bytes of one element, by native type."""

NATIVE_DTYPES = ("S40", ">i2", ">f4", ">u2", ">u1", ">i4", ">f8")
"""numpy dtypes of the elements on the wire, by native type."""

LIMIT_CODES = ("", "h", "f", "", "B", "i", "d")
"""struct codes of limits, by native type; '' for those that have none."""

# The padding that aligns the first element, by native type (RISC_pad in db_access.h).
_STS_PAD = ("", "", "", "", "x", "", "4x")
_TIME_PAD = ("", "2x", "", "2x", "3x", "", "4x")


def _with_limits(native: int, count: int) -> str:
    if native == ChannelType.STRING:
        return ">HH"
    if native == ChannelType.ENUM:
        return f">HHH{MAX_ENUM_STATES * MAX_ENUM_STRING_SIZE}s"
    precision = "h2x" if native in (ChannelType.FLOAT, ChannelType.DOUBLE) else ""
    pad = "x" if native == ChannelType.CHAR else ""
    return f">HH{precision}{MAX_UNITS_SIZE}s{count}{LIMIT_CODES[native]}{pad}"


def _layouts() -> tuple[Layout, ...]:
    prefixes = (
        lambda native: ">",
        lambda native: ">HH" + _STS_PAD[native],
        lambda native: ">HHII" + _TIME_PAD[native],
        lambda native: _with_limits(native, 6),
        lambda native: _with_limits(native, 8),
    )
    table = [
        Layout(Family(f), ChannelType(n), struct.Struct(prefixes[f](n)), NATIVE_SIZES[n])
        for f in range(5)
        for n in range(7)
    ]
    empty = struct.Struct(">")
    table += [
        Layout(Family.PUT_ACKT, ChannelType.INT, empty, 2),
        Layout(Family.PUT_ACKS, ChannelType.INT, empty, 2),
        Layout(Family.STSACK, ChannelType.STRING, struct.Struct(">HHHH"), MAX_STRING_SIZE),
        Layout(Family.CLASS_NAME, ChannelType.STRING, empty, MAX_STRING_SIZE),
    ]
    return tuple(table)


LAYOUTS: tuple[Layout, ...] = _layouts()
"""Indexed by DBR type."""


def payload_size(data_type: int, count: int) -> int:
    """Bytes of ``count`` elements of a DBR type, unpadded (``dbr_size_n`` in ``db_access.h``)."""
    layout = LAYOUTS[data_type]
    return layout.prefix.size + layout.element_size * count
