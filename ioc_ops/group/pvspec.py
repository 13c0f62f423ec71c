"""What a PV is to be: everything that its declaration says, as data."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from types import MethodType
from typing import TYPE_CHECKING, Any, NamedTuple, cast, get_args, get_origin

import numpy as np

from ioc_ops.channel import Alarm, Value, states_of
from ioc_ops.errors import ConversionError, DefinitionError
from ioc_ops.group.as_record import finish_record, record_defaults
from ioc_ops.group.dtypes import DEFAULT_VALUES, data_class_of, inferred_dtype, record_dtype
from ioc_ops.group.record_registry import record_class, record_name
from ioc_ops.group.scan import ScanSpec
from ioc_ops.group.types import PvpropertyData
from ioc_ops.records import RecordFields

if TYPE_CHECKING:
    from ioc_ops.group.group import PVGroup

__all__ = ["HOOKS", "FieldHook", "Hook", "PVSpec", "check_arguments", "check_hook"]

Hook = Callable[..., Any]

_TASK = ("group", "instance", "async_lib")
HOOKS: dict[str, tuple[str, ...]] = {
    "get": ("group", "instance"),
    "put": ("group", "instance", "value"),
    "restore": _TASK,
    "startup": _TASK,
    "shutdown": _TASK,
    "save": _TASK,
}
"""Hooks by name, with what they are called with in a group."""


def check_hook(kind: str, hook: Hook | None) -> Hook | None:
    """A hook must be ``async def``, or the server would wait for it in vain.

    Raises:
        DefinitionError: it is not; names file and line.
    """
    if hook is None or inspect.iscoroutinefunction(hook):
        return hook
    if inspect.iscoroutinefunction(getattr(hook, "__call__", None)):  # noqa: B004
        return hook
    raise DefinitionError(f"the {kind} hook {_place(hook)} must be 'async def'")


def check_arguments(kind: str, hook: Hook | None) -> None:
    """The hook of a group must take what it is called with, or each of its calls would fail.

    Raises:
        DefinitionError: it does not; names file and line.
    """
    given = HOOKS.get(kind, _TASK)
    code = getattr(hook, "__code__", None)
    if hook is None or (code and code.co_argcount == len(given) and not code.co_kwonlyargcount):
        return  # as nearly always, and much faster
    try:
        # A decorator may give the function that it wraps something else.
        inspect.signature(hook, follow_wrapped=False).bind(*given)
    except ValueError:
        return  # nobody knows
    except TypeError:
        wanted = f"({', '.join(given)})"
        raise DefinitionError(f"the {kind} hook {_place(hook)} must take {wanted}") from None


def _place(hook: Hook) -> str:
    """The name of a hook, with file and line."""
    code = getattr(inspect.unwrap(hook), "__code__", None)
    place = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
    return f"{getattr(hook, '__qualname__', repr(hook))}{place}"


class FieldHook(NamedTuple):
    """A hook on a field of a record: which field, which kind, and the hook itself."""

    field: str
    kind: str
    hook: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PVSpec:
    """A declaration; ``create`` makes the PV.

    Hooks take (group, instance, ...), or (instance, ...) where there is no group.
    """

    get: Hook | None = None
    put: Hook | None = None
    startup: Hook | None = None
    shutdown: Hook | None = None
    restore: Hook | None = None
    save: Hook | None = None
    scan: ScanSpec | None = None
    attr: str | None = None
    name: str | None = None
    dtype: object = None
    value: Value = None
    max_length: int | None = None
    alarm_group: str | Alarm | None = None
    read_only: bool | None = False
    doc: str | None = None
    fields: tuple[FieldHook, ...] = ()
    record: str | type[RecordFields] | None = None
    autosave: object = None
    exported: bool = False
    asg: str = "DEFAULT"
    asl: int = 0
    cls_kwargs: Mapping[str, Any] = field(default_factory=dict)
    hook_kinds: frozenset[str] = field(init=False, default=frozenset(), repr=False, compare=False)
    """The kinds of all hooks, those on fields included: most PVs of a large IOC have none."""

    def __post_init__(self) -> None:
        kinds = [kind for kind in HOOKS if getattr(self, kind) is not None]
        for kind in kinds:
            check_hook(kind, getattr(self, kind))
        if self.scan is not None:
            check_hook("scan", self.scan.function)
            kinds.append("scan")
        if self.read_only and self.put is not None:
            named = self.attr or self.name or getattr(self.put, "__qualname__", repr(self.put))
            raise DefinitionError(f"{named}: a read-only PV has no putter")
        if self.asl not in (0, 1):
            named = self.attr or self.name or "a pvproperty"
            raise DefinitionError(f"{named}: asl is 0 or 1, not {self.asl!r}")
        record = self.record or _record_of(self.dtype)
        if record is not None:
            object.__setattr__(self, "record", record_name(record))
        kinds.extend(hook.kind for hook in self.running_field_hooks)
        if kinds:
            object.__setattr__(self, "hook_kinds", frozenset(kinds))

    @property
    def record_type(self) -> str | None:
        """Name of the record type."""
        return cast("str | None", self.record)  # since __post_init__

    @property
    def running_field_hooks(self) -> tuple[FieldHook, ...]:
        """Hooks on fields: those of the record type, and of this declaration."""
        if self.record_type is None:
            return self.fields
        running: tuple[FieldHook, ...] = getattr(record_class(self.record_type), "running", ())
        return (*running, *self.fields)

    def new(self, **changes: Any) -> "PVSpec":
        """A copy that differs in some respects."""
        return replace(self, **changes)

    def called(self, attr: str) -> "PVSpec":
        """The same under the attribute that it is in a group."""
        if self.attr == attr:
            return self
        if self.attr is not None:
            return self.new(attr=attr)
        # Nobody knows it by another name yet. A large IOC declares 100,000: no copies of them.
        object.__setattr__(self, "attr", attr)
        return self

    def create(self, group: "PVGroup | None" = None, pvname: str | None = None) -> PvpropertyData:
        """Make the PV.

        Args:
            group: it belongs to; hooks without a group take no group argument.
            pvname: full name; default the spec's own.

        Raises:
            DefinitionError: the declaration does not fit itself.
        """
        record = None if self.record_type is None else record_class(self.record_type)
        name = pvname if pvname is not None else self.name or self.attr or ""
        cls, value, arguments = self._class_and_value(name, record)
        if self.max_length is not None:
            if self.max_length < 0:
                raise DefinitionError(f"{name}: max_length is 1 or more, not {self.max_length}")
            arguments["max_length"] = self.max_length
        if self.alarm_group is not None:
            arguments["alarm"] = self._alarm(group)
        if record is not None:
            said = {key: each for key, each in arguments.items() if each is not None}
            arguments = record_defaults(record.table, cls, said) | said
            arguments["reported_record_type"] = self.record_type
        channel = _made(cls, value, name, arguments)
        channel.asg, channel.asl = self.asg, self.asl
        channel.pvspec = self
        channel.group = group
        if self.get is not None:
            channel.getter = self.bind(self.get, group)
        if self.put is not None:
            channel.putter = self.bind(self.put, group)
        if record is not None:
            finish_record(channel, record)
        return channel

    def _class_and_value(
        self, name: str, record: type[RecordFields] | None
    ) -> tuple[type[PvpropertyData], Value, dict[str, Any]]:
        """The class of the PV, its first value, and the arguments that the class is to have."""
        value, dtype = self.value, get_origin(self.dtype) or self.dtype
        if record is not None:
            dtype = record_dtype(record.table, dtype, value, self.max_length)
        try:
            if dtype is None:
                dtype = inferred_dtype(value)
            cls = data_class_of(dtype, bool(self.read_only))
        except DefinitionError as problem:
            raise DefinitionError(f"{name}: {problem}") from None
        if isinstance(value, np.ndarray) and value.dtype.kind in "SU":
            value = value.ravel().tolist()
        arguments = dict(self.cls_kwargs)
        if isinstance(dtype, type) and issubclass(dtype, IntEnum):
            try:
                arguments.setdefault("enum_strings", states_of(dtype))
            except ConversionError as problem:
                raise DefinitionError(f"{name}: {problem}") from None
            if value is None:
                value = next(iter(dtype))
        if value is None:
            value = next((v for c, v in DEFAULT_VALUES.items() if issubclass(cls, c)), 0)
            if self.max_length and self.max_length > 1 and isinstance(value, (int, float)):
                value = [value]
        return cls, value, arguments

    def _alarm(self, group: "PVGroup | None") -> Alarm:
        if isinstance(self.alarm_group, Alarm):
            return self.alarm_group
        if group is None:
            raise DefinitionError(f"{self.name}: without a group, alarm_group must be an alarm")
        return group.alarms[str(self.alarm_group)]

    @staticmethod
    def bind(hook: Hook, group: "PVGroup | None") -> Hook:
        """The hook as the server calls it: with the instance first."""
        return hook if group is None else MethodType(hook, group)


def _made(
    cls: type[PvpropertyData], value: Value, name: str, arguments: Mapping[str, Any]
) -> PvpropertyData:
    try:
        return cls(value=value, name=name, **arguments)
    except TypeError as problem:
        _, _, wrong = str(problem).rpartition("__init__() ")  # of a class that nobody knows
        raise DefinitionError(f"{name}: {wrong}") from None
    except DefinitionError as problem:
        raise DefinitionError(f"{name}: {problem}") from None


def _record_of(dtype: object) -> type[RecordFields] | None:
    """The fields that ``PvpropertyDouble[AiFields]`` names."""
    if dtype is None or isinstance(dtype, type):
        return None  # as nearly always
    named = next(iter(get_args(dtype)), None)
    return named if isinstance(named, type) and issubclass(named, RecordFields) else None
