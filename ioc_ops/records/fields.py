"""A field of a record as a PV: one class for each of the types that fields have."""

import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ioc_ops.ca import AccessRights, EventMask
from ioc_ops.channel import (
    STORED,
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelFloat,
    ChannelInt64,
    ChannelInteger,
    ChannelNumeric,
    ChannelShort,
    ChannelString,
    ChannelType,
    Payload,
    Value,
)
from ioc_ops.channel.convert import cut, decode_text, encode_text
from ioc_ops.errors import ConversionError
from ioc_ops.records.display import metadata_of
from ioc_ops.records.links import Link
from ioc_ops.records.tables import FieldSpec, choice_index, choices_of

if TYPE_CHECKING:
    from ioc_ops.records.record import RecordFields

__all__ = ["FIELD_CLASSES", "Field"]

_ALARM = int(EventMask.ALARM)
_PROPERTY = int(EventMask.PROPERTY)
_LINK_SIZE = 1024  # bytes of a link's text (PVLINK_STRINGSZ)
_UNNAMED = 0xFFFF  # index that stands for no choice of a menu (SSCN)


class Field(ChannelData):
    """What a field has beside what every PV has: its record, and what ties it to that.

    As in EPICS Base it shows alarm and time of its record; when it was written later than the
    record, it shows that time.
    """

    record: ChannelData
    spec: FieldSpec
    link: Link | None

    def __init__(self, fields: "RecordFields", spec: FieldSpec, link: Link | None) -> None:
        """Make a field with the value that its record or its .dbd file gives it."""
        record = fields.parent
        self.fields, self.record, self.spec, self.link = fields, record, spec, link
        initial = self._initial() if link is None else link.read(record)
        super().__init__(
            initial,
            name=f"{record.name}.{spec.name}",
            alarm=record.alarm,
            string_encoding=record.string_encoding,
            reported_record_type=record.reported_record_type,
            **self._arguments(),
        )
        self.time_ns = record.time_ns
        self.asl = spec.asl
        if link is not None and link.act is not None:
            self.putter = self._act

    def _initial(self) -> Value:
        return self.spec.initial

    def _arguments(self) -> dict[str, Any]:
        return {}

    # -- what a field has of its record -------------------------------------------------

    @property
    def parent(self) -> ChannelData:
        """The record's PV."""
        return self.record

    @property
    def blocked(self) -> bool:
        """DISP of the record keeps clients from all fields but itself."""
        return self.record.blocked and self.spec.name != "DISP"

    @blocked.setter
    def blocked(self, blocked: bool) -> None:
        pass  # ChannelData begins with False

    @property
    def puts_owner(self) -> ChannelData:
        """The record where the field acts on it; a hook of the user's waits for nobody else's.

        A motor must hear of STOP while it moves.
        """
        acts = getattr(self.putter, "__func__", None) is Field._act
        return self.record if acts else self

    @property
    def asg(self) -> str:
        """Access group of the record."""
        return self.record.asg

    @asg.setter
    def asg(self, asg: str) -> None:
        self.record.asg = asg

    def when_regrouped(self, guard: Callable[[], None]) -> None:
        """Call this when the access group of the record has changed."""
        self.record.when_regrouped(guard)

    def check_access(self, hostname: str, username: str) -> AccessRights:
        """What the record says; what it computes, and what never changes, can only be read."""
        record = self.record
        # A read-only PV is one whose value clients may not write: VAL.
        rights = (
            AccessRights.READ_WRITE if record.read_only else record.check_access(hostname, username)
        )
        return rights if self.spec.writable else rights & AccessRights.READ

    def check(self, stored: Value) -> Value:
        """The ranges that a field shows are those of its record: they bound VAL alone."""
        return stored

    def alarm_of(self, stored: Value) -> tuple[int, int]:
        """The alarm is the record's, whatever the field's value."""
        return self.record.alarm.state

    # -- changes ------------------------------------------------------------------------

    async def _act(self, instance: ChannelData, value: Value) -> None:
        """Have the record do it; what it then says of this field is no news."""
        assert self.link is not None  # noqa: S101 - this is the putter of links that act
        assert self.link.act is not None  # noqa: S101
        before, self._stored = self._stored, self.convert(value)
        try:
            await self.link.act(self, value)
        except BaseException:
            self._stored = before
            raise

    def commit(
        self, stored: Value, time_ns: int, status: int, severity: int, events: int = STORED
    ) -> None:
        """Change what the field stands for, then the field."""
        link, record = self.link, self.record
        before = self._stored
        if link is not None and link.write is not None:
            self._stored = stored
            try:
                # The record may tell its fields at once: this one knows already.
                link.write(record, self.present(stored))
            except Exception:
                self._stored = before
                raise
            stored = self.convert(link.read(record))
        super().commit(stored, time_ns, status, severity, events)
        self.fields.written(self)
        if link is None:
            return
        if self.spec.properties and stored != before:
            record.post(_PROPERTY)
        if self.spec.processes and link.write is not None:
            record.reassess()

    def post(self, events: int) -> None:
        """News of the alarm reach the fields that show it; DBE_ALARM is posted on VAL alone."""
        if events != _ALARM:
            super().post(events)
            return
        self.encoded.clear()
        if self.link is not None and self.link.events == _ALARM:
            self.refresh()

    def refresh(self) -> None:
        """Show what the record has become."""
        if self.link is None:
            return
        try:
            stored = self.convert(self.link.read(self.record))
        except ConversionError:
            return  # the IOC has said of the record what this field has no room for
        if stored != self._stored and (stored == stored or self._stored == self._stored):
            super().commit(stored, self.record.time_ns, *self.record.alarm.state)

    def refresh_metadata(self) -> None:
        """Show the units and ranges that the record has now."""


