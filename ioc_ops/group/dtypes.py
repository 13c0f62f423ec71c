"""Which class of PV a declaration asks for: by its dtype, its value, its record type."""

from enum import IntEnum
from functools import lru_cache
from typing import get_origin

import numpy as np

from ioc_ops.channel import ChannelType, Value
from ioc_ops.errors import DefinitionError
from ioc_ops.group import types as pv
from ioc_ops.group.types import PvpropertyData
from ioc_ops.records import fields_of

__all__ = ["DEFAULT_VALUES", "TYPE_MAP", "data_class_of", "inferred_dtype", "record_dtype"]

_DataClass = type[PvpropertyData]

TYPE_MAP: dict[object, tuple[_DataClass, _DataClass]] = {
    str: (pv.PvpropertyChar, pv.PvpropertyCharRO),
    bytes: (pv.PvpropertyByte, pv.PvpropertyByteRO),
    int: (pv.PvpropertyInteger, pv.PvpropertyIntegerRO),
    float: (pv.PvpropertyDouble, pv.PvpropertyDoubleRO),
    bool: (pv.PvpropertyBoolEnum, pv.PvpropertyBoolEnumRO),
    IntEnum: (pv.PvpropertyEnum, pv.PvpropertyEnumRO),
    ChannelType.STRING: (pv.PvpropertyString, pv.PvpropertyStringRO),
    ChannelType.INT: (pv.PvpropertyShort, pv.PvpropertyShortRO),
    ChannelType.FLOAT: (pv.PvpropertyFloat, pv.PvpropertyFloatRO),
    ChannelType.ENUM: (pv.PvpropertyEnum, pv.PvpropertyEnumRO),
    ChannelType.CHAR: (pv.PvpropertyChar, pv.PvpropertyCharRO),
    ChannelType.LONG: (pv.PvpropertyInteger, pv.PvpropertyIntegerRO),
    ChannelType.DOUBLE: (pv.PvpropertyDouble, pv.PvpropertyDoubleRO),
}
"""Read-write and read-only class by Python type or native DBR type."""

DEFAULT_VALUES: dict[_DataClass, Value] = {
    pv.PvpropertyChar: "",
    pv.PvpropertyString: "",
    pv.PvpropertyByte: b"",
    pv.PvpropertyInteger: 0,
    pv.PvpropertyInt64: 0,
    pv.PvpropertyShort: 0,
    pv.PvpropertyDouble: 0.0,
    pv.PvpropertyFloat: 0.0,
    pv.PvpropertyEnum: 0,
    pv.PvpropertyBoolEnum: False,
}
"""Value of a PV that is declared without one, by read-write class."""

_NUMPY_KINDS: dict[str, object] = {"f": float, "i": int, "u": int, "b": int}


# What VAL of a record is when the declaration says nothing at all, by its database type.
_RECORD_DTYPES: dict[str, object] = {
    "DOUBLE": float,
    "STRING": ChannelType.STRING,
    "ENUM": ChannelType.ENUM,
}


def record_dtype(record: str, dtype: object, value: Value, max_length: int | None) -> object:
    """The dtype of a record, where the declaration leaves it to the record type.

    Args:
        record: type of EPICS Base, or motor.
        dtype: as declared, or None.
        value: likewise.
        max_length: likewise; above 1 the declaration asks for an array.
    """
    dbf = fields_of(record)["VAL"].dbf
    scalar = not isinstance(value, (list, tuple, np.ndarray)) and max_length in (None, 1)
    if dtype is None and value is None and scalar:
        dtype = _RECORD_DTYPES.get(dbf, int)
    elif dtype is None and type(value) is str and dbf == "STRING" and scalar:
        return ChannelType.STRING  # a stringin is no array of characters
    is_integer = dtype is int or (dtype is None and type(value) is int)
    return pv.PvpropertyInt64 if dbf == "INT64" and is_integer and scalar else dtype


def inferred_dtype(value: Value) -> object:
    """The Python type that stands for a value.

    Raises:
        DefinitionError: an empty list says nothing about its elements.
    """
    if value is None:
        return int
    if isinstance(value, np.ndarray):
        if value.dtype == np.uint8:
            return bytes
        if value.dtype == np.float32:
            return ChannelType.FLOAT
        if value.dtype.kind in "SU":
            return ChannelType.STRING
        if value.dtype.kind not in _NUMPY_KINDS:
            raise DefinitionError(f"an array of {value.dtype} has no CA type: give dtype=")
        return _NUMPY_KINDS[value.dtype.kind]
    if isinstance(value, (list, tuple)):
        if not len(value):
            raise DefinitionError("an empty list says nothing about its elements: give dtype=")
        first = type(value[0])
        return ChannelType.STRING if first is str else first
    return type(value)


def _read_only(cls: _DataClass) -> _DataClass:
    """The class itself where clients may not write it, else its read-only twin."""
    if cls.read_only:
        return cls
    twins = {**dict(TYPE_MAP.values()), pv.PvpropertyInt64: pv.PvpropertyInt64RO}
    if cls not in twins:
        return type(f"{cls.__name__}RO", (pv.PvpropertyReadOnlyData, cls), {"__slots__": ()})
    return twins[cls]


def data_class_of(dtype: object, read_only: bool) -> _DataClass:
    """The PV class for a dtype: a Python type, an IntEnum, a ChannelType or a PV class itself.

    Raises:
        DefinitionError: there is none.
    """
    try:
        return _known_class(dtype, read_only)
    except TypeError:  # not even hashable
        raise DefinitionError(f"dtype {dtype!r} has no CA type") from None


@lru_cache(maxsize=256)
def _known_class(dtype: object, read_only: bool) -> _DataClass:
    dtype = get_origin(dtype) or dtype  # PvpropertyDouble[AiFields]
    if isinstance(dtype, type):
        if issubclass(dtype, PvpropertyData):
            return _read_only(dtype) if read_only else dtype
        if issubclass(dtype, IntEnum) and not isinstance(dtype, ChannelType):
            return TYPE_MAP[IntEnum][read_only]
    candidates: list[object] = [dtype]
    if isinstance(dtype, type):
        if issubclass(dtype, (np.floating, np.integer)):
            candidates.append(float if issubclass(dtype, np.floating) else int)
        candidates += dtype.__mro__
    for candidate in candidates:
        try:
            return TYPE_MAP[candidate][read_only]
        except (KeyError, TypeError):
            continue
    raise DefinitionError(f"dtype {dtype!r} has no CA type")
