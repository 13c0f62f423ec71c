"""pvproperty: declares a PV in the body of a PVGroup, and its hooks by decorators."""

from collections.abc import Callable, Sequence
from typing import Any, Self, overload

from ioc_ops.channel import Alarm, AlarmSeverity, Value
from ioc_ops.errors import DefinitionError
from ioc_ops.group.field_hooks import FieldSpecs
from ioc_ops.group.pvspec import FieldHook, Hook, PVSpec, check_arguments, check_hook
from ioc_ops.group.scan import ScanSpec, scan_wrapper
from ioc_ops.group.types import PvpropertyData
from ioc_ops.records import RecordFields

__all__ = ["pvproperty"]


class pvproperty:  # noqa: N801 - the name users of caproto know
    """A PV of a group: ``x = pvproperty(value=1.0)``.

    On the class it is the declaration, on an instance the PV.
    """

    def __init__(
        self,
        get: Hook | None = None,
        put: Hook | None = None,
        startup: Hook | None = None,
        shutdown: Hook | None = None,
        *,
        scan: ScanSpec | None = None,
        name: str | None = None,
        dtype: object = None,
        value: Value = None,
        max_length: int | None = None,
        alarm_group: str | Alarm | None = None,
        doc: str | None = None,
        read_only: bool | None = False,
        record: str | type[RecordFields] | None = None,
        autosave: object = None,
        asg: str = "DEFAULT",
        asl: int = 0,
        field_spec: FieldSpecs | None = None,
        fields: Sequence[FieldHook] | None = (),
        **cls_kwargs: Any,
    ) -> None:
        """Declare a PV.

        Args:
            get: ``async def (group, instance)``, run at each read by a client; what it returns
                becomes the value.
            put: ``async def (group, instance, value)``, run at each write; what it returns
                replaces the value, SkipWrite drops the write.
            startup: ``async def (group, instance, async_lib)``, a task from the start on.
            shutdown: likewise, awaited when the IOC stops.
            scan: a periodic hook, made by ``scan_wrapper``.
            name: PV name behind the prefix of the group, macros allowed; default the attribute.
            dtype: Python type, IntEnum, ChannelType or PV class; default by ``value``.
            value: initial value.
            max_length: elements or bytes that fit; above 1 the PV is an array.
            alarm_group: PVs of a group that name the same share one alarm.
            doc: for people, and DESC of a record.
            read_only: for clients; the IOC itself may write.
            record: record type that the PV reports and whose fields it has: its name, or a class
                such as AiFields.
            autosave: set by ``autosaved``.
            asg: access group in the access configuration file (``--acf``).
            asl: access level, 0 or 1; rules of level 0 do not apply to a PV of level 1.
            field_spec: of another pvproperty, whose record type and field hooks to share.
            fields: hooks on fields of the record.
            cls_kwargs: arguments of the PV's class: units, limits, enum_strings, ...

        Raises:
            DefinitionError: a hook is not ``async def``, or the arguments contradict each other.
        """
        if doc is None and get is not None:
            doc = get.__doc__
        if field_spec is not None:
            record = record or field_spec.record
            fields = (*field_spec.hooks, *(fields or ()))
        self.pvspec = PVSpec(
            get=get,
            put=put,
            startup=startup,
            shutdown=shutdown,
            scan=scan,
            name=name,
            dtype=dtype,
            value=value,
            max_length=max_length,
            alarm_group=alarm_group,
            read_only=read_only,
            doc=doc,
            record=record,
            fields=tuple(fields or ()),
            autosave=autosave,
            asg=asg,
            asl=asl,
            cls_kwargs=cls_kwargs,
        )
        if self.pvspec.hook_kinds:
            for kind, hook in (("get", get), ("put", put), ("startup", startup)):
                check_arguments(kind, hook)
            check_arguments("shutdown", shutdown)
            check_arguments("scan", None if scan is None else scan.function)
        self.attr_name = ""
        self._owned = False
        self.__doc__ = doc

    @classmethod
    def from_pvspec(cls, pvspec: PVSpec) -> Self:
        """A declaration from its data."""
        made = cls()
        made.pvspec = pvspec.new()
        return made

    @property
    def autosave(self) -> object:
        """What ``autosaved`` left here; None for a PV that is not saved."""
        return self.pvspec.autosave

    @autosave.setter
    def autosave(self, tag: object) -> None:
        self.pvspec = self.pvspec.new(autosave=tag)

    @property
    def exported(self) -> bool:
        """Whether metrics show the PV; set by ``exported``."""
        return self.pvspec.exported

    @exported.setter
    def exported(self, exported: bool) -> None:
        self.pvspec = self.pvspec.new(exported=exported)

    @property
    def record_type(self) -> str | None:
        """Record type that the PV reports."""
        return self.pvspec.record_type

    @property
    def fields(self) -> FieldSpecs:
        """The fields of the record, to decorate: ``@x.fields.RVAL.putter``.

        Raises:
            DefinitionError: the PV is no record.
        """
        if self.pvspec.record_type is None:
            raise DefinitionError(f"{self.attr_name}: only a PV with record= has fields")
        return FieldSpecs(self, self.pvspec.record_type)

    @property
    def field_spec(self) -> FieldSpecs:
        """Record type and field hooks, for ``pvproperty(field_spec=...)``."""
        return self.fields

    def with_field_hook(self, hook: FieldHook) -> Self:
        """The same with one more hook on a field."""
        return self._with(fields=(*self.pvspec.fields, hook))

    def __copy__(self) -> Self:
        return self.from_pvspec(self.pvspec)

    def __set_name__(self, owner: type, name: str) -> None:
        self.attr_name = name
        self._owned = True
        self.pvspec = self.pvspec.called(name)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> PvpropertyData: ...
    def __get__(self, instance: Any, owner: type) -> "Self | PvpropertyData":
        if instance is None:
            return self
        channel: PvpropertyData = instance.attr_pvdb[self.attr_name]
        return channel

    def __set__(self, instance: Any, value: PvpropertyData) -> None:
        if not isinstance(value, PvpropertyData):
            raise AttributeError(
                f"{self.attr_name} is a PV: use 'await {self.attr_name}.write(value)' to change it"
            )
        instance.attr_pvdb[self.attr_name] = value

    def __call__(self, get: Hook) -> Self:
        """``@pvproperty(value=...)`` above a getter."""
        return self._with(get=get, doc=self.pvspec.doc or get.__doc__)

    def _with(self, **changes: Any) -> Self:
        # A subclass that decorates its parent's PV must not change the parent.
        target = self.__copy__() if self._owned else self
        for kind in ("get", "put", "startup", "shutdown", "restore", "save"):
            if kind in changes:
                check_hook(kind, changes[kind])
                check_arguments(kind, changes[kind])
        target.pvspec = target.pvspec.new(**changes)
        return target

    def getter(self, get: Hook) -> Self:
        """Decorate ``async def (group, instance)``."""
        return self._with(get=get)

    def putter(self, put: Hook) -> Self:
        """Decorate ``async def (group, instance, value)``."""
        return self._with(put=put)

    def startup(self, startup: Hook) -> Self:
        """Decorate ``async def (group, instance, async_lib)``: a task from the start on."""
        return self._with(startup=startup)

    def shutdown(self, shutdown: Hook) -> Self:
        """Decorate ``async def (group, instance, async_lib)``: awaited when the IOC stops."""
        return self._with(shutdown=shutdown)

    def restore(self, restore: Hook) -> Self:
        """Decorate ``async def (group, instance, async_lib)``.

        Awaited before a client can connect and before any startup hook runs.
        """
        return self._with(restore=restore)

    def save(self, save: Hook) -> Self:
        """Decorate ``async def (group, instance, async_lib)``.

        Awaited when everything else has stopped: the last chance to keep something.
        """
        return self._with(save=save)

    def scan(
        self,
        period: float | None = None,
        *,
        subtract_elapsed: bool = True,
        stop_on_error: bool = False,
        failure_severity: AlarmSeverity = AlarmSeverity.MAJOR_ALARM,
        use_scan_field: bool = False,
    ) -> "Callable[[Hook], pvproperty]":
        """Decorate ``async def (group, instance, async_lib)``: called every ``period`` seconds.

        See ``scan_wrapper`` for the arguments.
        """
        if use_scan_field and self.pvspec.record_type is None:
            raise DefinitionError("use_scan_field needs a PV with record=")
        wrap = scan_wrapper(
            period,
            subtract_elapsed=subtract_elapsed,
            stop_on_error=stop_on_error,
            failure_severity=failure_severity,
            use_scan_field=use_scan_field,
        )

        def decorate(function: Hook) -> "pvproperty":
            check_hook("scan", function)
            check_arguments("scan", function)
            return self._with(scan=wrap(function))

        return decorate
