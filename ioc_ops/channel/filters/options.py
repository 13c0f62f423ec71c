"""Options of a filter from their JSON (``chfPlugin.c`` in EPICS Base).

As there, a key or a choice may be cut short (``{"sync":{"w":"red"}}``), a later option of the
same meaning wins, and a map inside of the map counts as if its keys were outside.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import isfinite

from ioc_ops.ca.json5 import Json, JsonMap
from ioc_ops.errors import ConversionError

__all__ = ["Kind", "Option", "Options", "read_options"]

_INT32 = range(-0x80000000, 0x80000000)
_INTEGER = re.compile(r"\s*([+-]?)(0[xX][0-9A-Fa-f]{1,15}|[0-9]{1,20})")
_REAL = re.compile(r"\s*[+-]?(?:inf(?:inity)?|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)", re.I)


class Kind(Enum):
    """What an option holds."""

    INTEGER = "an integer of 32 bits"
    REAL = "a number"
    TEXT = "a text"
    CHOICE = "one of its choices"


@dataclass(frozen=True, slots=True)
class Option:
    """One key that a filter understands.

    ``into`` is what it sets; ``also`` is another setting that the key itself decides;
    ``converts`` says whether values of other JSON types are taken.
    """

    name: str
    kind: Kind
    into: str
    converts: bool = False
    choices: tuple[str, ...] = ()
    also: tuple[str, str] | None = None
    required: bool = False


Options = dict[str, str | int | float]


def read_options(name: str, table: Sequence[Option], given: Json) -> Options:
    """The settings that a client has given to the filter ``name``.

    Raises:
        ConversionError: an option is unknown, missing, or not what it should be.
    """
    if not isinstance(given, JsonMap):
        raise ConversionError(f"filter {name}: its options are a map, not {given!r}")
    found: Options = {}
    named: set[str] = set()
    for key, value in _flat(given):
        option = next((o for o in table if o.name.startswith(key)), None)
        if option is None:
            raise ConversionError(f"filter {name}: there is no option {key!r}")
        named.add(option.into)
        if option.also is not None:
            into, choice = option.also
            named.add(into)
            found[into] = choice
        if not isinstance(value, JsonMap):
            setting = _setting(option, value)
            if setting is None:
                raise ConversionError(f"filter {name}: {value!r} is not {option.kind.value}")
            found[option.into] = setting
    missing = {option.into for option in table if option.required} - named
    if missing:
        raise ConversionError(f"filter {name}: it needs {', '.join(sorted(missing))}")
    return found


def _flat(options: JsonMap) -> Iterator[tuple[str, Json]]:
    for key, value in options.pairs:
        yield key, value
        if isinstance(value, JsonMap):
            yield from _flat(value)


def _setting(option: Option, value: Json) -> str | int | float | None:
    if isinstance(value, int) and not isinstance(value, bool) and value not in _INT32:
        return None
    match option.kind:
        case Kind.TEXT:
            return value if isinstance(value, str) else None
        case Kind.CHOICE:
            return _choice(option, value)
        case Kind.INTEGER:
            return _integer(option, value)
        case Kind.REAL:
            return _real(option, value)


def _choice(option: Option, value: Json) -> str | None:
    if isinstance(value, str):
        return next((c for c in option.choices if c.startswith(value)), None)
    if isinstance(value, int) and not isinstance(value, bool) and option.converts:
        return option.choices[value] if 0 <= value < len(option.choices) else None
    return None


def _integer(option: Option, value: Json) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not option.converts:
        return None
    if isinstance(value, str):
        found = _INTEGER.match(value)
        if found is None:
            return None
        sign, digits = found.groups()
        octal = digits.startswith("0") and digits.isdigit()
        try:
            value = int(digits, 8) if octal else int(digits, 0)
        except ValueError:  # 8 and 9 end an octal number
            value = int(re.split("[89]", digits)[0], 8)
        value = -value if sign == "-" else value
    if isinstance(value, (bool, int, float)) and isfinite(value) and int(value) in _INT32:
        return int(value)
    return None


def _real(option: Option, value: Json) -> float | None:
    if isinstance(value, float):
        return value
    if not option.converts:
        return None
    if isinstance(value, str):
        found = _REAL.match(value)
        return None if found is None else float(found.group())
    return float(value) if isinstance(value, (bool, int)) else None
