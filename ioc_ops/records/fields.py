"""Fields of a record: PVs that exist once somebody asks for them."""

import struct
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from ioc_ops.ca import AccessRights, EventMask
from ioc_ops.channel import (
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
    Value,
)
from ioc_ops.channel.convert import cut
from ioc_ops.records.display import metadata_of
from ioc_ops.records.links import Link, links_of
from ioc_ops.records.tables import FieldSpec, attributes_of, choice_index, choices_of, fields_of

__all__ = ["Field", "RecordFields"]

_ALARM = int(EventMask.ALARM)
_PROPERTY = int(EventMask.PROPERTY)
_VALUE = int(EventMask.VALUE | EventMask.LOG)
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
            self.putter = link.act

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

    def commit(
        self, stored: Value, time_ns: int, status: int, severity: int, events: int = 0
    ) -> None:
        """Change what the field stands for, then the field."""
        link = self.link
        if link is not None and link.write is not None:
            before, self._stored = self._stored, stored
            try:
                # The record tells its fields at once: this one knows already.
                link.write(self.record, self.present(stored))
            except Exception:
                self._stored = before
                raise
            stored = self.convert(link.read(self.record))
            status, severity = self.record.alarm.state
        super().commit(stored, time_ns, status, severity, events)
        self.fields.written(self)

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
        stored = self.convert(self.link.read(self.record))
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
        return cut(text.encode(encoding, "replace"), size - 1, encoding).decode(encoding)


class NumberField(Field, ChannelNumeric):
    """What all numbers share: units, precision and ranges that depend on the record."""

    def __init__(self, fields: "RecordFields", spec: FieldSpec, link: Link | None) -> None:
        """As Field."""
        self._said: dict[str, Value] = {}
        super().__init__(fields, spec, link)
        self.refresh_metadata()

    def _initial(self) -> Value:
        return float(self.spec.initial or 0)

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
        return index if index == _UNNAMED else super()._checked_index(index)


# What a database type is on the wire (dbDBRnewToDBRold in EPICS Base db_convert.h).
_CLASSES: dict[str, type[Field]] = {
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


class _News:
    """A feed of the record: calls a function for some of its events."""

    __slots__ = ("mask", "post")

    def __init__(self, mask: int, tell: Callable[[], None]) -> None:
        self.mask = mask
        self.post = tell


class RecordFields(Mapping[str, ChannelData]):
    """The fields of one record by name; as attributes also by their Python names.

    ``parent`` is the PV whose fields these are. A field is made when it is first asked for.
    """

    table = ""
    """Record type whose fields these are, of EPICS Base or motor."""
    watches_writes = False
    """Whether these fields must be made to hear of writes to the record."""

    def __init__(self, parent: ChannelData) -> None:
        """Make no field yet."""
        self._made: dict[str, ChannelData] = {}
        self.parent = parent

    def __getitem__(self, name: str) -> ChannelData:
        if name == "VAL":
            return self.parent
        made = self._made.get(name)
        if made is None:
            made = self._make(name)
            if not self._made:
                # From now on changes of the record reach the fields that show them.
                parent = self.parent
                parent.subscribe((self, 0, 0, _VALUE), _News(_VALUE, self._new_value))
                parent.subscribe((self, 0, 0, _PROPERTY), _News(_PROPERTY, self._new_metadata))
            self._made[name] = made
            self._complete(made, name)
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self.field_names())

    def __len__(self) -> int:
        return len(self.field_names())

    def __contains__(self, name: object) -> bool:
        return name == "VAL" or name in self.field_names()

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __getattr__(self, attribute: str) -> ChannelData:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        name = self.name_of(attribute)
        if name is None:
            raise AttributeError(f"a {self.table} record has no field {attribute}")
        return self[name]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.parent.name}: {len(self._made)} made>"

    @classmethod
    @cache
    def field_names(cls) -> Collection[str]:
        """Names of all fields but VAL, in the order of the tables."""
        return {name: None for name in fields_of(cls.table) if name != "VAL"}

    @classmethod
    @cache
    def name_of(cls, attribute: str) -> str | None:
        """The name of a field, given by that or by its Python name; None when there is none."""
        names = cls.field_names()
        return attribute if attribute in names else attributes_of(cls.table).get(attribute)

    def _make(self, name: str) -> ChannelData:
        spec = fields_of(self.table)[name]
        link = links_of(self.table).get(name)
        if link is not None and not link.applies(self.parent):
            link = None
        return _CLASSES[spec.dbf](self, spec, link)

    def _complete(self, field: ChannelData, name: str) -> None:
        """Override to add to a field that has just been made."""

    # -- news of the record -------------------------------------------------------------

    def _fields(self) -> list[Field]:
        return [field for field in self._made.values() if isinstance(field, Field)]

    def _new_value(self) -> None:
        time_ns = self.parent.time_ns
        for field in self._fields():
            field.time_ns = max(field.time_ns, time_ns)
            field.encoded.clear()
            if field.link is not None and field.link.events == _VALUE:
                field.refresh()

    def _new_metadata(self) -> None:
        for field in self._fields():
            if field.link is not None and field.link.events == _PROPERTY:
                field.refresh()
            field.refresh_metadata()
            field.post(_PROPERTY)

    def written(self, field: Field) -> None:
        """A field has changed: fields whose ranges it bounds may show others."""
        name = field.spec.name
        for other in self._fields():
            if name in f"{other.spec.display}:{other.spec.control}".split(":"):
                other.refresh_metadata()

    def refresh(self, name: str) -> None:
        """What a field shows may have changed."""
        field = self._made.get(name)
        if isinstance(field, Field):
            field.refresh()
