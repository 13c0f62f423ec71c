"""PVs that belong to a group, and which class a Python type asks for."""

import logging
from collections.abc import Mapping
from enum import IntEnum
from types import MethodType
from typing import Any, ClassVar, cast

import numpy as np

from ioc_ops.channel import (
    ChannelBoolEnum,
    ChannelByte,
    ChannelChar,
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelFloat,
    ChannelInteger,
    ChannelShort,
    ChannelString,
    ChannelType,
    Value,
)
from ioc_ops.errors import DefinitionError
from ioc_ops.records import Field, RecordFields

__all__ = [
    "DEFAULT_VALUES",
    "TYPE_MAP",
    "PvpropertyBoolEnum",
    "PvpropertyBoolEnumRO",
    "PvpropertyByte",
    "PvpropertyByteRO",
    "PvpropertyChar",
    "PvpropertyCharRO",
    "PvpropertyData",
    "PvpropertyDouble",
    "PvpropertyDoubleRO",
    "PvpropertyEnum",
    "PvpropertyEnumRO",
    "PvpropertyFloat",
    "PvpropertyFloatRO",
    "PvpropertyInteger",
    "PvpropertyIntegerRO",
    "PvpropertyReadOnlyData",
    "PvpropertyShort",
    "PvpropertyShortRO",
    "PvpropertyString",
    "PvpropertyStringRO",
    "data_class_of",
    "inferred_dtype",
]

_SLOTS = ("__dict__", "__weakref__", "group", "pvspec")


class PvpropertyData(ChannelData):
    """What a PV of a group has beside what every PV has.

    ``group`` is the PVGroup it belongs to, or None; ``pvspec`` what it was made from.
    """

    __slots__ = ()
    group: Any
    pvspec: Any

    @property
    def log(self) -> logging.Logger:
        """The logger of its group."""
        if self.group is None:
            return logging.getLogger("ioc_ops.pv")
        return cast("logging.Logger", self.group.log)

    @property
    def record_type(self) -> str | None:
        """Record type it was declared with."""
        return cast("str | None", self.pvspec.record)

    @property
    def description(self) -> str:
        """DESC of a record: what was declared as ``doc``, until somebody changes it."""
        return str(self.__dict__.get("description") or self.pvspec.doc or "")

    @description.setter
    def description(self, text: str) -> None:
        self.__dict__["description"] = text

    @property
    def fields(self) -> Mapping[str, ChannelData]:
        """The fields of its record by name, each made when it is first asked for."""
        made: RecordFields | None = self.__dict__.get("fields")
        if made is None:
            if self.pvspec.record is None:
                return {}
            made = self.__dict__["fields"] = RecordFields(self, self.pvspec.record, self._add_hooks)
        return made

    @property
    def field_inst(self) -> Any:
        """The same, with the fields as attributes."""
        return self.fields

    def _add_hooks(self, field: Field) -> None:
        for hook in self.pvspec.fields:
            if hook.field != field.spec.name:
                continue
            bound = MethodType(hook.hook, self.fields) if callable(hook.hook) else None
            if hook.kind == "get":
                field.getter = bound
            elif hook.kind == "put":
                field.putter = bound

    def get_field(self, field: str | None) -> ChannelData:
        """The PV of a field; '' and 'VAL' are the PV itself.

        Raises:
            AttributeError: there is no such field.
        """
        if not field or field == "VAL":
            return self
        try:
            return self.fields[field]
        except KeyError:
            raise AttributeError(f"{self.name} has no field {field}") from None


class PvpropertyReadOnlyData(PvpropertyData):
    """A PV of a group that clients may not write."""

    __slots__ = ()
    read_only: ClassVar[bool] = True


class PvpropertyInteger(PvpropertyData, ChannelInteger):
    """32-bit integers."""

    __slots__ = _SLOTS


class PvpropertyShort(PvpropertyData, ChannelShort):
    """16-bit integers."""

    __slots__ = _SLOTS


class PvpropertyDouble(PvpropertyData, ChannelDouble):
    """64-bit floating point."""

    __slots__ = _SLOTS


class PvpropertyFloat(PvpropertyData, ChannelFloat):
    """32-bit floating point."""

    __slots__ = _SLOTS


