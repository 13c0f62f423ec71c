"""SubGroup in its three forms, nested, with hooks of the outer class on PVs of the inner."""

import asyncio
from typing import Any

import pytest

from ioc_ops.errors import DefinitionError
from ioc_ops.group import PVGroup, PVSpec, SubGroup, pvproperty


class Motor(PVGroup):
    """A motor."""

    position = pvproperty(value=0.0)
    speed = pvproperty(value=1.0)

    def __init__(self, *args: Any, axis: int = 0, **kwargs: Any) -> None:
        self.axis = axis
        super().__init__(*args, **kwargs)


def test_from_a_class_with_arguments_for_it() -> None:
    class Stage(PVGroup):
        x = SubGroup(Motor, axis=1, doc="horizontal")
        y = SubGroup(Motor, axis=2)

    stage = Stage("S:")
    assert list(stage.pvdb) == ["S:x:position", "S:x:speed", "S:y:position", "S:y:speed"]
    assert (stage.x.axis, stage.y.axis) == (1, 2)
    assert isinstance(stage.x, Motor)
    assert stage.x.parent is stage
    assert stage.groups == {"x": stage.x, "y": stage.y}
    assert (Stage.x.__doc__, Stage.y.__doc__) == ("horizontal", "A motor.")
    assert stage.x.position is not stage.y.position
    assert stage.x.log.name == f"{stage.log.name}.Motor"


def test_from_a_decorated_class() -> None:
    class Stage(PVGroup):
        @SubGroup
        class plain(PVGroup):  # noqa: N801
            a = pvproperty(value=1)

        @SubGroup(prefix="F:", macros={"n": "7"})
        class full(PVGroup):  # noqa: N801
            a = pvproperty(value=1, name="a{n}")

    stage = Stage("S:")
    assert list(stage.pvdb) == ["S:plain:a", "S:F:a7"]
    assert stage.full.parent is stage


def test_from_a_dictionary_of_arguments_specs_and_declarations() -> None:
    class Stage(PVGroup):
        sub = SubGroup(
            {
                "a": {"value": 1, "name": "A"},
                "b": PVSpec(value=2.0),
                "c": pvproperty(value="text"),
            },
            prefix="D:",
        )

    stage = Stage("S:")
    assert {name: pv.value for name, pv in stage.pvdb.items()} == {
        "S:D:A": 1,
        "S:D:b": 2.0,
        "S:D:c": "text",
    }
    assert list(stage.attr_pvdb) == ["sub.a", "sub.b", "sub.c"]


def test_a_dictionary_may_build_on_other_classes() -> None:
    class Stage(PVGroup):
        sub = SubGroup({"extra": {"value": 1}}, base=(Motor,), axis=3)

    stage = Stage("S:")
    assert list(stage.pvdb) == ["S:sub:position", "S:sub:speed", "S:sub:extra"]
    assert stage.sub.axis == 3


def test_groups_in_groups() -> None:
    class Stage(PVGroup):
        x = SubGroup(Motor)

    class Beamline(PVGroup):
        stage = SubGroup(Stage)
        shutter = pvproperty(value=False)

    line = Beamline("B:")
    assert list(line.pvdb) == ["B:stage:x:position", "B:stage:x:speed", "B:shutter"]
    assert line.groups == {"stage": line.stage, "stage.x": line.stage.x}
    assert line.attr_pvdb["stage.x.speed"] is line.stage.x.speed
    assert line.stage.x.parent.parent is line


def test_every_instance_has_groups_of_its_own() -> None:
    class Stage(PVGroup):
        x = SubGroup(Motor)

    one, two = Stage("1:"), Stage("2:")
    asyncio.run(one.x.position.write(5.0))
    assert (one.x.position.value, two.x.position.value) == (5.0, 0.0)


def test_the_outer_class_puts_hooks_on_pvs_of_the_inner() -> None:
    seen: list[tuple[Any, ...]] = []

    class Stage(PVGroup):
        x = SubGroup(Motor, axis=1)

        @x.position.putter
        async def x(self, instance: Any, value: float) -> float:
            seen.append((self, instance, value))
            return value * 2

        @x.speed.scan(period=0.5)
        async def x(self, instance: Any, async_lib: Any) -> None:
            seen.append((self, instance))

        y = SubGroup({"a": {"value": 1}})

        @y.a.getter
        async def y(self, instance: Any) -> int:
            return 42

    stage = Stage("S:")
    asyncio.run(stage.x.position.write(3.0))
    assert stage.x.position.value == 6.0
    assert seen == [(stage.x, stage.x.position, 3.0)]
    assert stage.x.axis == 1
    scan = stage.x.speed.pvspec.scan
    assert scan.period == 0.5
    asyncio.run(stage.y.a.read())
    assert stage.y.a.value == 42
    # The class they come from knows nothing of it.
    assert Motor.position.pvspec.put is None
    assert Motor.speed.pvspec.scan is None
    assert list(stage.pvdb) == ["S:x:position", "S:x:speed", "S:y:a"]


def test_a_subclass_puts_hooks_on_pvs_of_its_parents_subgroup_and_the_parent_stays() -> None:
    class Stage(PVGroup):
        x = SubGroup(Motor, prefix="X:", axis=4)

    class Guarded(Stage):
        @Stage.x.position.putter
        async def x(self, instance: Any, value: float) -> float:
            return -value

    guarded, stage = Guarded("G:"), Stage("S:")
    asyncio.run(guarded.x.position.write(3.0))
    asyncio.run(stage.x.position.write(3.0))
    assert guarded.x.position.value == -3.0
    assert stage.x.position.value == 3.0
    assert guarded.x.axis == 4
    assert list(guarded.pvdb) == ["G:X:position", "G:X:speed"]


def test_a_subclass_of_the_class_may_replace_the_group() -> None:
    class Stage(PVGroup):
        x = SubGroup(Motor, prefix="X:")

    class Other(Stage):
        x = SubGroup({"only": {"value": 1}}, prefix="O:")

    assert list(Other("T:").pvdb) == ["T:O:only"]
    assert list(Stage("T:").pvdb) == ["T:X:position", "T:X:speed"]


def test_a_subgroup_of_nothing_is_refused() -> None:
    class Stage(PVGroup):
        x = SubGroup(prefix="X:")

    with pytest.raises(DefinitionError, match=r"Stage\.x: SubGroup of what"):
        Stage("S:")


def test_an_unknown_pv_of_a_subgroup_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        SubGroup(Motor).nothing  # noqa: B018
    assert not hasattr(SubGroup(), "position")


@pytest.mark.parametrize("group", [int, Motor("M:"), "Motor"])
def test_a_subgroup_of_what_is_no_class_of_pvs_is_refused(group: Any) -> None:
    with pytest.raises(DefinitionError, match=r"SubGroup\(.*\): give a PVGroup class"):
        SubGroup(group)
    with pytest.raises(DefinitionError, match="give a PVGroup class"):
        SubGroup(prefix="X:")(group)


def test_an_argument_that_the_class_does_not_take_names_the_subgroup() -> None:
    class Stage(PVGroup):
        x = SubGroup(Motor, axes=1)

    with pytest.raises(DefinitionError, match=r"Stage\.x: .* keyword argument 'axes'"):
        Stage("S:")


def test_a_fault_inside_the_class_is_not_taken_for_a_wrong_argument() -> None:
    class Broken(PVGroup):
        def __init__(self, *args: Any, axis: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.axis = axis + 1

    class Stage(PVGroup):
        x = SubGroup(Broken, axis="one")

    with pytest.raises(TypeError, match="concatenate"):
        Stage("S:")
