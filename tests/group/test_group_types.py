"""Which PV a declaration makes: by its value, by dtype, by a class; and what does not fit."""

import asyncio
from enum import IntEnum
from typing import Any, Literal

import numpy as np
import pytest

from ioc_ops import group as g
from ioc_ops.channel import AccessRights, Alarm, AlarmStatus, ChannelType
from ioc_ops.errors import ChannelError, DefinitionError
from ioc_ops.group import PVGroup, PVSpec, pvproperty


class Mode(IntEnum):
    SAFE = 0
    FAST = 2


class Code(IntEnum):
    BROKEN = 0x80000000


class Below(IntEnum):
    MINUS = -1


class Nothing(IntEnum):
    pass


def made(**declaration: Any) -> Any:
    group = type("Group", (PVGroup,), {"x": pvproperty(**declaration)})("T:")
    return group.x


@pytest.mark.parametrize(
    ("value", "cls", "max_length", "shown"),
    [
        (None, g.PvpropertyInteger, 1, 0),
        (1, g.PvpropertyInteger, 1, 1),
        (2.0, g.PvpropertyDouble, 1, 2.0),
        (True, g.PvpropertyBoolEnum, 1, "On"),
        ("abc", g.PvpropertyChar, 256, "abc"),
        (b"xy", g.PvpropertyByte, 2, b"xy"),
        (Mode.FAST, g.PvpropertyEnum, 1, "FAST"),
        ([1, 2, 3], g.PvpropertyInteger, 3, [1, 2, 3]),
        ((1.5, 2.5), g.PvpropertyDouble, 2, [1.5, 2.5]),
        ([2], g.PvpropertyInteger, 1, 2),
        (["a", "b"], g.PvpropertyString, 2, ["a", "b"]),
        (np.float64(1.5), g.PvpropertyDouble, 1, 1.5),
        (np.int32(3), g.PvpropertyInteger, 1, 3),
        ([np.float64(1.5), 2.5], g.PvpropertyDouble, 2, [1.5, 2.5]),
    ],
)
def test_the_value_says_what_the_pv_is(value: Any, cls: Any, max_length: int, shown: Any) -> None:
    pv = made(value=value)
    assert type(pv) is cls
    assert (pv.max_length, pv.value) == (max_length, shown)
    assert pv.check_access("", "") == AccessRights.READ_WRITE


@pytest.mark.parametrize(
    ("dtype", "cls"),
    [
        ("f8", g.PvpropertyDouble),
        ("f4", g.PvpropertyFloat),
        ("i4", g.PvpropertyInteger),
        ("i8", g.PvpropertyInteger),
        ("u2", g.PvpropertyInteger),
        ("?", g.PvpropertyInteger),
        ("u1", g.PvpropertyByte),
    ],
)
def test_an_array_says_what_the_pv_is(dtype: str, cls: Any) -> None:
    pv = made(value=np.ones(4, dtype))
    assert type(pv) is cls
    assert (pv.max_length, pv.length) == (4, 4)
    assert list(pv.value) == [1, 1, 1, 1]


def test_an_array_of_text() -> None:
    pv = made(value=np.array(["one", "two"]))
    assert type(pv) is g.PvpropertyString
    assert (pv.max_length, pv.value) == (2, ["one", "two"])


@pytest.mark.parametrize("value", [[], np.array([1j]), np.array([object()]), object(), {}, 1j])
def test_what_says_nothing_is_refused(value: Any) -> None:
    with pytest.raises(DefinitionError, match="dtype"):
        made(value=value)


@pytest.mark.parametrize(
    ("dtype", "cls", "read_only_cls", "default"),
    [
        (int, g.PvpropertyInteger, g.PvpropertyIntegerRO, 0),
        (float, g.PvpropertyDouble, g.PvpropertyDoubleRO, 0.0),
        (str, g.PvpropertyChar, g.PvpropertyCharRO, ""),
        (bytes, g.PvpropertyByte, g.PvpropertyByteRO, b""),
        (bool, g.PvpropertyBoolEnum, g.PvpropertyBoolEnumRO, "Off"),
        (Mode, g.PvpropertyEnum, g.PvpropertyEnumRO, "SAFE"),
        (np.float64, g.PvpropertyDouble, g.PvpropertyDoubleRO, 0.0),
        (ChannelType.STRING, g.PvpropertyString, g.PvpropertyStringRO, ""),
        (ChannelType.INT, g.PvpropertyShort, g.PvpropertyShortRO, 0),
        (ChannelType.FLOAT, g.PvpropertyFloat, g.PvpropertyFloatRO, 0.0),
        (ChannelType.ENUM, g.PvpropertyEnum, g.PvpropertyEnumRO, 0),
        (ChannelType.CHAR, g.PvpropertyChar, g.PvpropertyCharRO, ""),
        (ChannelType.LONG, g.PvpropertyInteger, g.PvpropertyIntegerRO, 0),
        (ChannelType.DOUBLE, g.PvpropertyDouble, g.PvpropertyDoubleRO, 0.0),
        (g.PvpropertyShort, g.PvpropertyShort, g.PvpropertyShortRO, 0),
        (g.PvpropertyFloat, g.PvpropertyFloat, g.PvpropertyFloatRO, 0.0),
        (g.PvpropertyString, g.PvpropertyString, g.PvpropertyStringRO, ""),
        (g.PvpropertyByte, g.PvpropertyByte, g.PvpropertyByteRO, b""),
        (g.PvpropertyBoolEnum, g.PvpropertyBoolEnum, g.PvpropertyBoolEnumRO, "Off"),
    ],
)
def test_dtype_says_what_the_pv_is(dtype: Any, cls: Any, read_only_cls: Any, default: Any) -> None:
    pv = made(dtype=dtype)
    assert type(pv) is cls
    assert pv.value == default
    guarded = made(dtype=dtype, read_only=True)
    assert isinstance(guarded, read_only_cls)
    assert guarded.read_only
    assert guarded.check_access("", "") == AccessRights.READ


