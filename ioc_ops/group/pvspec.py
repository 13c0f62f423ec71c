"""What a PV is to be: everything that its declaration says, as data."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from types import MethodType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ioc_ops.channel import Alarm, AlarmSeverity, ChannelNumeric, Value, states_of
from ioc_ops.errors import DefinitionError
from ioc_ops.group.scan import ScanSpec
from ioc_ops.group.types import DEFAULT_VALUES, PvpropertyData, data_class_of, inferred_dtype
from ioc_ops.records import fields_of

if TYPE_CHECKING:
    from ioc_ops.group.group import PVGroup

__all__ = ["HOOKS", "FieldHook", "Hook", "PVSpec", "check_hook"]

Hook = Callable[..., Any]

HOOKS: dict[str, int] = {
    "get": 2,
    "put": 3,
    "restore": 3,
    "startup": 3,
    "shutdown": 3,
    "save": 3,
}
"""Hooks by name, with the number of their arguments: group, instance, and one more."""


def check_hook(kind: str, hook: Hook | None) -> Hook | None:
    """A hook must be ``async def``, or the server would wait for it in vain.

    Raises:
        DefinitionError: it is not; names file and line.
    """
    if hook is None or inspect.iscoroutinefunction(hook):
        return hook
    if inspect.iscoroutinefunction(getattr(hook, "__call__", None)):  # noqa: B004
        return hook
    code = getattr(inspect.unwrap(hook), "__code__", None)
    place = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
    name = getattr(hook, "__qualname__", repr(hook))
    raise DefinitionError(f"the {kind} hook {name}{place} must be 'async def'")


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
    read_only: bool = False
    doc: str | None = None
    fields: tuple[FieldHook, ...] = ()
    record: str | None = None
    autosave: object = None
    asg: str = "DEFAULT"
    asl: int = 0
    cls_kwargs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind in HOOKS:
            if getattr(self, kind) is not None:
                check_hook(kind, getattr(self, kind))
        if self.scan is not None:
            check_hook("scan", self.scan.function)
        if self.read_only and self.put is not None:
            raise DefinitionError(f"{self.attr or self.name}: a read-only PV has no putter")
        if self.asl not in (0, 1):
            raise DefinitionError(f"{self.attr or self.name}: asl is 0 or 1, not {self.asl!r}")
        if self.record is not None and "." in self.record:
            raise DefinitionError(f"record={self.record!r}: a record type has no dot in its name")

    def new(self, **changes: Any) -> "PVSpec":
        """A copy that differs in some respects."""
        return replace(self, **changes)

    def create(self, group: "PVGroup | None" = None, pvname: str | None = None) -> PvpropertyData:
        """Make the PV.

        Args:
            group: it belongs to; hooks without a group take no group argument.
            pvname: full name; default the spec's own.

        Raises:
            DefinitionError: the declaration does not fit itself.
        """
        value, dtype = self.value, self.dtype
        if dtype is None:
            dtype = inferred_dtype(value)
        if isinstance(value, np.ndarray) and value.dtype.kind in "SU":
            value = value.ravel().tolist()
        cls = data_class_of(dtype, self.read_only)
        name = pvname or self.name or self.attr or ""
        arguments = dict(self.cls_kwargs)
        if isinstance(dtype, type) and issubclass(dtype, IntEnum):
            arguments.setdefault("enum_strings", states_of(dtype))
            if value is None:
                value = next(iter(dtype))
        if value is None:
            value = next((v for c, v in DEFAULT_VALUES.items() if issubclass(cls, c)), 0)  # type: ignore[arg-type]
            if self.max_length and self.max_length > 1 and isinstance(value, (int, float)):
                value = [value]
        if self.max_length is not None:
            arguments["max_length"] = self.max_length
        if self.alarm_group is not None:
            arguments["alarm"] = self._alarm(group)
        if self.record is not None:
            arguments |= _as_record(self.record, cls, arguments)
        try:
            channel = cls(value, name=name, **arguments)
        except TypeError as problem:
            raise DefinitionError(f"{name}: {problem}") from None
        channel.asg, channel.asl = self.asg, self.asl
        channel.pvspec = self
        channel.group = group
        if self.get is not None:
            channel.getter = self.bind(self.get, group)
        if self.put is not None:
            channel.putter = self.bind(self.put, group)
        return channel

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


def _as_record(
    record: str, cls: type[PvpropertyData], declared: Mapping[str, Any]
) -> dict[str, Any]:
    """Arguments that make a PV behave as a record of EPICS Base.

    Its limits have severities of their own, NO_ALARM where no limits are declared, and a
    record with MDEL posts only changes.

    Raises:
        DefinitionError: there is no such record type.
    """
    fields = fields_of(record)
    arguments: dict[str, Any] = {"reported_record_type": record}
    if not issubclass(cls, ChannelNumeric):
        return arguments
    arguments["by_severity"] = True
    for kind, severity in (
        ("alarm", AlarmSeverity.MAJOR_ALARM),
        ("warning", AlarmSeverity.MINOR_ALARM),
    ):
        low, high = (declared.get(f"{side}_{kind}_limit") for side in ("lower", "upper"))
        wanted = severity if (low or 0) != (high or 0) else AlarmSeverity.NO_ALARM
        arguments[f"lower_{kind}_severity"] = arguments[f"upper_{kind}_severity"] = wanted
    if "MDEL" in fields:
        arguments["value_atol"] = declared.get("value_atol", 0)
        arguments["log_atol"] = declared.get("log_atol", 0)
    return arguments
