"""Hooks: every way to declare one, what they are called with, and what is wrong with one."""

import asyncio
import copy
import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from ioc_ops.channel import AlarmSeverity
from ioc_ops.errors import DefinitionError
from ioc_ops.group import PVGroup, PVSpec, pvproperty, scan_wrapper


def test_a_getter_without_arguments() -> None:
    class Group(PVGroup):
        @pvproperty
        async def answer(self, instance: Any) -> int:
            """Of everything."""
            return 42

    group = Group("T:")
    assert asyncio.run(group.answer.read()) == 42
    assert (Group.answer.__doc__, group.answer.pvspec.doc) == ("Of everything.", "Of everything.")


def test_arguments_above_a_getter_are_all_kept() -> None:
    class Group(PVGroup):
        @pvproperty(value=[1.0], max_length=7, read_only=True, name="N", doc="d", units="mm")
        async def x(self, instance: Any) -> list[float]:
            return [1.0, 2.0]

    group = Group("T:")
    assert asyncio.run(group.x.read()) == [1.0, 2.0]
    assert (group.x.max_length, group.x.read_only, group.x.name) == (7, True, "T:N")
    assert (group.x.units, group.x.pvspec.doc) == ("mm", "d")


def test_every_hook_by_its_decorator() -> None:
    async def hook(group: Any, instance: Any, extra: Any = None) -> None: ...

    kinds = ("getter", "putter", "startup", "shutdown", "restore", "save")
    declared = pvproperty(value=1)
    for kind in kinds:
        assert getattr(declared, kind)(hook) is declared
    assert declared.scan(period=3, failure_severity=AlarmSeverity.MINOR_ALARM)(hook) is declared
    spec = declared.pvspec
    assert [spec.get, spec.put, spec.startup, spec.shutdown, spec.restore, spec.save] == [hook] * 6
    assert spec.scan is not None
    assert (spec.scan.function, spec.scan.period) == (hook, 3.0)
    assert spec.scan.failure_severity == AlarmSeverity.MINOR_ALARM


def test_every_hook_as_an_argument() -> None:
    async def hook(group: Any, instance: Any, extra: Any = None) -> None: ...

    scan = scan_wrapper(0.5)(hook)
    spec = pvproperty(hook, hook, hook, hook, scan=scan, value=1).pvspec
    assert [spec.get, spec.put, spec.startup, spec.shutdown, spec.scan] == [hook] * 4 + [scan]


def test_hooks_are_called_with_the_group_and_the_pv() -> None:
    calls: list[tuple[Any, ...]] = []

    class Group(PVGroup):
        async def shared(self, instance: Any, value: Any) -> None:
            calls.append((self, instance.pvspec.attr, value))

        a = pvproperty(value=1, put=shared)
        b = pvproperty(value=2, put=shared)

    one, two = Group("1:"), Group("2:")
    for pv in (one.a, one.b, two.a):
        asyncio.run(pv.write(5))
    assert calls == [(one, "a", 5), (one, "b", 5), (two, "a", 5)]


def _plain(group: Any, instance: Any, value: Any = None) -> None: ...


_AT = inspect.getsourcelines(_plain)[1]


@pytest.mark.parametrize(
    "declare",
    [
        lambda: pvproperty(get=_plain),
        lambda: pvproperty(put=_plain),
        lambda: pvproperty(startup=_plain),
        lambda: pvproperty(shutdown=_plain),
        lambda: pvproperty(value=1)(_plain),
        lambda: pvproperty(value=1).getter(_plain),
        lambda: pvproperty(value=1).putter(_plain),
        lambda: pvproperty(value=1).startup(_plain),
        lambda: pvproperty(value=1).shutdown(_plain),
        lambda: pvproperty(value=1).restore(_plain),
        lambda: pvproperty(value=1).save(_plain),
        lambda: pvproperty(value=1).scan(period=1)(_plain),
        lambda: pvproperty(value=1, scan=scan_wrapper(1)(_plain)),
        lambda: PVSpec(put=_plain, value=1),
    ],
)
def test_a_hook_that_is_not_async_is_named_with_file_and_line(
    declare: Callable[[], object],
) -> None:
    with pytest.raises(DefinitionError) as wrong:
        declare()
    assert "_plain" in str(wrong.value)
    assert f"{__file__}:{_AT}" in str(wrong.value)
    assert "must be 'async def'" in str(wrong.value)


@pytest.mark.parametrize("hook", [5, "text", object()])
def test_what_is_no_function_is_no_hook(hook: Any) -> None:
    with pytest.raises(DefinitionError, match="must be 'async def'"):
        pvproperty(put=hook)


def test_a_partial_and_a_callable_object_may_be_hooks() -> None:
    seen: list[Any] = []

    async def hook(factor: int, group: Any, instance: Any, value: int) -> int:
        return factor * value

    class Callback:
        async def __call__(self, group: Any, instance: Any, value: int) -> None:
            seen.append(value)

    class Group(PVGroup):
        a = pvproperty(value=1, put=functools.partial(hook, 3))
        b = pvproperty(value=1, put=Callback())

    group = Group("T:")
    asyncio.run(group.a.write(5))
    asyncio.run(group.b.write(6))
    assert (group.a.value, group.b.value, seen) == (15, 6, [6])


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("getter", r"\(group, instance\)"),
        ("putter", r"\(group, instance, value\)"),
        ("startup", r"\(group, instance, async_lib\)"),
        ("shutdown", r"\(group, instance, async_lib\)"),
        ("scan", r"\(group, instance, async_lib\)"),
    ],
)
def test_a_hook_that_cannot_take_what_it_is_called_with_is_refused(kind: str, wanted: str) -> None:
    async def hook(group: Any) -> None: ...

    declared = pvproperty(value=1.0, record="ai")
    for decorate in (getattr(declared, kind), getattr(declared.fields["HIHI"], kind)):
        if kind == "scan":
            decorate = decorate(1.0)
        with pytest.raises(DefinitionError, match=rf"hook .*hook \(.*:\d+\) must take {wanted}"):
            decorate(hook)


