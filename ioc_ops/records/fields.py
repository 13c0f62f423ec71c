"""Fields of a record: PVs that exist once somebody asks for them."""

import struct
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ioc_ops.ca import AccessRights, ChannelType, EventMask
from ioc_ops.channel import (
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelFloat,
    ChannelInteger,
    ChannelShort,
    ChannelString,
    Value,
)
from ioc_ops.channel.state import clock
from ioc_ops.records.links import LINKS, Link
from ioc_ops.records.tables import FieldSpec, choice_index, choices_of, fields_of

__all__ = ["Field", "RecordFields", "field_name"]

_EVERYTHING = int(EventMask.VALUE | EventMask.LOG | EventMask.ALARM | EventMask.PROPERTY)


class Field(ChannelData):
    """What a field has beside what every PV has: its record, and what ties it to that."""

    record: ChannelData
    spec: FieldSpec
    link: Link | None

    @property
    def asg(self) -> str:
        """Access group: the record's."""
        return self.record.asg

    @asg.setter
    def asg(self, asg: str) -> None:
        self.record.asg = asg

    def when_regrouped(self, guard: Callable[[], None]) -> None:
        """Call this when the access group of the record has changed."""
        self.record.when_regrouped(guard)

    def check_access(self, hostname: str, username: str) -> AccessRights:
        """Fields that a record computes can only be read."""
        return AccessRights.READ_WRITE if self.spec.writable else AccessRights.READ

    def commit(
        self, stored: Value, time_ns: int, status: int, severity: int, events: int = 0
    ) -> None:
        """Change what the field stands for, then the field."""
        if self.link is not None and self.link.write is not None:
            self.link.write(self.record, self.present(stored))
        super().commit(stored, time_ns, status, severity, events)

    def refresh(self) -> None:
        """Show what the record has become."""
        assert self.link is not None  # noqa: S101 - only linked fields are refreshed
        value = self.link.read(self.record)
        stored = self.convert(value)
        if stored != self._stored:
            super().commit(stored, clock(), self.alarm.status, self.alarm.severity)


class StringField(Field, ChannelString):
    """Text, and links, which are text to a client."""


class ShortField(Field, ChannelShort):
    """16-bit integers."""


class IntegerField(Field, ChannelInteger):
    """32-bit integers."""


class ByteField(Field, ChannelInteger):
    """8-bit integers, DBR_CHAR."""

    data_type = ChannelType.CHAR
    element = struct.Struct(">b")


class FloatField(Field, ChannelFloat):
    """32-bit floating point."""


class DoubleField(Field, ChannelDouble):
    """64-bit floating point, and integers that CA has no type for."""


class EnumField(Field, ChannelEnum):
    """Menus; a client is told the first 16 choices, and any of them by its name."""

    @staticmethod
    def _checked_states(states: Sequence[str], name: str) -> tuple[str, ...]:
        return tuple(states)


# What a database type is on the wire (dbDBRnewToDBRold in EPICS Base db_convert.h).
_CLASSES: dict[str, type[Field]] = {
    "STRING": StringField,
    "INLINK": StringField,
    "OUTLINK": StringField,
    "FWDLINK": StringField,
    "CHAR": ByteField,
    "UCHAR": ByteField,
    "SHORT": ShortField,
    "USHORT": IntegerField,
    "LONG": IntegerField,
    "ULONG": DoubleField,
    "INT64": DoubleField,
    "UINT64": DoubleField,
    "FLOAT": FloatField,
    "DOUBLE": DoubleField,
    "ENUM": IntegerField,
    "MENU": EnumField,
    "DEVICE": EnumField,
    "NOACCESS": DoubleField,
}
_INITIAL = {"UDF": "0"}
"""What differs from the .dbd file: a PV that is declared has a value."""

Customize = Callable[[Field], None]


class RecordFields(Mapping[str, ChannelData]):
    """The fields of one record by name; as attributes also by their Python names.

    ``parent`` is the PV whose fields these are. A field is made when it is first asked for.
    """

    def __init__(
        self, parent: ChannelData, record_type: str, customize: Customize | None = None
    ) -> None:
        """Make no field yet.

        Args:
            parent: the record's PV.
            record_type: of EPICS Base, or motor.
            customize: called with each field that is made, to add hooks.

        Raises:
            DefinitionError: there is no such record type.
        """
        self._specs = fields_of(record_type)
        self._parent = weakref.ref(parent)
        self._made: dict[str, Field] = {}
        self._linked: list[Field] = []
        self._customize = customize
        self.record_type = record_type
        self.mask = _EVERYTHING

    @property
    def parent(self) -> Any:
        """The record's PV."""
        return self._parent()

    def __getitem__(self, name: str) -> ChannelData:
        if name == "VAL":
            return self.parent  # type: ignore[no-any-return]
        field = self._made.get(name)
        return field or self._make(self._specs[name])

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._specs if name != "VAL")

    def __len__(self) -> int:
        return len(self._specs) - ("VAL" in self._specs)

    def __contains__(self, name: object) -> bool:
        return name in self._specs

    def __getattr__(self, attribute: str) -> ChannelData:
        name = field_name(self.record_type, attribute)
        if name is None:
            raise AttributeError(f"a {self.record_type} record has no field {attribute}")
        return self[name]

    def _make(self, spec: FieldSpec) -> Field:
        parent = self.parent
        link = LINKS.get(spec.name)
        if link is not None and not link.applies(parent):
            link = None
        cls = _CLASSES[spec.dbf]
        arguments: dict[str, Any] = {"name": f"{parent.name}.{spec.name}"}
        initial: Value = _INITIAL.get(spec.name, spec.initial)
        if cls is EnumField:
            menu = spec.menu or f"dtyp_{self.record_type}"
            choices = choices_of(menu)
            initial = choice_index(menu, spec.initial)
            # An initial value outside of its menu (SSCN) is shown by index.
            arguments["enum_strings"] = choices if initial < len(choices) else ()
        elif cls is not StringField:
            initial = float(initial or 0)
        if link is not None:
            initial = link.read(parent)
        field = cls(initial, reported_record_type=self.record_type, **arguments)
        field.record, field.spec, field.link = parent, spec, link
        field.asl = spec.asl
        self._made[spec.name] = field
        if link is not None:
            if link.act is not None:
                field.putter = link.act
            if not self._linked:
                # From now on changes of the record reach the fields that show them.
                parent.subscribe(("fields", 0, 0, self.mask), self)
            self._linked.append(field)
        if self._customize is not None:
            self._customize(field)
        return field

    def post(self) -> None:
        """The record has news."""
        for field in self._linked:
            field.refresh()


def field_name(record_type: str, attribute: str) -> str | None:
    """The name of a field given by its name or its Python name."""
    specs = fields_of(record_type)
    if attribute in specs:
        return attribute
    return next((name for name, spec in specs.items() if spec.attribute == attribute), None)