class StringField(Field, ChannelString):
    """Text, and links, which are text to a client; cut to the size of the field."""

    def _arguments(self) -> dict[str, Any]:
        return {"long_string_max_length": self.spec.size or _LINK_SIZE}

    def convert(self, value: Value) -> Value:
        text: str = super().convert(value)
        size = self.spec.size or _LINK_SIZE
        if len(text) < size // 4:
            return text
        encoding = self.string_encoding
        return decode_text(cut(encode_text(text, encoding), size - 1, encoding), encoding)

    def decode(self, data_type: int, count: int, payload: Payload) -> Value:
        return self.convert(super().decode(data_type, count, payload))


class NumberField(Field, ChannelNumeric):
    """What all numbers share: units, precision and ranges that depend on the record."""

    def __init__(self, fields: "RecordFields", spec: FieldSpec, link: Link | None) -> None:
        """As Field."""
        self._said: dict[str, Value] = {}
        super().__init__(fields, spec, link)
        self.refresh_metadata()

    def _initial(self) -> Value:
        # A PV that is declared has a value.
        return 0 if self.spec.name == "UDF" else float(self.spec.initial or 0)

    def decode(self, data_type: int, count: int, payload: Payload) -> Value:
        return self.convert(super().decode(data_type, count, payload))

    def _change_metadata(self, changes: dict[str, Value]) -> None:
        # What is said of the field itself outlives changes of the record.
        super()._change_metadata(changes)
        self._said |= changes

    def refresh_metadata(self) -> None:
        self.metadata = metadata_of(self.spec, self.fields)
        if self._said:
            super()._change_metadata(self._said)
        self.encoded.clear()


class ShortField(NumberField, ChannelShort):
    """16-bit integers."""


class IntegerField(NumberField, ChannelInteger):
    """32-bit integers."""


class UnsignedShortField(IntegerField):
    """Unsigned 16-bit integers, for which CA has DBR_LONG."""

    values = (0, 0xFFFF)


class ByteField(NumberField, ChannelInteger):
    """Unsigned 8-bit integers, DBR_CHAR."""

    data_type = ChannelType.CHAR
    element = struct.Struct(">B")
    values = (0, 0xFF)


class WideField(NumberField, ChannelInt64):
    """64-bit integers, for which CA has DBR_DOUBLE."""


class UnsignedField(WideField):
    """Unsigned 32-bit integers, likewise."""

    values = (0, (1 << 32) - 1)


class UnsignedWideField(WideField):
    """Unsigned 64-bit integers, likewise."""

    values = (0, (1 << 64) - 1)


class FloatField(NumberField, ChannelFloat):
    """32-bit floating point."""


class DoubleField(NumberField, ChannelDouble):
    """64-bit floating point."""


class EnumField(Field, ChannelEnum):
    """Menus; a client is told the first 16 choices, and any of them by its name."""

    @property
    def _menu(self) -> str:
        return self.spec.menu or f"dtyp_{self.fields.table}"

    def _initial(self) -> Value:
        # Inputs of calcout that are not linked are found to be constants (init_record).
        initial = "Constant" if self._menu == "calcoutINAV" else self.spec.initial
        return choice_index(self._menu, initial)

    def _arguments(self) -> dict[str, Any]:
        return {"enum_strings": choices_of(self._menu)}

    @staticmethod
    def _checked_states(states: Sequence[str], name: str) -> tuple[str, ...]:
        return tuple(states)

    def _checked_index(self, index: int) -> int:
        if index == _UNNAMED and self.spec.initial == str(_UNNAMED):
            return index
        return super()._checked_index(index)


FIELD_CLASSES: dict[str, type[Field]] = {
    "STRING": StringField,
    "INLINK": StringField,
    "OUTLINK": StringField,
    "FWDLINK": StringField,
    "UCHAR": ByteField,
    "SHORT": ShortField,
    "USHORT": UnsignedShortField,
    "LONG": IntegerField,
    "ULONG": UnsignedField,
    "INT64": WideField,
    "UINT64": UnsignedWideField,
    "FLOAT": FloatField,
    "DOUBLE": DoubleField,
    "ENUM": UnsignedShortField,
    "MENU": EnumField,
    "DEVICE": EnumField,
    "NOACCESS": DoubleField,
}
"""What a database type is on the wire (dbDBRnewToDBRold in EPICS Base db_convert.h)."""
