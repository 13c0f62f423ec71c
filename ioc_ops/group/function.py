"""pvfunction: a coroutine function whose arguments and result are PVs."""

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from enum import IntEnum
from typing import Any, ClassVar, Self, cast

from ioc_ops.channel import AlarmSeverity, AlarmStatus, ChannelEnum, ChannelType, Value
from ioc_ops.errors import DefinitionError
from ioc_ops.group.group import PVGroup
from ioc_ops.group.pvproperty import pvproperty
from ioc_ops.group.pvspec import Hook, check_hook
from ioc_ops.group.subgroup import SubGroup
from ioc_ops.group.types import PvpropertyData

__all__ = ["pvfunction"]

_LONGEST_STATUS = 256
_OWN = ("status", "retval", "process")
_NAMES = {"status": "Status", "retval": "Retval", "process": "Process"}


class _Function(PVGroup):
    """The group of one function; its class is made by ``pvfunction``."""

    function: ClassVar[Hook]
    attributes: ClassVar[dict[str, str]] = {}
    """Attribute by argument."""
    types: ClassVar[dict[str, object]] = {}
    """Annotation by argument."""
    _turn: AbstractAsyncContextManager[object] = nullcontext()

    async def prepare(self, instance: PvpropertyData, async_lib: Any) -> None:
        """Before anybody can call: clients queue by themselves, other hooks do not."""
        self._turn = async_lib.library.Lock()

    async def call(self, instance: PvpropertyData, value: Value) -> None:
        """The putter of Process."""
        async with self._turn:
            try:
                answer = await self.function(**self.given())
                if "retval" in self.attr_pvdb:
                    await self.attr_pvdb["retval"].write(answer)
            except Exception as problem:
                text = f"{type(problem).__name__}: {problem}"
                await self.attr_pvdb["status"].write(text)
                await instance.alarm.write(
                    status=AlarmStatus.WRITE, severity=AlarmSeverity.MAJOR_ALARM
                )
                raise
            await self.attr_pvdb["status"].write("Success")

    def given(self) -> dict[str, Value]:
        """What the arguments are at present."""
        return {
            name: _as_argument(self.attr_pvdb[attr], self.types[name])
            for name, attr in self.attributes.items()
        }


_TAKEN = frozenset((*dir(_Function), *vars(_Function()), *_OWN))


def _as_argument(channel: PvpropertyData, annotation: object) -> Value:
    """A bool or a member where the function asks for one: states are strings to a PV."""
    if isinstance(channel, ChannelEnum) and isinstance(annotation, type):
        if issubclass(annotation, (bool, IntEnum)):
            return annotation(channel.raw_value)
    return channel.value


class pvfunction(SubGroup):  # noqa: N801 - the name users of caproto know
    """Serves a coroutine function: one PV per argument, then Status, Retval and Process.

    A write to Process, of whatever value, calls the function with what the argument PVs
    hold, and is complete when it has returned. Then Retval has the result and Status says
    ``Success``; what the function raises makes the put fail, puts the function's PVs in WRITE
    alarm and stands in Status as ``ValueError: why``. Status is ``Init`` before the first call.
    One call runs at a time; a function must not write its own Process.
    """

    def __init__(
        self,
        func: Hook | None = None,
        default: Value = None,
        names: Mapping[str, str] | None = None,
        alarm_group: str | None = None,
        prefix: str | None = None,
        macros: Mapping[str, str] | None = None,
        attr_separator: str | None = None,
        doc: str | None = None,
    ) -> None:
        """Declare a function, or decorate one.

        Args:
            func: ``async def (self, argument: type, ...) -> type``; ``self`` is the function's
                own group, ``self.parent`` the group that declares it. An argument's default is
                the initial value of its PV. Annotations are what ``pvproperty`` takes as
                ``dtype``; with ``-> None`` there is no Retval.
            default: initial value of Retval.
            names: PV names by argument, and of ``status``, ``retval`` and ``process``.
            alarm_group: name of the alarm that the PVs share; default the function's.
            prefix: of the PV names behind that of the parent; default function and separator.
            macros: added to those of the parent.
            attr_separator: between the function's name and those of its PVs.
            doc: for people; default that of the function.

        Raises:
            DefinitionError: an argument has neither annotation nor default, ``names`` names
                none of them, or the function is not ``async def``.
        """
        super().__init__(prefix=prefix, macros=macros, attr_separator=attr_separator, doc=doc)
        self.default = default
        self.names = dict(names or {})
        self.alarm_group = alarm_group
        if func is not None:
            self(func)

    def __call__(self, group: Callable[..., Any] | Mapping[str, Any]) -> Self:
        """``@pvfunction(...)`` above a function."""
        function = cast("Hook", group)  # a mapping, which makes other SubGroups, is refused here
        check_hook("pvfunction", function)
        self._adopt(self._class_of(function))
        return self

    def _class_of(self, function: Hook) -> type[PVGroup]:
        where = getattr(function, "__qualname__", repr(function))
        try:
            signature = inspect.signature(function, eval_str=True)
        except NameError as problem:
            raise DefinitionError(f"{where}: {problem}") from None
        parameters = list(signature.parameters.values())[1:]
        unknown = set(self.names) - {*_OWN, *(each.name for each in parameters)}
        if unknown:
            raise DefinitionError(f"{where} has no argument {', '.join(sorted(unknown))}")
        alarm = self.alarm_group or function.__name__
        body: dict[str, Any] = {
            "__doc__": function.__doc__,
            "function": function,
            "attributes": {},
            "types": {},
        }
        for each in parameters:
            annotation = _annotation(each, where)
            attr = f"{each.name}_" if each.name in _TAKEN else each.name
            body["attributes"][each.name] = attr
            body["types"][each.name] = annotation
            body[attr] = pvproperty(
                name=self.names.get(each.name, each.name),
                dtype=annotation,
                value=None if each.default is each.empty else each.default,
                alarm_group=alarm,
                doc=f"Argument {each.name}",
            )
        own = {**_NAMES, **self.names}
        body["status"] = pvproperty(
            name=own["status"],
            dtype=ChannelType.STRING,
            value="Init",
            read_only=True,
            alarm_group=alarm,
            doc="How the last call ended",
            long_string_max_length=_LONGEST_STATUS,
        )
        result = signature.return_annotation
        if result is signature.empty and self.default is None:
            raise DefinitionError(f"{where}: annotate what it returns, or give default=")
        if result is not None:
            body["retval"] = pvproperty(
                name=own["retval"],
                dtype=None if result is signature.empty else result,
                value=self.default,
                read_only=True,
                alarm_group=alarm,
                doc="What the last call returned",
            )
        process = pvproperty(
            name=own["process"],
            value=0,
            put=_Function.call,
            alarm_group=alarm,
            doc="Write here to call",
        )
        body["process"] = process.restore(_Function.prepare)
        return type(function.__name__, (_Function,), body)


def _annotation(parameter: inspect.Parameter, where: str) -> object:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise DefinitionError(f"{where}: *{parameter.name} cannot be PVs")
    if parameter.annotation is not parameter.empty:
        return parameter.annotation
    if parameter.default is parameter.empty:
        raise DefinitionError(f"{where}: annotate {parameter.name}, or give it a default")
    return None
