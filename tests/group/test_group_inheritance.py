"""Groups that build on groups: what is inherited, replaced, decorated, and what is left alone."""

import asyncio
from typing import Any

from ioc_ops.group import PVGroup, SubGroup, pvproperty


class Base(PVGroup):
    x = pvproperty(value=1, name="X", autosave="tag")
    y = pvproperty(value=2)

    @y.startup
    async def y(self, instance: Any, async_lib: Any) -> None: ...


def test_pvs_are_inherited_bases_first() -> None:
    class Derived(Base):
        a = pvproperty(value=3)

    assert list(Derived("T:").pvdb) == ["T:X", "T:y", "T:a"]
    assert list(Base("T:").pvdb) == ["T:X", "T:y"]


def test_a_replaced_pv_keeps_its_place_and_loses_the_rest() -> None:
    class Derived(Base):
        y = pvproperty(value=20.0)
        a = pvproperty(value=3)

    group = Derived("T:")
    assert {name: pv.value for name, pv in group.pvdb.items()} == {"T:X": 1, "T:y": 20.0, "T:a": 3}
    assert group.y.pvspec.startup is None


def test_a_removed_pv_is_gone() -> None:
    class Derived(Base):
        y = None

    assert list(Derived("T:").pvdb) == ["T:X"]


def test_decorating_the_pv_of_a_parent_leaves_the_parent_alone() -> None:
    class Derived(Base):
        @Base.x.putter
        async def x(self, instance: Any, value: int) -> int:
            return value * 10

        @Base.y.scan(period=2)
        async def y(self, instance: Any, async_lib: Any) -> None: ...

    derived, base = Derived("D:"), Base("B:")
    asyncio.run(derived.x.write(5))
    asyncio.run(base.x.write(5))
    assert (derived.x.value, base.x.value) == (50, 5)
    assert (Base.x.pvspec.put, Base.y.pvspec.scan) == (None, None)
    # All else is as the parent declared it.
    assert (derived.x.name, Derived.x.autosave) == ("D:X", "tag")
    assert derived.y.pvspec.startup is Base.y.pvspec.startup is not None
    assert list(derived.pvdb) == ["D:X", "D:y"]


def test_brothers_may_decorate_the_same_pv_differently() -> None:
    class One(Base):
        @Base.x.putter
        async def x(self, instance: Any, value: int) -> int:
            return 1

    class Two(Base):
        @Base.x.putter
        async def x(self, instance: Any, value: int) -> int:
            return 2

    one, two = One("1:"), Two("2:")
    asyncio.run(one.x.write(9))
    asyncio.run(two.x.write(9))
    assert (one.x.value, two.x.value) == (1, 2)


def test_several_decorators_in_a_subclass_add_up() -> None:
    class Derived(Base):
        @Base.x.putter
        async def x(self, instance: Any, value: int) -> None: ...

        @x.getter
        async def x(self, instance: Any) -> None: ...

    spec = Derived.x.pvspec
    assert spec.put is not None
    assert spec.get is not None
    assert (Base.x.pvspec.put, Base.x.pvspec.get) == (None, None)


def test_with_two_bases_the_pv_is_what_python_finds() -> None:
    class Left(PVGroup):
        both = pvproperty(value=1)
        left = pvproperty(value=1)

    class Right(PVGroup):
        both = pvproperty(value=2)
        right = pvproperty(value=2)

    class Both(Left, Right):
        own = pvproperty(value=3)

    group = Both("T:")
    assert group.both.value == 1
    assert group.both is group.pvdb["T:both"]
    assert list(group.pvdb) == ["T:both", "T:right", "T:left", "T:own"]


def test_a_plain_class_may_bring_pvs() -> None:
    class Mixin:
        extra = pvproperty(value=7)

    class Group(Mixin, PVGroup):
        own = pvproperty(value=1)

    group = Group("T:")
    assert sorted(group.pvdb) == ["T:extra", "T:own"]
    assert group.extra.value == 7


def test_subgroups_are_inherited_too() -> None:
    class Outer(PVGroup):
        sub = SubGroup(Base)

    class Derived(Outer):
        own = pvproperty(value=1)

    assert list(Derived("T:").pvdb) == ["T:sub:X", "T:sub:y", "T:own"]


def test_a_class_made_at_run_time() -> None:
    made = type("Made", (PVGroup,), {f"pv{i}": pvproperty(value=i) for i in range(3)})
    assert {name: pv.value for name, pv in made("T:").pvdb.items()} == {
        "T:pv0": 0,
        "T:pv1": 1,
        "T:pv2": 2,
    }


def test_values_that_are_lists_are_not_shared_between_instances() -> None:
    class Group(PVGroup):
        x = pvproperty(value=[1, 2, 3])

    one, two = Group("1:"), Group("2:")
    asyncio.run(one.x.write([7]))
    assert (one.x.value, two.x.value) == ([7], [1, 2, 3])
