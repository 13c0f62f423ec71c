"""Hooks on the fields of a record: ``@x.fields.RVAL.putter`` in the body of a group."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ioc_ops.channel import AlarmSeverity
from ioc_ops.errors import DefinitionError
from ioc_ops.group.pvspec import FieldHook, Hook, check_arguments, check_hook
from ioc_ops.group.record_registry import record_class
from ioc_ops.group.scan import scan_wrapper

if TYPE_CHECKING:
    from ioc_ops.group.pvproperty import pvproperty

__all__ = ["FieldHooks", "FieldSpecs"]


class FieldHooks:
    """Decorators of one field; each returns the PV's declaration.

    Hooks take (fields, instance, ...): ``fields.parent`` is the record's PV.
    """

    def __init__(self, declared: "pvproperty", name: str) -> None:
        self._declared = declared
        self.name = name

    def _with(self, kind: str, hook: Any) -> "pvproperty":
        return self._declared.with_field_hook(FieldHook(self.name, kind, hook))

    def getter(self, get: Hook) -> "pvproperty":
        """Decorate ``async def (fields, instance)``."""
        return self._with("get", _checked("get", get))

    def putter(self, put: Hook) -> "pvproperty":
        """Decorate ``async def (fields, instance, value)``."""
        return self._with("put", _checked("put", put))

    def startup(self, startup: Hook) -> "pvproperty":
        """Decorate ``async def (fields, instance, async_lib)``."""
        return self._with("startup", _checked("startup", startup))

    def shutdown(self, shutdown: Hook) -> "pvproperty":
        """Decorate ``async def (fields, instance, async_lib)``."""
        return self._with("shutdown", _checked("shutdown", shutdown))

    def scan(
        self,
        period: float | None = None,
        *,
        subtract_elapsed: bool = True,
        stop_on_error: bool = False,
        failure_severity: AlarmSeverity = AlarmSeverity.MAJOR_ALARM,
    ) -> Callable[[Hook], "pvproperty"]:
        """Decorate ``async def (fields, instance, async_lib)``; see ``scan_wrapper``."""
        wrap = scan_wrapper(
            period,
            subtract_elapsed=subtract_elapsed,
            stop_on_error=stop_on_error,
            failure_severity=failure_severity,
        )

        def decorate(function: Hook) -> "pvproperty":
            return self._with("scan", wrap(_checked("scan", function)))

        return decorate


def _checked(kind: str, hook: Hook) -> Hook:
    check_hook(kind, hook)
    check_arguments(kind, hook)
    return hook


class FieldSpecs(Mapping[str, FieldHooks]):
    """The fields of a declared record, by name and by Python name.

    ``pvproperty(field_spec=other.field_spec)`` takes over record type and hooks.
    """

    def __init__(self, declared: "pvproperty", record: str) -> None:
        """The fields of ``record``. Raises DefinitionError for an unknown record type."""
        self._declared = declared
        self.record = record
        self._fields = record_class(record)

    @property
    def hooks(self) -> tuple[FieldHook, ...]:
        """All hooks that the declaration has by now."""
        return self._declared.pvspec.fields

    def __getitem__(self, name: str) -> FieldHooks:
        if name not in self._fields.field_names():
            raise KeyError(name)
        return FieldHooks(self._declared, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields.field_names())

    def __len__(self) -> int:
        return len(self._fields.field_names())

    def __getattr__(self, attribute: str) -> FieldHooks:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        name = self._fields.name_of(attribute)
        if name is None:
            raise DefinitionError(f"{self.record} records have no field {attribute}")
        return FieldHooks(self._declared, name)

    def __repr__(self) -> str:
        hooks = ", ".join(f"{hook.field}.{hook.kind}" for hook in self.hooks) or "no hooks"
        return f"<fields of {self.record}: {hooks}>"
