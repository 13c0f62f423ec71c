"""What classes of fields have in common, and how users register their own."""

import logging
from collections.abc import Collection, Mapping
from functools import cache
from types import MethodType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from ioc_ops.channel import ChannelData, Value, Watched
from ioc_ops.errors import DefinitionError
from ioc_ops.group.pvspec import HOOKS, FieldHook, PVSpec
from ioc_ops.group.record_registry import records
from ioc_ops.records import RecordFields, record_types

if TYPE_CHECKING:
    from ioc_ops.group.group import PVGroup
    from ioc_ops.group.types import PvpropertyData

__all__ = ["RecordFieldGroup", "register_record"]

T = TypeVar("T", bound="type[RecordFieldGroup]")

_RUN_BY_SERVER = (*(kind for kind in HOOKS if kind not in ("get", "put")), "scan")


class RecordFieldGroup(RecordFields):
    """The fields of a record, and those that a subclass declares as pvproperties.

    A pvproperty takes the place of the field that it is named after; its hooks take the fields
    as their first argument, as all hooks of fields do: ``self.parent`` is the record's PV.
    """

    _record_type: ClassVar[str] = ""
    own: ClassVar[Mapping[str, PVSpec]] = {}
    """What subclasses declare, by name of the field."""
    running: ClassVar[tuple[FieldHook, ...]] = ()
    """Those hooks of theirs that the server runs by itself."""

    def __init_subclass__(cls, *, record: str | None = None, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if record is not None:
            cls._record_type = cls.table = record
            records[record] = cls
        found = {attr: getattr(member, "pvspec", None) for attr, member in vars(cls).items()}
        declared = {
            spec.name or attr: spec for attr, spec in found.items() if isinstance(spec, PVSpec)
        }
        cls.own = {**cls.own, **declared}
        cls.watches_writes = cls.value_write_hook is not RecordFieldGroup.value_write_hook
        cls.running = tuple(
            [
                FieldHook(name, kind, getattr(spec, kind))
                for name, spec in cls.own.items()
                for kind in _RUN_BY_SERVER
                if getattr(spec, kind) is not None
            ]
        )

    def __init__(self, parent: ChannelData) -> None:
        """Make no field yet."""
        super().__init__(parent)
        if self.watches_writes:
            self.watch_writes()

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "value_write_hook":
            self.watch_writes()

    async def value_write_hook(self, instance: Any, value: Value) -> None:
        """Override or assign it: awaited with each value before the record takes it.

        Only ``write(..., update_fields=False)`` passes it by.

        Args:
            instance: the record's PV.
            value: what its putter has made of it.
        """

    def watch_writes(self) -> None:
        """From now on each write of the record's value awaits ``value_write_hook``."""
        putter = self.parent.putter
        if not isinstance(putter, Watched):
            self.parent.putter = Watched(putter, self._hear)

    async def _hear(self, instance: Any, value: Value) -> None:
        await self.value_write_hook(instance, value)

    @property
    def log(self) -> logging.Logger:
        """The logger of the record's group."""
        return cast("logging.Logger", getattr(self.parent, "log", logging.getLogger("ioc_ops.pv")))

    @property
    def pvdb(self) -> "RecordFieldGroup":
        """The fields by name."""
        return self

    @property
    def attr_pvdb(self) -> "_ByAttribute":
        """The fields by their Python names."""
        return _ByAttribute(self)

    @classmethod
    @cache
    def field_names(cls) -> Collection[str]:
        """Names of all fields but VAL, those of the subclass behind those of the tables."""
        return dict.fromkeys((*super().field_names(), *cls.own))

    @classmethod
    @cache
    def name_of(cls, attribute: str) -> str | None:
        """The name of a field, given by that or by its Python name; None when there is none."""
        own = next((name for name, spec in cls.own.items() if spec.attr == attribute), None)
        return own or super().name_of(attribute)

    def _make(self, name: str) -> ChannelData:
        spec = self.own.get(name)
        if spec is None:
            return super()._make(name)
        return spec.create(cast("PVGroup", self), f"{self.parent.name}.{name}")

    def _complete(self, field: ChannelData, name: str) -> None:
        declared: tuple[FieldHook, ...] = cast("PvpropertyData", self.parent).pvspec.fields
        for hook in declared:
            if hook.field == name and hook.kind == "get":
                field.getter = MethodType(hook.hook, self)
            elif hook.field == name and hook.kind == "put":
                field.putter = MethodType(hook.hook, self)


class _ByAttribute:
    """What a pvproperty looks itself up in."""

    def __init__(self, fields: RecordFieldGroup) -> None:
        self._fields = fields

    def __getitem__(self, attribute: str) -> ChannelData:
        name = self._fields.name_of(attribute)
        if name is None:
            raise KeyError(attribute)
        return self._fields[name]


def register_record(cls: T) -> T:
    """Class decorator: make a record type of a subclass of ``MotorFields`` or the like.

    ``_record_type`` names it: ``pvproperty(record="my_motor")``.

    Raises:
        DefinitionError: the class has no name of its own, or no fields.
    """
    name = cls._record_type
    if not issubclass(cls, RecordFieldGroup) or not cls.table:
        raise DefinitionError(f"{cls.__name__} must be a subclass of AiFields, MotorFields, ...")
    if name in record_types():
        raise DefinitionError(f"{cls.__name__} needs a _record_type of its own, not {name!r}")
    records[name] = cls
    return cls
