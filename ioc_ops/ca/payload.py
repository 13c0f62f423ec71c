"""Payloads of every DBR type, both ways: metadata and elements to bytes and back."""

import struct
from dataclasses import dataclass, field
from typing import Any

from ioc_ops.ca.dbr import (
    LAST_TYPE,
    LAYOUTS,
    LIMIT_CODES,
    MAX_ENUM_STATES,
    MAX_ENUM_STRING_SIZE,
    MAX_STRING_SIZE,
    MAX_UNITS_SIZE,
    Family,
    Layout,
    Limits,
)
from ioc_ops.errors import ProtocolError

__all__ = [
    "SCALAR_TIME",
    "Extras",
    "elements",
    "pack_prefix",
    "pack_string",
    "pack_strings",
    "unpack_payload",
    "unpack_strings",
]

_INTEGER_RANGE = {"h": (-0x8000, 0x7FFF), "B": (-0x80, 0xFF), "i": (-0x80000000, 0x7FFFFFFF)}
_FLOAT_MAX = 3.4028234663852886e38
_ELEMENT_CODE = (f"{MAX_STRING_SIZE}s", "h", "f", "H", "B", "i", "d")


@dataclass(frozen=True, slots=True)
class Extras:
    """What a payload says beside its elements; a family carries only its own part."""

    status: int = 0
    severity: int = 0
    seconds: int = 0
    nanoseconds: int = 0
    precision: int = 0
    units: bytes = b""
    limits: Limits = field(default_factory=Limits)
    states: tuple[bytes, ...] = ()
    ackt: int = 0
    acks: int = 0


SCALAR_TIME = tuple(
    [
        # Prefix and one element in a single struct, padded to 8 bytes.
        struct.Struct(f"{layout.prefix.format}{_ELEMENT_CODE[layout.native]}{-layout.size % 8}x")
        for layout in LAYOUTS
        if layout.family == Family.TIME
    ]
)
"""status, severity, seconds, nanoseconds, value -> payload; by native type."""


def pack_string(text: bytes) -> bytes:
    """A 40-byte string, cut to 39 bytes and terminated."""
    return text[: MAX_STRING_SIZE - 1].ljust(MAX_STRING_SIZE, b"\0")


def pack_strings(texts: list[bytes]) -> bytes:
    """Elements of type STRING."""
    return b"".join([pack_string(text) for text in texts])


def unpack_strings(data: bytes | memoryview, count: int) -> list[bytes]:
    """Elements of type STRING, up to their terminators; a short last one is allowed.

    Clients cut the payload of a single string behind its terminator.
    """
    data = bytes(data)
    return [
        data[i : i + MAX_STRING_SIZE].split(b"\0", 1)[0]
        for i in range(0, count * MAX_STRING_SIZE, MAX_STRING_SIZE)
    ]


def _fit(code: str, limit: float) -> float:
    """A number as the type on the wire can show it: clamped, as a C conversion cannot."""
    if code == "d":
        return limit
    if code == "f":
        return max(-_FLOAT_MAX, min(_FLOAT_MAX, limit)) if limit == limit else limit
    if limit != limit:
        return 0
    low, high = _INTEGER_RANGE[code]
    fitted = int(max(low, min(high, limit)))
    return fitted & 0xFF if code == "B" else fitted  # clients take a char for signed or not


def _prefix_fields(layout: Layout, extras: Extras) -> tuple[object, ...]:
    family, native = layout.family, layout.native
    if family in (Family.PLAIN, Family.PUT_ACKT, Family.PUT_ACKS, Family.CLASS_NAME):
        return ()
    alarm = (extras.status, extras.severity)
    if family == Family.STS:
        return alarm
    if family == Family.TIME:
        return (*alarm, extras.seconds, extras.nanoseconds)
    if family == Family.STSACK:
        return (*alarm, extras.ackt, extras.acks)
    code = LIMIT_CODES[native]
    if code:
        limits = extras.limits[: 6 if family == Family.GR else 8]
        fitted = tuple([_fit(code, limit) for limit in limits])
        units = extras.units[: MAX_UNITS_SIZE - 1]
        precision = (_fit("h", extras.precision),) if code in "fd" else ()
        return (*alarm, *precision, units, *fitted)
    if native == 0:
        return alarm
    states = extras.states[:MAX_ENUM_STATES]
    width = MAX_ENUM_STRING_SIZE
    table = b"".join([state[: width - 1].ljust(width, b"\0") for state in states])
    return (*alarm, len(states), table)


def pack_prefix(data_type: int, extras: Extras) -> bytes:
    """All bytes before the first element, alignment included."""
    layout = LAYOUTS[data_type]
    return layout.prefix.pack(*_prefix_fields(layout, extras))


def unpack_payload(data_type: int, count: int, payload: bytes) -> tuple[Extras, bytes]:
    """Split a payload into what it says beside its elements and the elements' bytes.

    Raises:
        ProtocolError: no such type, or the payload is too short for its count.
    """
    if not 0 <= data_type <= LAST_TYPE:
        raise ProtocolError(f"{data_type} is no DBR type")
    layout = LAYOUTS[data_type]
    raw = bytes(elements(data_type, count, payload))
    if not layout.prefix.size:
        return Extras(), raw
    fields = layout.prefix.unpack_from(payload)
    return _extras(layout, fields), raw


def elements(data_type: int, count: int, payload: bytes | memoryview) -> bytes | memoryview:
    """The bytes of the elements alone.

    Raises:
        ProtocolError: the payload is too short for its count.
    """
    layout = LAYOUTS[data_type]
    start = layout.prefix.size
    end = start + count * layout.element_size
    if end > len(payload):
        # A single string may be cut behind its terminator (ca_put of DBR_STRING does so).
        if not (layout.element_size == MAX_STRING_SIZE and count == 1 and len(payload) > start):
            raise ProtocolError(f"{count} elements do not fit a payload of {len(payload)} bytes")
        return payload[start:]
    return payload[start:end]


def _extras(layout: Layout, fields: tuple[Any, ...]) -> Extras:
    family, native = layout.family, layout.native
    status, severity, *rest = fields
    if family == Family.TIME:
        return Extras(status, severity, seconds=rest[0], nanoseconds=rest[1])
    if family == Family.STSACK:
        return Extras(status, severity, ackt=rest[0], acks=rest[1])
    if not rest:
        return Extras(status, severity)
    code = LIMIT_CODES[native]
    if not code:
        number, table = rest
        width = MAX_ENUM_STRING_SIZE
        states = [table[i * width : (i + 1) * width] for i in range(min(number, MAX_ENUM_STATES))]
        return Extras(status, severity, states=tuple([s.split(b"\0", 1)[0] for s in states]))
    precision = rest.pop(0) if code in "fd" else 0
    units = rest.pop(0).split(b"\0", 1)[0]
    return Extras(status, severity, precision=precision, units=units, limits=Limits(*rest))
