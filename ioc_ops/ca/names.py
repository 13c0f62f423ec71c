"""What a channel name says: a PV, a field, and how its values are to be shown.

    NAME  NAME.FIELD  NAME.FIELD$  NAME.FIELD[1:5]  NAME.FIELD{dbnd:{abs:1.5}}

Without a field the dot stays: ``NAME.{...}``, ``NAME.[3]``, ``NAME.$`` (``dbChannelCreate`` in
``dbChannel.c``, ``dbFindFieldPart`` in ``dbStaticLib.c`` of EPICS Base). Only ``NAME$`` needs no
dot here. PVs may have dots in their own names, so where a PV's name ends is for the server to
find: ``name_ends`` gives it the places to try.
"""

import re
from typing import NamedTuple

from ioc_ops.ca.json5 import Json, JsonMap, parse_json5
from ioc_ops.errors import ConversionError

__all__ = ["LONGEST_NAME", "ChannelName", "FilterCall", "name_ends", "named_field", "parse_name"]

LONGEST_NAME = 1500
"""Characters; a name has to fit a search datagram."""

_MOST_ENDS = 100
_MARKS = re.compile(r"[.$\[{]")
_FIELD = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*)?")
_RANGE = re.compile(r"\[([^\[\]:]*)(?::([^\[\]:]*))?(?::([^\[\]:]*))?\]")
_C_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?)(?:0[xX]([0-9A-Fa-f]+)|(0[0-7]*)|([1-9][0-9]*))")
_INT32 = 0x7FFFFFFF


class FilterCall(NamedTuple):
    """A filter's name and the JSON value behind it."""

    name: str
    options: Json


class ChannelName(NamedTuple):
    """A channel name in its parts; ``field`` is '' where none is named."""

    pv: str
    field: str = ""
    long_string: bool = False
    filters: tuple[FilterCall, ...] = ()

    @property
    def modified(self) -> bool:
        """Whether the channel shows something else than the PV or field as it is."""
        return self.long_string or bool(self.filters)


def name_ends(name: str) -> list[int]:
    """Where in ``name`` the name of a PV may end, the longest first; bounded, as each is tried."""
    if len(name) > LONGEST_NAME:
        return []
    ends = [found.start() for found in _MARKS.finditer(name)]
    return ends[::-1] if len(ends) <= _MOST_ENDS else []


def named_field(name: str, end: int) -> str | None:
    """The field, '' for none, that follows the PV's own name; None when something else does.

    Modifiers behind it are not looked at: this is what a search asks (``dbChannelTest``).
    """
    rest = name[end:]
    field = ""
    if rest.startswith("."):
        found = _FIELD.match(rest, 1)
        field = found.group() if found else ""
        rest = rest[1 + len(field) :]
    elif rest != "$" and "." not in name[:end] and rest:
        # Base knows modifiers behind a field alone; the dot of a PV that is called
        # like a field of another will do.
        return None
    return field if not rest or rest[0] in "$[{" else None


def parse_name(name: str, end: int | None = None) -> ChannelName:
    """Take a channel name apart.

    Args:
        name: what a client asks for.
        end: where the PV's own name ends; by default at the first dot, as in EPICS Base.

    Raises:
        ConversionError: what follows the PV's name means nothing.
    """
    if end is None:
        end = next(i for i in (name.find("."), len(name) - name.endswith("$")) if i >= 0)
    pv, rest = name[:end], name[end:]
    if not pv or len(name) > LONGEST_NAME:
        raise ConversionError(f"{name[:80]!r} does not begin with the name of a PV")
    field = named_field(name, end)
    if field is None:
        raise ConversionError(f"{name!r}: {rest!r} means nothing here")
    rest = rest[rest.startswith(".") + len(field) :]
    long_string = rest.startswith("$")
    rest = rest[long_string:]
    filters: tuple[FilterCall, ...] = ()
    if rest.startswith("["):
        subarray, rest = _subarray(rest)
        filters = (subarray,)
    if rest.startswith("{"):
        filters += tuple([FilterCall(*pair) for pair in parse_json5(rest).pairs])
        rest = ""
    if rest:
        raise ConversionError(f"{name!r}: {rest!r} means nothing here")
    return ChannelName(pv, field, long_string, filters)


def _subarray(text: str) -> tuple[FilterCall, str]:
    """``[i]``, ``[s:e]`` or ``[s:i:e]`` as a call of ``arr``, and what is behind it."""
    found = _RANGE.match(text)
    if found is None:
        raise ConversionError(f"{text!r} is no range of elements")
    parts = [part for part in found.groups() if part is not None]
    if len(parts) == 1:
        if not parts[0]:
            raise ConversionError(f"{text!r} is no range of elements")
        parts *= 2
    keys = "sie" if len(parts) == 3 else "se"
    given = [(key, _number(part)) for key, part in zip(keys, parts, strict=True) if part]
    return FilterCall("arr", JsonMap(tuple(given))), text[found.end() :]


def _number(text: str) -> int:
    """An integer as ``strtol`` reads it. Raises ConversionError."""
    found = _C_INTEGER.fullmatch(text)
    if found is None or len(text) > 40:
        raise ConversionError(f"{text!r} is no index")
    sign, hexadecimal, octal, decimal = found.groups()
    if hexadecimal:
        value = int(hexadecimal, 16)
    else:
        value = int(octal, 8) if octal else int(decimal)
    if value > _INT32:
        raise ConversionError(f"{text!r} is no index of an array")
    return -value if sign == "-" else value