def test_a_hook_given_as_an_argument_must_take_what_it_is_called_with() -> None:
    async def hook(group: Any) -> None: ...

    for kind in ("get", "put", "startup", "shutdown"):
        with pytest.raises(DefinitionError, match=f"the {kind} hook .* must take"):
            pvproperty(value=1, **{kind: hook})
    with pytest.raises(DefinitionError, match=r"the scan hook .* must take"):
        pvproperty(value=1, scan=scan_wrapper(1.0)(hook))


def test_a_hook_may_take_anything_and_more() -> None:
    async def anything(*arguments: Any) -> None: ...
    async def wanting(group: Any, instance: Any, value: Any, *, how: str) -> None: ...
    async def more(group: Any, instance: Any, value: Any, how: str = "") -> None: ...

    @functools.wraps(wanting)
    async def wrapping(group: Any, instance: Any, value: Any) -> None: ...

    for hook in (anything, more, wrapping, functools.partial(wanting, how="")):
        pvproperty(value=1, put=hook)
    with pytest.raises(DefinitionError, match="must take"):
        pvproperty(value=1, put=wanting)


def test_a_read_only_pv_has_no_putter() -> None:
    async def putter(group: Any, instance: Any, value: Any) -> None: ...

    with pytest.raises(DefinitionError, match="read-only PV has no putter"):
        pvproperty(value=1, read_only=True, put=putter)
    with pytest.raises(DefinitionError, match="read-only PV has no putter"):
        pvproperty(value=1, read_only=True).putter(putter)


@pytest.mark.parametrize("period", [0, -1, float("nan")])
def test_a_scan_needs_a_period_above_zero(period: float) -> None:
    with pytest.raises(DefinitionError, match="above 0 s"):
        pvproperty(value=1).scan(period=period)
    with pytest.raises(DefinitionError, match="needs a period"):
        pvproperty(value=1).scan()
    with pytest.raises(DefinitionError, match="use_scan_field needs a PV with record="):
        pvproperty(value=1).scan(use_scan_field=True)


def test_group_read_and_group_write_serve_pvs_without_hooks_of_their_own() -> None:
    class Group(PVGroup):
        plain = pvproperty(value=1)

        @pvproperty(value=2)
        async def own(self, instance: Any) -> int:
            return 20

        @own.putter
        async def own(self, instance: Any, value: int) -> int:
            return value + 1

        async def group_read(self, instance: Any) -> int:
            return 100

        async def group_write(self, instance: Any, value: int) -> int:
            return value * 1000

    group = Group("T:")
    assert asyncio.run(group.plain.read()) == 100
    assert asyncio.run(group.own.read()) == 20
    asyncio.run(group.plain.write(5))
    asyncio.run(group.own.write(5))
    assert (group.plain.value, group.own.value) == (5000, 6)


def test_a_group_without_them_leaves_its_pvs_without_hooks() -> None:
    class Group(PVGroup):
        plain = pvproperty(value=1)

    group = Group("T:")
    assert (group.plain.getter, group.plain.putter, group.plain.hooked) == (None, None, False)
    assert asyncio.run(group.group_read(group.plain)) == 1
    assert asyncio.run(group.group_write(group.plain, 3)) == 3


def test_assigning_to_a_pv_is_refused_with_what_to_do() -> None:
    class Group(PVGroup):
        x = pvproperty(value=1)

    group = Group("T:")
    with pytest.raises(AttributeError, match=r"use 'await x\.write\(value\)'"):
        group.x = 5
    assert group.x.value == 1


def test_a_copy_keeps_everything() -> None:
    declared = pvproperty(value=1, name="N", autosave="tag", units="mm")
    made = copy.copy(declared)
    assert made.pvspec == declared.pvspec
    made.autosave = "other"
    assert (declared.autosave, made.autosave) == ("tag", "other")


def test_a_scan_may_be_made_of_a_function_and_a_period() -> None:
    async def hook(group: Any, instance: Any, async_lib: Any) -> None: ...

    expected = scan_wrapper(0.5, stop_on_error=True)(hook)
    assert scan_wrapper(hook, 0.5, stop_on_error=True) == expected
    assert scan_wrapper(hook, period=0.5, stop_on_error=True) == expected
    assert scan_wrapper(period=0.5, stop_on_error=True)(hook) == expected
    assert scan_wrapper(hook, None, use_scan_field=True).period == 0.0
    with pytest.raises(DefinitionError, match="scan period must be a number of seconds"):
        scan_wrapper(hook, "fast")  # type: ignore[call-overload]


@pytest.mark.parametrize("period", ["fast", print, [1.0]])
def test_a_scan_period_that_is_no_number_is_refused(period: Any) -> None:
    with pytest.raises(DefinitionError, match="scan period must be a number of seconds"):
        scan_wrapper(period)


def test_a_putter_of_a_read_only_pv_is_named() -> None:
    async def level(group: Any, instance: Any, value: float) -> None: ...

    with pytest.raises(DefinitionError, match="level: a read-only PV has no putter"):
        pvproperty(value=1, read_only=True).putter(level)
