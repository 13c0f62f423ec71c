"""PVs that belong to a group."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast

from ioc_ops.channel import (
    ChannelBoolEnum,
    ChannelByte,
    ChannelChar,
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelFloat,
    ChannelInt64,
    ChannelInteger,
    ChannelShort,
    ChannelString,
    ChannelType,
    EventMask,
    Value,
)
from ioc_ops.group.record_registry import record_class
from ioc_ops.records import RecordFields

if TYPE_CHECKING:
    # With a default, so that only those who care must name the fields.
    from typing_extensions import TypeVar

    FieldsT = TypeVar("FieldsT", bound=RecordFields, default=RecordFields)
else:
    from typing import TypeVar

    FieldsT = TypeVar("FieldsT")

__all__ = [
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
    "PvpropertyInt64",
    "PvpropertyInt64RO",
    "PvpropertyInteger",
    "PvpropertyIntegerRO",
    "PvpropertyReadOnlyData",
    "PvpropertyShort",
    "PvpropertyShortRO",
    "PvpropertyString",
    "PvpropertyStringRO",
]

_VALUE_LOG = int(EventMask.VALUE | EventMask.LOG)
_SLOTS = ("__dict__", "__weakref__", "group", "pvspec")


class PvpropertyData(ChannelData, Generic[FieldsT]):
    """What a PV of a group has beside what every PV has.

    ``group`` is the PVGroup it belongs to, or None; ``pvspec`` what it was made from.
    ``PvpropertyDouble[AiFields]`` tells type checkers what ``field_inst`` is.
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
        return cast("str | None", self.pvspec.record_type)

    @property
    def description(self) -> str:
        """DESC of a record: what was declared as ``doc``, until somebody changes it."""
        return cast("str", self.__dict__.get("description", self.pvspec.doc or ""))

    @description.setter
    def description(self, text: str) -> None:
        self.__dict__["description"] = text
        made: RecordFields | None = self.__dict__.get("fields")
        if made is not None:
            made.refresh("DESC")

    @property
    def fields(self) -> Mapping[str, ChannelData]:
        """The fields of its record by name, each made when it is first asked for."""
        made: RecordFields | None = self.__dict__.get("fields")
        if made is None:
            if self.pvspec.record_type is None:
                return {}
            made = self.__dict__["fields"] = record_class(self.pvspec.record_type)(self)
        return made

    @property
    def field_inst(self) -> FieldsT:
        """The same, with the fields as attributes; None where there is no record."""
        return cast("FieldsT", self.fields or None)

    def has_field(self, field: str) -> bool:
        """Whether its record has a field; none is made."""
        record = self.pvspec.record_type
        return record is not None and field in record_class(record).field_names()

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


class PvpropertyReadOnlyData(PvpropertyData[FieldsT]):
    """A PV of a group that clients may not write."""

    __slots__ = ()
    read_only: ClassVar[bool] = True


class _OnChange(PvpropertyData[FieldsT]):
    """A PV that may post changes alone, as records of states and texts do."""

    __slots__ = ()
    only_changes = 0
    """Of VALUE and LOG, those that are posted only when the value differs; a mask."""

    def events_of(self, stored: Value) -> int:
        return _VALUE_LOG if stored != self._stored else _VALUE_LOG & ~self.only_changes


class PvpropertyInteger(PvpropertyData[FieldsT], ChannelInteger):
    """32-bit integers."""

    __slots__ = _SLOTS


class PvpropertyShort(PvpropertyData[FieldsT], ChannelShort):
    """16-bit integers."""

    __slots__ = _SLOTS


class PvpropertyDouble(PvpropertyData[FieldsT], ChannelDouble):
    """64-bit floating point."""

    __slots__ = _SLOTS


class PvpropertyInt64(PvpropertyData[FieldsT], ChannelInt64):
    """64-bit integers; clients see 64-bit floating point."""

    __slots__ = _SLOTS


class PvpropertyFloat(PvpropertyData[FieldsT], ChannelFloat):
    """32-bit floating point."""

    __slots__ = _SLOTS


class PvpropertyString(_OnChange[FieldsT], ChannelString):
    """Text of 39 bytes."""

    __slots__ = _SLOTS


class PvpropertyChar(_OnChange[FieldsT], ChannelChar):
    """Text of any length."""

    __slots__ = _SLOTS


class PvpropertyByte(PvpropertyData[FieldsT], ChannelByte):
    """Bytes."""

    __slots__ = _SLOTS


class PvpropertyEnum(_OnChange[FieldsT], ChannelEnum):
    """One of several states."""

    __slots__ = _SLOTS

    @property
    def shown_as(self) -> tuple[ChannelType, int]:
        # An mbbo without states is a number (cvt_dbaddr in mbboRecord.c).
        if not self._states and self.reported_record_type == "mbbo":
            return ChannelType.LONG, 1
        return super().shown_as


class PvpropertyBoolEnum(_OnChange[FieldsT], ChannelBoolEnum):
    """One of two states."""

    __slots__ = _SLOTS


class PvpropertyIntegerRO(PvpropertyReadOnlyData[FieldsT], PvpropertyInteger[FieldsT]):
    """32-bit integers, read only."""

    __slots__ = ()


class PvpropertyShortRO(PvpropertyReadOnlyData[FieldsT], PvpropertyShort[FieldsT]):
    """16-bit integers, read only."""

    __slots__ = ()


class PvpropertyDoubleRO(PvpropertyReadOnlyData[FieldsT], PvpropertyDouble[FieldsT]):
    """64-bit floating point, read only."""

    __slots__ = ()


class PvpropertyInt64RO(PvpropertyReadOnlyData[FieldsT], PvpropertyInt64[FieldsT]):
    """64-bit integers, read only."""

    __slots__ = ()


class PvpropertyFloatRO(PvpropertyReadOnlyData[FieldsT], PvpropertyFloat[FieldsT]):
    """32-bit floating point, read only."""

    __slots__ = ()


class PvpropertyStringRO(PvpropertyReadOnlyData[FieldsT], PvpropertyString[FieldsT]):
    """Text of 39 bytes, read only."""

    __slots__ = ()


class PvpropertyCharRO(PvpropertyReadOnlyData[FieldsT], PvpropertyChar[FieldsT]):
    """Text of any length, read only."""

    __slots__ = ()


class PvpropertyByteRO(PvpropertyReadOnlyData[FieldsT], PvpropertyByte[FieldsT]):
    """Bytes, read only."""

    __slots__ = ()


class PvpropertyEnumRO(PvpropertyReadOnlyData[FieldsT], PvpropertyEnum[FieldsT]):
    """One of several states, read only."""

    __slots__ = ()


class PvpropertyBoolEnumRO(PvpropertyReadOnlyData[FieldsT], PvpropertyBoolEnum[FieldsT]):
    """One of two states, read only."""

    __slots__ = ()