@pytest.mark.parametrize("read_only", [False, True])
def test_a_read_only_class_needs_no_flag(read_only: bool) -> None:
    pv = made(dtype=g.PvpropertyDoubleRO, value=1.0, read_only=read_only)
    assert type(pv) is g.PvpropertyDoubleRO
    assert pv.check_access("", "") == AccessRights.READ


def test_a_class_of_ones_own_keeps_what_it_overrides_when_it_is_read_only() -> None:
    class Doubled(g.PvpropertyDouble):
        def preprocess_value(self, value: float) -> float:
            return value * 2

    for read_only in (False, True):
        pv = made(dtype=Doubled, value=1.0, read_only=read_only)
        assert isinstance(pv, Doubled)
        assert pv.preprocess_value(2.0) == 4.0
        expected = AccessRights.READ if read_only else AccessRights.READ_WRITE
        assert pv.check_access("", "") == expected


def test_a_class_of_ones_own_may_take_arguments_of_its_own() -> None:
    class Levelled(g.PvpropertyInteger):
        def __init__(self, *, level: int = 3, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.level = level

    pv = made(dtype=Levelled, value=5, level=7)
    assert (pv.value, pv.level) == (5, 7)


def test_dtype_rules_over_the_value() -> None:
    assert type(made(value=1, dtype=float)) is g.PvpropertyDouble
    assert type(made(value="x", dtype=ChannelType.STRING)) is g.PvpropertyString
    assert made(value="FAST", dtype=Mode).raw_value == 2
    assert made(value=2, dtype=Mode).value == "FAST"
    enum = made(value="b", dtype=ChannelType.ENUM, enum_strings=["a", "b"])
    assert (enum.value, enum.raw_value) == ("b", 1)


def test_max_length() -> None:
    assert made(value=3, max_length=5).value == [3]
    assert made(dtype=int, max_length=5).value == [0]
    empty = made(value=[], dtype=int, max_length=5)
    assert (empty.value, empty.max_length) == ([], 5)
    assert made(value="", max_length=80).max_length == 80
    with pytest.raises(ChannelError, match="T:x: 3 elements are more than max_length=2"):
        made(value=[1, 2, 3], max_length=2)


def test_a_length_below_none_is_refused_where_it_is_declared() -> None:
    with pytest.raises(DefinitionError, match=r"^T:x: max_length is 1 or more, not -1"):
        made(value=1.5, max_length=-1)


def test_an_unknown_dtype_is_named() -> None:
    for dtype in (list, object, "double", complex, Literal["a", "b"]):
        with pytest.raises(DefinitionError, match="has no CA type"):
            made(dtype=dtype)


def test_an_argument_that_the_class_does_not_know_is_named() -> None:
    with pytest.raises(DefinitionError, match=r"T:x: .*'colour'"):
        made(value=1, colour="red")
    with pytest.raises(DefinitionError, match=r"T:x: .*'units'"):
        made(value="text", units="mm")


def test_control_limits_that_let_nothing_pass_are_refused_at_once() -> None:
    for record in (None, "ao"):
        with pytest.raises(DefinitionError, match=r"T:x: lower_ctrl_limit 0.01 is above .* 0, "):
            made(value=1.0, lower_ctrl_limit=0.01, record=record)


def test_arguments_reach_the_pv() -> None:
    pv = made(value=1.0, units="mm", precision=3, upper_ctrl_limit=5, lower_ctrl_limit=-5)
    assert (pv.units, pv.precision, pv.upper_ctrl_limit) == ("mm", 3, 5)
    assert made(value="x", report_as_string=True).shown_as == (ChannelType.STRING, 1)


def test_a_record_type_is_reported() -> None:
    assert made(value=1.0, record="ai").reported_record_type == "ai"
    assert made(value=1.0, record="ai").record_type == "ai"
    assert made(value=1.0).reported_record_type == "caproto"
    with pytest.raises(DefinitionError, match="no dot"):
        pvproperty(value=1.0, record="ai.VAL")


def test_only_pvs_of_one_alarm_group_share_an_alarm() -> None:
    class Group(PVGroup):
        a = pvproperty(value=1, alarm_group="one")
        b = pvproperty(value=1, alarm_group="one")
        c = pvproperty(value=1, alarm_group="two")
        d = pvproperty(value=1)
        e = pvproperty(value=1)

    group = Group("T:")
    assert group.a.alarm is group.b.alarm is group.alarms["one"]
    assert len({id(pv.alarm) for pv in (group.a, group.c, group.d, group.e)}) == 4
    assert Group("U:").a.alarm is not group.a.alarm
    group.a.alarm.change(AlarmStatus.COMM, 3)
    assert (group.b.status, group.d.status) == (AlarmStatus.COMM, AlarmStatus.NO_ALARM)


def test_fields_there_are_none_but_the_value() -> None:
    pv = made(value=1)
    assert pv.get_field("") is pv.get_field(None) is pv.get_field("VAL") is pv
    with pytest.raises(AttributeError, match="T:x has no field DESC"):
        pv.get_field("DESC")


# --- PVSpec without a group -----------------------------------------------------------------


def test_a_spec_makes_a_pv_without_a_group() -> None:
    import asyncio

    async def putter(instance: Any, value: int) -> int:
        assert instance.name == "alone"
        return value * 2

    async def getter(instance: Any) -> int:
        return instance.value + 1

    pv = PVSpec(name="alone", value=1, put=putter, get=getter, autosave="tag").create(group=None)
    assert (pv.name, pv.group, pv.pvspec.autosave) == ("alone", None, "tag")
    asyncio.run(pv.write(5))
    assert pv.value == 10
    assert asyncio.run(pv.read()) == 11
    assert pv.log.name == "ioc_ops.pv"


def test_without_a_group_an_alarm_group_must_be_an_alarm() -> None:
    alarm = Alarm()
    assert PVSpec(name="a", value=1, alarm_group=alarm).create().alarm is alarm
    with pytest.raises(DefinitionError, match="a: without a group, alarm_group must be an alarm"):
        PVSpec(name="a", value=1, alarm_group="shared").create()


def test_a_spec_is_changed_by_making_another() -> None:
    spec = PVSpec(name="a", value=1)
    other = spec.new(value=2, max_length=3)
    assert (spec.value, spec.max_length) == (1, None)
    assert (other.name, other.value, other.max_length) == ("a", 2, 3)


@pytest.mark.parametrize(
    ("declaration", "problem"),
    [
        ({"value": {"a": 1}}, "^T:x: dtype <class 'dict'> has no CA type"),
        ({"value": 1, "unit": "mm"}, "^T:x: got an unexpected keyword argument 'unit'"),
        ({"value": Code.BROKEN}, "^T:x: the members of Code are not all from 0 to 15"),
        ({"dtype": Code}, "^T:x: the members of Code are not all from 0 to 15"),
        ({"dtype": Below}, "^T:x: the members of Below are not all from 0 to 15"),
        ({"dtype": Nothing}, "^T:x: Nothing has no members"),
    ],
)
def test_what_does_not_fit_names_the_pv(declaration: dict[str, Any], problem: str) -> None:
    with pytest.raises(DefinitionError, match=problem):
        made(**declaration)


def test_none_is_what_one_gets_without_an_argument() -> None:
    pv = made(value=1, read_only=None, fields=None, field_spec=None, record=None, max_length=None)
    assert type(pv) is g.PvpropertyInteger
    assert type(PVSpec(value=1, read_only=None).create()) is g.PvpropertyInteger


def test_a_class_that_overrides_write_sees_the_writes_of_clients_too() -> None:
    class Doubled(g.PvpropertyInteger):
        async def write(self, value: Any, **options: Any) -> None:
            await super().write(value * 2, **options)

    pv = made(dtype=Doubled, value=1)
    assert pv.hooked
    asyncio.run(pv.put(4))
    assert pv.value == 8
    asyncio.run(pv.write(5))
    assert pv.value == 10


@pytest.mark.parametrize("method", ["auth_read", "auth_write", "read", "write_from_dbr"])
def test_a_class_cannot_override_what_is_never_called(method: str) -> None:
    with pytest.raises(DefinitionError, match=rf"Guarded\.{method} would never be called: .*"):
        type("Guarded", (g.PvpropertyInteger,), {method: lambda self: None})


@pytest.mark.parametrize("table", ["type_map", "type_map_read_only", "default_values"])
def test_a_group_cannot_change_the_classes_of_its_pvs(table: str) -> None:
    with pytest.raises(DefinitionError, match=rf"Mine\.{table} .*dtype="):
        type("Mine", (PVGroup,), {table: {int: g.PvpropertyShort}})
    assert type("Mine", (PVGroup,), {table: pvproperty(value=1)})._pvs_


def test_a_pv_that_is_no_record_has_no_fields_instance() -> None:
    assert made(value=1.0).field_inst is None
    assert made(value=1.0, record="ai").field_inst is not None
