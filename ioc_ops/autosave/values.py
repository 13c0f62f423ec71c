"""PV values as JSON text and back, exactly.

Plain JSON serves where it is exact: integers of any size, finite doubles (shortest text that
reads back to the same bits), text, booleans and lists of these. All else is a small object:

    {"float": "nan"}  {"float": "-inf"}  {"float": "nan:7ff8000000000001"}   (with its 64 bits)
    {"bytes": "printable ASCII"}  {"base64": "AAEC"}                         bytes
    {"enum": 2, "state": "Running"}                                          index and name
    {"dtype": "<f8", "values": [1.5, 2.5]}                                   numpy array, small
    {"dtype": ">f8", "shape": [2, 512], "base64": "..."}                     numpy array
    {"list": "<f8", "base64": "..."}                                         long list of numbers
    {"utf8": "64ed..."}                                                      text, lone surrogates
    {"untyped": "1.5"}  {"untyped": ["1", "2"]}                              of unknown type

Long data is converted in slices: the text is made in a worker thread, and one long call into C
would keep the interpreter, and with it Channel Access, waiting.
"""

import base64
import binascii
import json
import math
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ioc_ops.errors import AutosaveError

__all__ = [
    "EnumValue",
    "JsonValue",
    "Scalar",
    "UntypedValue",
    "Value",
    "from_json",
    "same",
    "to_parts",
    "to_text",
]


@dataclass(frozen=True, slots=True)
class EnumValue:
    """A state of an enum PV. The name decides at restore, the index where it names no state."""

    index: int
    state: str


@dataclass(frozen=True, slots=True)
class UntypedValue:
    """Text of which a format does not tell the type; the PV that it is restored to decides."""

    #: A tuple for an array, element by element.
    text: str | tuple[str, ...]


Scalar: TypeAlias = bool | int | float | str | bytes | EnumValue
Value: TypeAlias = Scalar | list[Scalar] | npt.NDArray[np.generic] | UntypedValue
JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

# Up to this many elements an array is written readably, number by number.
READABLE_ELEMENTS = 256
# An element of a string array; EPICS strings have 40 bytes.
MAX_ITEM_BYTES = 65536
# Slices in which long data is converted; a multiple of 3, so that base64 text can be joined.
SLICE_BYTES = 3 * 65536
SLICE_ELEMENTS = 8192

_QUIET_NAN = 0x7FF8000000000000
_DTYPE = re.compile(r"[<>|][biufSU][0-9]{1,9}")
_PRINTABLE = re.compile(rb"[ -~]*")
_quote: Callable[[str], str] = json.JSONEncoder(ensure_ascii=False).encode


def to_text(value: object) -> str:
    """JSON text of a PV's value, on one line.

    Raises:
        AutosaveError: the value is of a type that cannot be saved exactly.
    """
    return b"".join(to_parts(value)).decode()


def to_parts(value: object) -> list[bytes]:
    """The same text, encoded and in parts: whoever joins them copies a large array only once."""
    if isinstance(value, list | tuple):
        return _list_parts(value)
    if isinstance(value, np.ndarray):
        return _array_parts(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _bytes_parts(bytes(value))
    if isinstance(value, UntypedValue):
        text = value.text
        content = [_str_text(text).encode()] if isinstance(text, str) else _list_parts(text)
        return [b'{"untyped": ', *content, b"}"]
    return [_scalar_text(value).encode()]


def same(one: object, other: object) -> bool:
    """Whether two values are the same to the last bit and in type (1 is not 1.0, 0.0 not -0.0)."""
    return to_text(one) == to_text(other)


def from_json(data: JsonValue) -> Value:
    """The value that `to_text` wrote, from its parsed JSON.

    Raises:
        AutosaveError: the data is in none of the forms above.
    """
    if isinstance(data, list):
        return [_scalar_from(item) for item in data]
    if isinstance(data, dict):
        try:
            if data.keys() == {"untyped"}:
                return _untyped_from(data["untyped"])
            if "dtype" in data:
                return _array_from(data)
            if "list" in data:
                return _long_list_from(data)
        except (TypeError, ValueError, OverflowError, MemoryError) as error:
            raise AutosaveError(f"not a value: {error}") from error
    return _scalar_from(data)


# --- scalars ---------------------------------------------------------------------------------


def _scalar_text(value: object) -> str:
    if isinstance(value, np.generic) and not isinstance(value, np.void | np.object_):
        # numpy's own scalars; long double stays what it is and fails below.
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, int):
        return _int_text(value)
    if isinstance(value, str):
        return _str_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return b"".join(_bytes_parts(bytes(value))).decode("ascii")
    if isinstance(value, EnumValue):
        return f'{{"enum": {value.index:d}, "state": {_str_text(value.state)}}}'
    raise AutosaveError(f"a value of type {type(value).__name__} cannot be saved")


