"""get_pv_pair_wrapper: a setpoint and the readback that follows it."""

import asyncio
from typing import Any

import pytest

from ioc_ops.channel import AccessRights
from ioc_ops.errors import DefinitionError
from ioc_ops.group import PVGroup, get_pv_pair_wrapper, pvproperty

pair = get_pv_pair_wrapper(setpoint_suffix="", readback_suffix="_RBV")
suffixed = get_pv_pair_wrapper(setpoint_suffix="SP", readback_suffix="RB")


def test_names_types_and_rights() -> None:
    class Group(PVGroup):
        exposure = pair(value=1.5, doc="seconds", units="s")
        gain = pair(name="Gain{n}", dtype=int, value=3)
        other = suffixed(value=[1, 2], max_length=4)
        plain = pvproperty(value=1)

    group = Group("T:", macros={"n": "7"})
    assert list(group.pvdb) == [
        "T:exposure",
        "T:exposure_RBV",
        "T:Gain7",
        "T:Gain7_RBV",
        "T:otherSP",
        "T:otherRB",
        "T:plain",
    ]
    setpoint, readback = group.exposure.setpoint, group.exposure.readback
    assert (setpoint.value, readback.value, setpoint.units, readback.units) == (1.5, 1.5, "s", "s")
    assert setpoint.check_access("", "") == AccessRights.READ_WRITE
    assert readback.check_access("", "") == AccessRights.READ
    assert group.exposure.parent is group
    assert group.other.setpoint.max_length == group.other.readback.max_length == 4


def test_the_readback_follows_the_setpoint() -> None:
    class Group(PVGroup):
        a = pair(value=1)
        b = pair(value=2)

    group = Group("T:")
    asyncio.run(group.a.setpoint.write(5))
    assert (group.a.setpoint.value, group.a.readback.value) == (5, 5)
    assert (group.b.setpoint.value, group.b.readback.value) == (2, 2)


def test_an_enum_pair_follows_too() -> None:
    class Group(PVGroup):
        mode = pair(value=True)

    group = Group("T:")
    asyncio.run(group.mode.setpoint.write("Off"))
    assert (group.mode.setpoint.value, group.mode.readback.value) == ("Off", "Off")


def test_what_only_one_of_them_gets() -> None:
    class Group(PVGroup):
        a = pair(value=1.0, setpoint_kw={"units": "V"}, readback_kw={"units": "mV", "value": 9.0})

    group = Group("T:")
    assert (group.a.setpoint.units, group.a.readback.units) == ("V", "mV")
    assert (group.a.setpoint.value, group.a.readback.value) == (1.0, 9.0)


def test_hooks_go_where_they_belong() -> None:
    async def hook(group: Any, instance: Any, extra: Any = None) -> None: ...

    class Group(PVGroup):
        a = pair(value=1, get=hook, put=hook, startup=hook, shutdown=hook)

    specs = Group("T:").a
    setpoint, readback = specs.setpoint.pvspec, specs.readback.pvspec
    assert (setpoint.put, setpoint.get, setpoint.startup) == (hook, None, None)
    assert (readback.get, readback.startup, readback.shutdown) == (hook, hook, hook)
    assert readback.put is None


def test_a_putter_of_the_outer_class() -> None:
    class Group(PVGroup):
        a = pair(value=1)
        b = pair(value=1)

        @a.setpoint.putter
        async def a(self, instance: Any, value: int) -> None:
            assert self.parent.prefix == "T:"
            await self.readback.write(value + 100)

        @b.readback.scan(period=1)
        async def b(self, instance: Any, async_lib: Any) -> None: ...

    group = Group("T:")
    asyncio.run(group.a.setpoint.write(5))
    assert (group.a.setpoint.value, group.a.readback.value) == (5, 105)
    asyncio.run(group.b.setpoint.write(5))
    assert group.b.readback.value == 5
    assert group.b.readback.pvspec.scan is not None


def test_read_only_pairs_make_no_sense() -> None:
    with pytest.raises(DefinitionError, match="setpoint is read-write"):
        pair(value=1, read_only=True)
