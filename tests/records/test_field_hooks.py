"""Hooks of fields, PROC, value_write_hook: what the IOC's own code hears of a record."""

import asyncio
from typing import Any

import pytest

from ioc_ops.channel import AlarmStatus
from ioc_ops.errors import DefinitionError, SkipWrite
from ioc_ops.server import PVGroup, pvproperty
from ioc_ops.server.records import MotorFields, register_record


def made(**declaration: Any) -> Any:
    return type("Group", (PVGroup,), {"x": pvproperty(**declaration)})("T:").x


class Hooked(PVGroup):
    x = pvproperty(value=2.0, record="ai")
    seen: list[Any]

    @x.fields.RVAL.putter
    async def x(fields, instance, value):  # noqa: N805 - hooks of fields take the fields
        fields.parent.group.seen.append(("put", instance.name, value))
        if value < 0:
            raise SkipWrite
        await fields.parent.write(value / 10)
        return min(value, 100)

    @x.fields.current_raw_value.getter
    async def x(fields, instance):  # noqa: N805
        return round(fields.parent.value * 10)

    y = pvproperty(value=5.0, field_spec=x.field_spec)


@pytest.mark.parametrize("attribute", ["x", "y"])
def test_putters_and_getters_of_fields(attribute: str) -> None:
    group: Any = Hooked("T:")
    group.seen = []
    pv = getattr(group, attribute)
    raw = pv.field_inst.current_raw_value
    asyncio.run(raw.write(50))
    assert (pv.value, raw.value) == (5.0, 50)
    asyncio.run(raw.write(500))
    assert raw.value == 100
    asyncio.run(raw.write(-1))
    assert raw.value == 100
    assert asyncio.run(raw.read()) == 500
    assert group.seen[0] == ("put", f"T:{attribute}.RVAL", 50)
    assert pv.record_type == "ai"


def test_hooks_are_listed() -> None:
    assert repr(Hooked.x.fields) == "<fields of ai: RVAL.put, RVAL.get>"
    assert "RVAL" in Hooked.x.fields
    assert len(Hooked.x.fields) == len(list(Hooked.x.fields))
    with pytest.raises(DefinitionError, match="ai records have no field NOPE"):
        _ = Hooked.x.fields.NOPE
    with pytest.raises(KeyError):
        _ = Hooked.x.fields["NOPE"]


def test_fields_as_an_argument() -> None:
    hooks = Hooked.x.field_spec.hooks
    group: Any = type("G", (PVGroup,), {"z": pvproperty(value=1.0, record="ao", fields=hooks)})(
        "T:"
    )
    group.seen = []
    asyncio.run(group.z.fields["RVAL"].write(70))
    assert group.z.value == 7.0


def test_a_failing_putter_of_a_field_shows_on_its_record() -> None:
    class Failing(PVGroup):
        x = pvproperty(value=2.0, record="ai")

        @x.fields.PHAS.putter
        async def x(fields, instance, value):  # noqa: N805
            raise RuntimeError("on purpose")

    pv: Any = Failing("T:").x
    with pytest.raises(RuntimeError):
        asyncio.run(pv.fields["PHAS"].write(3))
    assert pv.alarm.status == AlarmStatus.WRITE
    assert pv.fields["PHAS"].value == 0
    asyncio.run(pv.write(3.0))
    assert pv.alarm.status == AlarmStatus.NO_ALARM


def test_proc_runs_the_putter_or_else_the_getter() -> None:
    class Processed(PVGroup):
        out = pvproperty(value=2.0, record="ao")
        into = pvproperty(value=2.0, record="ai")
        log: list[Any]

        @out.putter
        async def out(self, instance, value):
            self.log.append(value)

        @into.getter
        async def into(self, instance):
            return instance.value + 1

    group: Any = Processed("T:")
    group.log = []
    asyncio.run(group.out.fields["PROC"].write(1))
    asyncio.run(group.into.fields["PROC"].write(1))
    assert (group.log, group.into.value) == ([2.0], 3.0)


def test_value_write_hook_of_one_instance() -> None:
    class Watched(PVGroup):
        one = pvproperty(value=1.0, record="motor")
        two = pvproperty(value=1.0, record="motor")

        @one.putter
        async def one(self, instance, value):
            if value > 100:
                raise SkipWrite
            return value * 2

    group: Any = Watched("T:")
    seen: list[Any] = []

    async def value_write_hook(instance: Any, value: Any) -> None:
        seen.append((instance.name, value, instance.value))

    group.one.field_inst.value_write_hook = value_write_hook
    assert not group.two.hooked

    async def change() -> None:
        await group.one.write(5.0)
        await group.one.write(500.0)
        await group.two.write(5.0)
        await group.one.write(6.0, verify_value=False)
        await group.one.write(7.0, update_fields=False)
        await group.one.write(8.0, verify_value=False, update_fields=False)

    asyncio.run(change())
    assert seen == [("T:one", 10.0, 1.0), ("T:one", 6.0, 10.0)]
    assert (group.one.value, group.two.value) == (8.0, 5.0)


@register_record
class HearingFields(MotorFields):
    _record_type = "hearing"

    async def value_write_hook(self, instance: Any, value: Any) -> None:
        self.parent.group.seen.append(("hook", value))
        if value == 13:
            raise SkipWrite


def test_group_write_and_value_write_hook_hear_of_each_write_in_turn() -> None:
    class Group(PVGroup):
        x = pvproperty(value=1.0, record="hearing")
        y = pvproperty(value=1.0, record="hearing")
        seen: list[Any]

        async def group_write(self, instance, value):
            self.seen.append(("group", value))
            return value + 1

        @y.putter
        async def y(self, instance, value):
            self.seen.append(("own", value))

    group: Any = Group("T:")
    group.seen = []

    async def change() -> None:
        await group.x.write(5.0)
        await group.x.put(6.0)
        await group.x.write(12.0)
        await group.x.write(2.0, update_fields=False)
        await group.y.write(3.0)

    asyncio.run(change())
    assert group.seen == [
        ("group", 5.0),
        ("hook", 6.0),
        ("group", 6.0),
        ("hook", 7.0),
        ("group", 12.0),
        ("hook", 13.0),
        ("group", 2.0),
        ("own", 3.0),
        ("hook", 3.0),
    ]
    assert (group.x.value, group.y.value) == (3.0, 3.0)


def test_a_value_write_hook_that_fails_is_a_failed_write() -> None:
    x = made(value=1.0, record="motor")

    async def fails(instance: Any, value: Any) -> None:
        raise RuntimeError("no")

    x.field_inst.value_write_hook = fails
    with pytest.raises(RuntimeError):
        asyncio.run(x.write(2.0))
    assert (x.value, x.alarm.status) == (1.0, AlarmStatus.WRITE)