class PvpropertyString(PvpropertyData, ChannelString):
    """Text of 39 bytes."""

    __slots__ = _SLOTS


class PvpropertyChar(PvpropertyData, ChannelChar):
    """Text of any length."""

    __slots__ = _SLOTS


class PvpropertyByte(PvpropertyData, ChannelByte):
    """Bytes."""

    __slots__ = _SLOTS


class PvpropertyEnum(PvpropertyData, ChannelEnum):
    """One of several states."""

    __slots__ = _SLOTS


class PvpropertyBoolEnum(PvpropertyData, ChannelBoolEnum):
    """One of two states."""

    __slots__ = _SLOTS


class PvpropertyIntegerRO(PvpropertyReadOnlyData, PvpropertyInteger):
    """32-bit integers, read only."""

    __slots__ = ()


class PvpropertyShortRO(PvpropertyReadOnlyData, PvpropertyShort):
    """16-bit integers, read only."""

    __slots__ = ()


class PvpropertyDoubleRO(PvpropertyReadOnlyData, PvpropertyDouble):
    """64-bit floating point, read only."""

    __slots__ = ()


class PvpropertyFloatRO(PvpropertyReadOnlyData, PvpropertyFloat):
    """32-bit floating point, read only."""

    __slots__ = ()


class PvpropertyStringRO(PvpropertyReadOnlyData, PvpropertyString):
    """Text of 39 bytes, read only."""

    __slots__ = ()


class PvpropertyCharRO(PvpropertyReadOnlyData, PvpropertyChar):
    """Text of any length, read only."""

    __slots__ = ()


class PvpropertyByteRO(PvpropertyReadOnlyData, PvpropertyByte):
    """Bytes, read only."""

    __slots__ = ()


class PvpropertyEnumRO(PvpropertyReadOnlyData, PvpropertyEnum):
    """One of several states, read only."""

    __slots__ = ()


class PvpropertyBoolEnumRO(PvpropertyReadOnlyData, PvpropertyBoolEnum):
    """One of two states, read only."""

    __slots__ = ()


_DataClass = type[PvpropertyData]

TYPE_MAP: dict[object, tuple[_DataClass, _DataClass]] = {
    str: (PvpropertyChar, PvpropertyCharRO),
    bytes: (PvpropertyByte, PvpropertyByteRO),
    int: (PvpropertyInteger, PvpropertyIntegerRO),
    float: (PvpropertyDouble, PvpropertyDoubleRO),
    bool: (PvpropertyBoolEnum, PvpropertyBoolEnumRO),
    IntEnum: (PvpropertyEnum, PvpropertyEnumRO),
    ChannelType.STRING: (PvpropertyString, PvpropertyStringRO),
    ChannelType.INT: (PvpropertyShort, PvpropertyShortRO),
    ChannelType.FLOAT: (PvpropertyFloat, PvpropertyFloatRO),
    ChannelType.ENUM: (PvpropertyEnum, PvpropertyEnumRO),
    ChannelType.CHAR: (PvpropertyChar, PvpropertyCharRO),
    ChannelType.LONG: (PvpropertyInteger, PvpropertyIntegerRO),
    ChannelType.DOUBLE: (PvpropertyDouble, PvpropertyDoubleRO),
}
"""Read-write and read-only class by Python type or native DBR type."""

DEFAULT_VALUES: dict[object, Value] = {
    PvpropertyChar: "",
    PvpropertyString: "",
    PvpropertyByte: b"",
    PvpropertyInteger: 0,
    PvpropertyShort: 0,
    PvpropertyDouble: 0.0,
    PvpropertyFloat: 0.0,
    PvpropertyEnum: 0,
    PvpropertyBoolEnum: False,
}
"""Value of a PV that is declared without one, by read-write class."""

_NUMPY_KINDS: dict[str, object] = {"f": float, "i": int, "u": int, "b": int}


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
    twins = dict(TYPE_MAP.values())
    if cls not in twins:
        return type(f"{cls.__name__}RO", (PvpropertyReadOnlyData, cls), {"__slots__": ()})
    return twins[cls]


def data_class_of(dtype: object, read_only: bool) -> _DataClass:
    """The PV class for a dtype: a Python type, an IntEnum, a ChannelType or a PV class itself.

    Raises:
        DefinitionError: there is none.
    """
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
