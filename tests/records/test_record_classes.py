"""Classes of fields: to name a record type, to type it, to make one of one's own."""

import asyncio
from typing import Any

import pytest

from ioc_ops.errors import DefinitionError
from ioc_ops.group.record_registry import records
from ioc_ops.server import PVGroup, PvpropertyDouble, PvpropertyInteger, PVSpec, pvproperty
from ioc_ops.server.records import AiFields, MotorFields, RecordFieldGroup, register_record


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in records if name.startswith("test_")]:
        monkeypatch.delitem(records, name)


def made(**declaration: Any) -> Any:
    return type("Group", (PVGroup,), {"x": pvproperty(**declaration)})("T:").x


@pytest.mark.parametrize(
    "declaration",
    [
        {"record": "ai"},
        {"record": AiFields},
        {"dtype": PvpropertyDouble[AiFields]},
        {"dtype": PvpropertyDouble[AiFields], "record": AiFields},
    ],
)
def test_ways_to_say_the_same(declaration: dict[str, Any]) -> None:
    x = made(value=4.5, **declaration)
    assert type(x) is PvpropertyDouble
    assert type(x.field_inst) is AiFields
    assert (x.record_type, x.field_inst.record_type.value) == ("ai", "ai")
    assert x.field_inst.raw_offset.name == "T:x.ROFF"


def test_a_type_of_ones_own() -> None:
    @register_record
    class OwnFields(MotorFields):
        _record_type = "test_own"

        user_readback_value = pvproperty(name="RBV", value=0, dtype=PvpropertyInteger, units="mm")
        EXTR = pvproperty(value="text")

        @user_readback_value.putter
        async def user_readback_value(self, instance: Any, value: int) -> int:
            await self.dial_readback_value.write(value + 0.5)
            return value + self.parent.value

    x = made(value=10, record="test_own")
    fields = x.field_inst
    assert isinstance(fields, OwnFields)
    assert (x.reported_record_type, x.fields["RTYP"].value) == ("test_own", "test_own")
    assert type(fields.user_readback_value) is PvpropertyInteger
    assert fields.user_readback_value is x.fields["RBV"] is fields.RBV
    assert x.fields["RBV"].name == "T:x.RBV"
    assert x.get_field("EXTR").value == "text"
    assert "EXTR" in x.fields
    assert set(x.fields) == {*made(value=1.0, record="motor").fields, "EXTR"}
    asyncio.run(x.fields["RBV"].write(5))
    assert (x.fields["RBV"].value, fields.dial_readback_value.value) == (15, 5.5)
    assert x.fields["RBV"].log is x.log
    with pytest.raises(KeyError):
        fields.attr_pvdb["nothing"]
    other = made(value=1.0, record=OwnFields)
    assert other.fields["RBV"] is not x.fields["RBV"]
    # The parent's own fields stay what they are.
    assert made(value=1.0, record="motor").fields["RBV"].units == ""


def test_a_type_of_ones_own_has_hooks_of_its_own_and_of_the_declaration() -> None:
    @register_record
    class OwnFields(AiFields):
        _record_type = "test_hooked"

        sampled = pvproperty(name="SAMP", value=0)

        @sampled.startup
        async def sampled(self, instance: Any, async_lib: Any) -> None: ...

    class Group(PVGroup):
        x = pvproperty(value=1.0, record="test_hooked")

        @x.fields.sampled.putter
        async def x(fields, instance, value):  # noqa: N805
            return value + 1

        @x.fields.DESC.startup
        async def x(fields, instance, async_lib): ...  # noqa: N805

    x: Any = Group("T:").x
    asyncio.run(x.fields["SAMP"].write(1))
    assert x.fields["SAMP"].value == 2
    running = x.pvspec.running_field_hooks
    assert [(hook.field, hook.kind) for hook in running if hook.kind == "startup"] == [
        ("SAMP", "startup"),
        ("DESC", "startup"),
    ]


def test_a_subclass_hears_of_writes() -> None:
    @register_record
    class OwnFields(AiFields):
        _record_type = "test_hearing"
        heard: Any = None

        async def value_write_hook(self, instance: Any, value: Any) -> None:
            self.heard = (instance.value, value)

    class Group(PVGroup):
        x = pvproperty(value=1.0, record="test_hearing")

        @x.putter
        async def x(self, instance: Any, value: float) -> float:
            return value * 2

    x: Any = Group("T:").x
    asyncio.run(x.put(5.0))
    assert (x.field_inst.heard, x.value) == ((1.0, 10.0), 10.0)


def test_what_is_no_record_type() -> None:
    class Unregistered(AiFields):
        _record_type = "test_unregistered"

    with pytest.raises(DefinitionError, match="@register_record"):
        pvproperty(value=1.0, record=Unregistered)
    with pytest.raises(DefinitionError, match="is none of"):
        PVSpec(record="axis")
    with pytest.raises(DefinitionError, match="_record_type of its own"):
        register_record(type("Same", (AiFields,), {}))
    with pytest.raises(DefinitionError, match="must be a subclass"):
        register_record(type("Bare", (RecordFieldGroup,), {"_record_type": "test_bare"}))


def test_motor() -> None:
    x = made(value=1.5, record="motor", units="mm", precision=3)
    fields = x.field_inst
    assert len(fields) > 150

    async def configure() -> None:
        await fields.velocity.write(2.0)
        await fields.max_velocity.write(5.0)
        await fields.user_low_limit.write(-10.0)
        await fields.user_high_limit.write(20.0)
        await fields.stop_pause_move_go.write("Stop")

    asyncio.run(configure())
    assert fields.stop_pause_move_go.value == "Stop"
    assert (fields.velocity.units, fields.velocity.precision) == ("mm/sec", 3)
    assert fields.velocity.metadata.limits[:2] == (5.0, 0.0)
    for channel in (x, fields.user_readback_value):
        limits = channel.metadata.limits
        assert (*limits[:2], *limits[6:]) == (20.0, -10.0, 20.0, -10.0)
    asyncio.run(x.write(100.0))  # the limits are shown; to mind them is the IOC's code
    assert x.value == 100.0
    assert fields.seconds_to_velocity.units == "sec"