def _float_text(value: float) -> str:
    if math.isfinite(value):
        return float.__repr__(value)
    if math.isinf(value):
        return '{"float": "inf"}' if value > 0 else '{"float": "-inf"}'
    (bits,) = struct.unpack(">Q", struct.pack(">d", value))
    return '{"float": "nan"}' if bits == _QUIET_NAN else f'{{"float": "nan:{bits:016x}"}}'


def _int_text(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError as error:  # beyond Python's limit of digits
        raise AutosaveError(f"the integer is too long to be saved: {error}") from error


def _str_text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        return f'{{"utf8": "{value.encode("utf-8", "surrogatepass").hex()}"}}'
    return _quote(str(value))


def _bytes_parts(value: bytes) -> list[bytes]:
    if len(value) <= READABLE_ELEMENTS and _PRINTABLE.fullmatch(value):
        return [f'{{"bytes": {_quote(value.decode("ascii"))}}}'.encode()]
    return _base64_parts("", memoryview(value))


def _base64_parts(head: str, data: memoryview) -> list[bytes]:
    parts = [f'{{{head}"base64": "'.encode()]
    parts += [
        binascii.b2a_base64(data[start : start + SLICE_BYTES], newline=False)
        for start in range(0, len(data), SLICE_BYTES)
    ]
    parts.append(b'"}')
    return parts


def _scalar_from(data: JsonValue) -> Scalar:
    if isinstance(data, bool | int | float | str):
        return data
    if isinstance(data, dict):
        reader = _SCALAR_FORMS.get(frozenset(data))
        if reader is not None:
            try:
                return reader(data)
            except (TypeError, ValueError) as error:
                raise AutosaveError(f"not a value: {error}") from error
    text = json.dumps(data)
    raise AutosaveError(f"not a value: {text[:60]}{'...' if len(text) > 60 else ''}")


def _text_of(data: Mapping[str, JsonValue], key: str) -> str:
    text = data[key]
    if not isinstance(text, str):
        raise TypeError(f"{key!r} must be text")
    return text


def _float_from(data: Mapping[str, JsonValue]) -> float:
    text = _text_of(data, "float")
    if text in ("inf", "-inf", "nan"):
        return float(text)
    name, colon, bits = text.partition(":")
    if (name, colon, len(bits)) != ("nan", ":", 16):
        raise ValueError(f"no float: {text[:40]!r}")
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    if not math.isnan(value):
        raise ValueError(f"no NaN: {text!r}")
    return float(value)


def _bytes_from(data: Mapping[str, JsonValue]) -> bytes:
    return _text_of(data, "bytes").encode("ascii")


def _base64_from(data: Mapping[str, JsonValue]) -> bytes:
    return base64.b64decode(_text_of(data, "base64"), validate=True)


def _utf8_from(data: Mapping[str, JsonValue]) -> str:
    return bytes.fromhex(_text_of(data, "utf8")).decode("utf-8", "surrogatepass")


def _untyped_from(data: JsonValue) -> UntypedValue:
    if not isinstance(data, list):
        return UntypedValue(_item_text(data))
    return UntypedValue(tuple(map(_item_text, data)))


def _item_text(data: JsonValue) -> str:
    text = data if isinstance(data, str) else _scalar_from(data)
    if not isinstance(text, str):
        raise TypeError("'untyped' must hold text")
    return text


def _enum_from(data: Mapping[str, JsonValue]) -> EnumValue:
    index = data["enum"]
    if not isinstance(index, int) or isinstance(index, bool):
        raise TypeError("'enum' must be an integer")
    state = data["state"]
    # The state's name is text in its own right and may be in the form for lone surrogates.
    return EnumValue(
        index, _utf8_from(state) if isinstance(state, dict) else _text_of(data, "state")
    )


_SCALAR_FORMS: dict[frozenset[str], Callable[[Mapping[str, JsonValue]], Scalar]] = {
    frozenset(["float"]): _float_from,
    frozenset(["bytes"]): _bytes_from,
    frozenset(["base64"]): _base64_from,
    frozenset(["utf8"]): _utf8_from,
    frozenset(["enum", "state"]): _enum_from,
}


# --- arrays ----------------------------------------------------------------------------------


def _list_parts(value: Sequence[object]) -> list[bytes]:
    if len(value) > READABLE_ELEMENTS:
        kinds = set(map(type, value))
        if kinds == {float} or kinds == {int}:
            kind = "<f8" if kinds == {float} else "<i8"
            try:
                raw = b"".join(
                    np.array(value[start : start + SLICE_ELEMENTS], kind).tobytes()
                    for start in range(0, len(value), SLICE_ELEMENTS)
                )
            except OverflowError:  # integers beyond 64 bits: number by number
                pass
            else:
                return _base64_parts(f'"list": "{kind}", ', memoryview(raw))
    return [f"[{', '.join(map(_scalar_text, value))}]".encode()]


def _long_list_from(data: Mapping[str, JsonValue]) -> list[Scalar]:
    if set(data) != {"list", "base64"} or data["list"] not in ("<f8", "<i8"):
        raise ValueError("no list of numbers")
    numbers: list[Scalar] = np.frombuffer(_base64_from(data), str(data["list"])).tolist()
    return numbers


def _array_parts(array: npt.NDArray[np.generic]) -> list[bytes]:
    kind = array.dtype.str
    if array.dtype.kind == "O":  # what numpy makes of a list of mixed things: a list
        if array.ndim != 1:
            raise AutosaveError("an array of objects with more than one dimension cannot be saved")
        return _list_parts(array.tolist())
    if not _DTYPE.fullmatch(kind) or array.dtype.itemsize > MAX_ITEM_BYTES:
        raise AutosaveError(f"an array of {array.dtype} cannot be saved")
    head = f'"dtype": "{kind}", '
    if array.ndim != 1:
        head += f'"shape": {list(array.shape)}, '
    if array.size <= READABLE_ELEMENTS and _reads_back(array):
        values = ", ".join(map(_scalar_text, array.reshape(-1).tolist()))
        return [f'{{{head}"values": [{values}]}}'.encode()]
    # tobytes() copies with the interpreter held, but at memory speed: 8 MB in 2 ms.
    return _base64_parts(head, memoryview(array.tobytes()))


def _reads_back(array: npt.NDArray[np.generic]) -> bool:
    """Whether the elements survive as Python objects: not NaN payloads, not long doubles."""
    if array.dtype.kind != "f":
        return True
    return array.dtype.itemsize <= 8 and bool(np.isfinite(array).all())


def _array_from(data: Mapping[str, JsonValue]) -> npt.NDArray[np.generic]:
    if set(data) - {"shape"} not in ({"dtype", "values"}, {"dtype", "base64"}):
        raise ValueError("no array")
    kind = _text_of(data, "dtype")
    if not _DTYPE.fullmatch(kind) or (dtype := np.dtype(kind)).itemsize > MAX_ITEM_BYTES:
        raise ValueError(f"no type of an array: {kind[:40]!r}")
    array: npt.NDArray[np.generic]
    if "base64" in data:
        # A bytearray makes an array that may be written to, without one more copy.
        array = np.frombuffer(bytearray(_base64_from(data)), dtype)
    else:
        values = data["values"]
        if not isinstance(values, list):
            raise TypeError("'values' must be a list")
        array = np.array([_element_from(item, dtype.kind) for item in values], dtype)
    shape = data.get("shape")
    if shape is None:
        return array
    if not isinstance(shape, list):
        raise TypeError("'shape' must be a list")
    sizes = [size for size in shape if isinstance(size, int) and size >= 0]
    if len(sizes) != len(shape):
        raise ValueError("'shape' must hold sizes")
    return array.reshape(sizes)


_ELEMENT_TYPES: dict[str, type | tuple[type, ...]] = {
    "b": bool,
    "i": int,
    "u": int,
    "f": (int, float),
    "S": bytes,
    "U": str,
}


def _element_from(data: JsonValue, kind: str) -> Scalar:
    item = _scalar_from(data)
    if not isinstance(item, _ELEMENT_TYPES[kind]) or isinstance(item, bool) != (kind == "b"):
        raise TypeError(f"an array of kind {kind!r} with an element of {type(item).__name__}")
    return item
