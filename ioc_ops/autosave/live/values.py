"""Saved values and what Channel Access can carry of them: pure, without a client.

A saved value is brought into the type that a PV of a running IOC has, as a restore at the start
of an IOC does it (`restore_value`), by a channel of that type that stands in for the PV.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ioc_ops.autosave.compare import Tolerance, equal
from ioc_ops.autosave.formats.escapes import decode, encode
from ioc_ops.autosave.restore import restore_value
from ioc_ops.autosave.untyped import number_of
from ioc_ops.autosave.values import EnumValue, UntypedValue, Value
from ioc_ops.channel import (
    ChannelByte,
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelFloat,
    ChannelInteger,
    ChannelShort,
    ChannelString,
    ChannelType,
)
from ioc_ops.errors import AutosaveError, ChannelError

__all__ = [
    "STRING_BYTES",
    "LivePV",
    "Payload",
    "Put",
    "agree",
    "alike",
    "exact",
    "fit",
    "is_exact",
    "put_of",
    "value_of",
]

#: What a client library takes or gives for a value.
Payload: TypeAlias = "bytes | int | float | npt.NDArray[np.generic] | Sequence[bytes]"

STRING_BYTES = 39
"""Bytes that a STRING has room for."""
_EXACT = 2**53
"""Integers up to this are exact as DOUBLE."""
_LARGEST = 2**64
"""Beyond that there are no integers in EPICS."""

# asVerify.c: FSMALL, DSMALL.
_TOLERANCES = {ChannelType.FLOAT: Tolerance(1e-6), ChannelType.DOUBLE: Tolerance(1e-8)}

_NUMBERS: dict[ChannelType, tuple[type[ChannelData], str]] = {
    ChannelType.INT: (ChannelShort, "i2"),
    ChannelType.LONG: (ChannelInteger, "i4"),
    # Of arrays; nobody names the states of their elements.
    ChannelType.ENUM: (ChannelInteger, "u2"),
    ChannelType.FLOAT: (ChannelFloat, "f4"),
    ChannelType.DOUBLE: (ChannelDouble, "f8"),
}


@dataclass(frozen=True, slots=True)
class LivePV:
    """What a running IOC says of a PV."""

    data_type: ChannelType
    #: Elements it can have.
    length: int = 1
    #: Names of the states of an ENUM.
    states: tuple[str, ...] = ()
    writable: bool = True


@dataclass(frozen=True, slots=True)
class Put:
    """A value as it is to be written."""

    data_type: ChannelType
    payload: Payload
    #: To ``NAME$``, which takes text of more than 39 bytes as characters.
    long: bool = False


def fit(value: Value, pv: LivePV) -> Value:
    """A saved value as the PV would have it, once it is restored.

    Raises:
        AutosaveError: it does not fit.
    """
    if pv.length == 1:
        if pv.data_type == ChannelType.ENUM:
            return _state(value, pv.states)
        if pv.data_type == ChannelType.CHAR:
            return _octet(value)
        integer = _long_integer(value) if pv.data_type == ChannelType.DOUBLE else None
        if integer is not None:
            return integer
    elif pv.data_type == ChannelType.CHAR:
        value = _characters(value)
    channel = _stand_in(pv)
    _restore(channel, value)
    fitted: Value = channel.value
    if pv.data_type == ChannelType.ENUM and not _in_range(fitted, 0, 0xFFFF):
        raise AutosaveError("an element is no index of a state")
    return fitted


def _in_range(numbers: Value, low: int, high: int) -> bool:
    array = np.asarray(numbers).reshape(-1)
    return array.size == 0 or bool(low <= array.min() and array.max() <= high)


def _characters(value: Value) -> Value:
    """Text and numbers as bytes, for an array of characters."""
    if isinstance(value, str):
        return encode(value)
    if not isinstance(value, list | np.ndarray):
        return value
    if isinstance(value, list) and not all(isinstance(item, int) for item in value):
        raise AutosaveError("an element is no character")
    array = np.asarray(value).reshape(-1)
    if array.size and (array.dtype.kind not in "iu" or not _in_range(array, -128, 255)):
        raise AutosaveError("an element is no character")
    return array.astype(np.uint8).tobytes()


def _restore(channel: ChannelData, value: Value) -> None:
    try:
        restore_value(channel, value)
    except ChannelError as error:
        # It has no name, with which the message would begin.
        raise AutosaveError(str(error).removeprefix(": ")) from error
    except (TypeError, ValueError, OverflowError) as error:  # numpy, of lists of mixed things
        raise AutosaveError(f"no value of a {channel.data_type.name}: {error}") from error


def _state(value: Value, states: tuple[str, ...]) -> EnumValue:
    try:
        channel = ChannelEnum(0, enum_strings=states)
    except ChannelError as error:  # an IOC may have names that ours cannot have
        raise AutosaveError(str(error).removeprefix(": ")) from error
    try:
        _restore(channel, value)
    except AutosaveError:
        # Not all states have a name; whether there is one of this index the IOC knows.
        number = _number(value)
        if isinstance(value, EnumValue) and not value.state:
            number = value.index
        if isinstance(number, int) and len(states) <= number <= 0xFFFF:
            return EnumValue(number, "")
        raise
    index = channel.raw_value
    return EnumValue(index, states[index] if index < len(states) else "")


def _octet(value: Value) -> int:
    """A single character is a number: 0 to 255, or -128 to 127 as some write it."""
    if isinstance(value, bytes) and len(value) == 1:
        return value[0]
    channel = ChannelShort(0)
    _restore(channel, value)
    number: int = channel.value
    if not -128 <= number < 256:
        raise AutosaveError(f"{number} is no character")
    return number & 0xFF


def _long_integer(value: Value) -> int | None:
    """An integer that a DOUBLE cannot hold. It goes as text, and a 64-bit integer takes it."""
    number = _number(value)
    if isinstance(number, int) and _EXACT < abs(number) < _LARGEST and float(number) != number:
        return number
    return None


def _number(value: Value) -> int | float | None:
    if isinstance(value, UntypedValue):
        return number_of(value.text) if isinstance(value.text, str) else None
    return value if isinstance(value, int | float) else None


def _stand_in(pv: LivePV) -> ChannelData:
    length = {"max_length": pv.length} if pv.length > 1 else {}
    if pv.data_type == ChannelType.STRING:
        return ChannelString([""] if length else "", **length)
    if pv.data_type == ChannelType.CHAR:
        return ChannelByte(b"", max_length=pv.length)
    make, _ = _NUMBERS[pv.data_type]
    zero: Any = [0] if length else 0
    return make(zero, **length)


def put_of(value: Value, pv: LivePV) -> Put:
    """What to write, so that the PV gets a value that `fit` made.

    Raises:
        AutosaveError: Channel Access cannot carry it.
    """
    if isinstance(value, EnumValue):
        return Put(ChannelType.ENUM, value.index)
    if pv.data_type == ChannelType.STRING:
        return _put_text(value)
    if pv.data_type == ChannelType.CHAR:
        raw = value if isinstance(value, bytes) else bytes([_octet(value)])
        return Put(ChannelType.CHAR, np.frombuffer(raw, np.uint8))
    if isinstance(value, int) and pv.data_type == ChannelType.DOUBLE and abs(value) > _EXACT:
        return Put(ChannelType.STRING, b"%d" % value)
    numbers = np.asarray(value, _NUMBERS[pv.data_type][1]).reshape(-1)
    return Put(pv.data_type, numbers)


def _put_text(value: Value) -> Put:
    if isinstance(value, str):
        raw = encode(value)
        if len(raw) <= STRING_BYTES:
            return Put(ChannelType.STRING, raw)
        return Put(ChannelType.CHAR, np.frombuffer(raw + b"\0", np.uint8), long=True)
    texts = [encode(str(item)) for item in value] if isinstance(value, list) else []
    for number, text in enumerate(texts):
        if len(text) > STRING_BYTES:
            raise AutosaveError(
                f"element {number} has {len(text)} bytes, Channel Access carries {STRING_BYTES}"
            )
    return Put(ChannelType.STRING, texts)


def value_of(payload: Payload, pv: LivePV) -> Value:
    """The value that a client has read.

    Args:
        payload: bytes of a STRING, or a sequence of them; an index; a number, or an array.
        pv: what the PV is.
    """
    if pv.data_type == ChannelType.STRING:
        if isinstance(payload, bytes):
            return decode(payload)
        return [decode(bytes(item)) for item in np.asarray(payload).reshape(-1).tolist()]
    array = np.asarray(payload).reshape(-1)
    if pv.data_type == ChannelType.ENUM and pv.length == 1:
        index = int(array[0])
        return EnumValue(index, pv.states[index] if index < len(pv.states) else "")
    if pv.data_type == ChannelType.CHAR and pv.length > 1:
        return array.astype(np.uint8).tobytes()
    if pv.length > 1:
        # Of numpy itself: the client's own subclass carries the rest of its answer.
        return np.array(array)
    scalar: int | float = array[0].item()
    return scalar


def is_exact(live: Value, saved: Value | None) -> bool:
    """Whether a number read as DOUBLE is all that there is: a 64-bit integer has more digits."""
    if saved is not None and _long_integer(saved) is not None:
        return False
    return not isinstance(live, float) or not math.isfinite(live) or abs(live) < _EXACT


def exact(live: float, text: str) -> int | float:
    """A number read as DOUBLE and as text: the integer that the text is, if it is one."""
    number = number_of(text)
    return number if isinstance(number, int) and float(number) == live else live


def agree(saved: Value, live: Value, pv: LivePV, tolerance: Tolerance | None = None) -> bool:
    """Whether a PV has its saved value.

    Args:
        saved: from the file.
        live: what `value_of` made of what the IOC serves.
        pv: what the PV is.
        tolerance: for numbers; None for that of asVerify.
    """
    try:
        wanted = fit(saved, pv)
    except AutosaveError:
        return False
    if tolerance is None:
        tolerance = _TOLERANCES.get(pv.data_type, Tolerance())
    if _is_text(saved) and isinstance(wanted, bytes) and isinstance(live, bytes):
        return wanted.rstrip(b"\0") == live.split(b"\0", 1)[0]
    return equal(wanted, live, tolerance)


def alike(live: Value, saved: Value | None) -> Value:
    """A live value in the form of the saved one, to be shown beside it: characters as text."""
    if isinstance(live, bytes) and saved is not None and _is_text(saved):
        return decode(live.split(b"\0", 1)[0])
    if isinstance(live, float) and isinstance(saved, int) and live.is_integer():
        return int(live)
    return live


def _is_text(value: Value) -> bool:
    return isinstance(value, str) or (
        isinstance(value, UntypedValue) and isinstance(value.text, str)
    )
