"""What is marked is saved: PVs, pairs, whole groups, anywhere in the tree."""

import pytest

from ioc_ops.autosave.tag import AutosaveTag, autosaved
from ioc_ops.autosave.targets import find_targets
from ioc_ops.channel import ChannelData
from ioc_ops.errors import DefinitionError
from ioc_ops.group import root_of
from ioc_ops.server import PVGroup, SubGroup, get_pv_pair_wrapper, pvproperty

pair = get_pv_pair_wrapper(setpoint_suffix="", readback_suffix="_RBV")


class Inner(PVGroup):
    saved = autosaved(pvproperty(value=1))
    plain = pvproperty(value=2)


class Marked(PVGroup):
    a = pvproperty(value=1)
    b = autosaved(pvproperty(value=2), put_on_restore=True)
    inner = SubGroup(Inner)


class Ioc(PVGroup):
    first = autosaved(pvproperty(value=1.0))
    plain = pvproperty(value=2.0)
    inner = SubGroup(Inner)
    pair = autosaved(pair(name="pair", value=3))
    group = autosaved(SubGroup(Marked, prefix="g:"))

    @autosaved
    @SubGroup(prefix="d:")
    class decorated(PVGroup):  # noqa: N801 - a SubGroup
        x = pvproperty(value=1)


def test_all_that_is_marked_in_the_order_of_definition() -> None:
    ioc = Ioc(prefix="x:")
    targets = find_targets(ioc)
    assert list(targets) == [
        *("x:first", "x:inner:saved", "x:pair", "x:pair_RBV"),
        *("x:g:a", "x:g:b", "x:g:inner:saved", "x:g:inner:plain", "x:d:x"),
    ]
    assert all(targets[name].channel is ioc.pvdb[name] for name in targets)
    assert [name for name, t in targets.items() if t.put_on_restore] == ["x:g:b"]


def test_the_root_of_a_tree() -> None:
    ioc = Ioc(prefix="x:")
    assert root_of(ioc.groups["group.inner"]) is ioc
    assert root_of(ioc) is ioc


def test_an_inner_mark_counts_before_an_outer_one() -> None:
    class Outer(PVGroup):
        group = autosaved(SubGroup(Marked), put_on_restore=True)

    class Top(PVGroup):
        outer = autosaved(SubGroup(Outer))

    targets = find_targets(Top(prefix=""))
    assert targets["outer:group:a"].put_on_restore


def test_a_brother_marks_with_true() -> None:
    class Brother(PVGroup):
        count = pvproperty(value=1)
        count.autosave = True

    (target,) = find_targets(Brother(prefix="x:")).values()
    assert (target.name, target.put_on_restore) == ("x:count", False)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        (None, ["x:pv.DESC", "x:pv"]),
        (["DESC", "EGU", "NONE"], ["x:pv.DESC", "x:pv.EGU", "x:pv"]),
        (["VAL"], ["x:pv"]),
        ([], ["x:pv"]),
    ],
)
def test_fields_that_the_record_has_are_saved_before_its_value(
    fields: list[str] | None, names: list[str]
) -> None:
    class Group(PVGroup):
        pv = autosaved(pvproperty(value=1.0, record="ao"), fields=fields)

    targets = find_targets(Group(prefix="x:"))
    assert list(targets) == names
    assert [target.channel.name for target in targets.values()] == names


def test_python_names_of_fields_are_those_of_caproto_files() -> None:
    class Group(PVGroup):
        pv = autosaved(pvproperty(value=1.0, record="ao"), fields=["description", "EGU"])

    targets = find_targets(Group(prefix="x:"))
    assert [(target.name, target.alias) for target in targets.values()] == [
        ("x:pv.DESC", "x:pv.description"),
        ("x:pv.EGU", None),
        ("x:pv", None),
    ]


def test_a_pv_of_no_record_type_has_no_fields() -> None:
    class Group(PVGroup):
        pv = autosaved(pvproperty(value=1.0), fields=["DESC"])

    assert list(find_targets(Group(prefix="x:"))) == ["x:pv"]


def test_the_tag() -> None:
    prop = pvproperty(value=1)
    assert prop.autosave is None
    assert autosaved(prop, fields=["EGU", "PREC", "EGU"], put_on_restore=True) is prop
    assert prop.autosave == AutosaveTag(fields=("EGU", "PREC"), put_on_restore=True)
    group = SubGroup(Inner)
    assert autosaved(group) is group
    assert group.autosave == AutosaveTag(fields=("description",), put_on_restore=False)


def test_the_tag_stays_when_a_hook_is_added() -> None:
    class Group(PVGroup):
        pv = autosaved(pvproperty(value=1))

        @pv.putter
        async def pv(self, instance: ChannelData, value: int) -> None: ...

    assert list(find_targets(Group(prefix="x:"))) == ["x:pv"]


def test_the_pv_of_a_parent_class_is_not_changed() -> None:
    class Child(Inner):
        plain = autosaved(Inner.plain)

    assert list(find_targets(Child(prefix="x:"))) == ["x:saved", "x:plain"]
    assert list(find_targets(Inner(prefix="x:"))) == ["x:saved"]


@pytest.mark.parametrize("thing", [1, Inner, Inner(prefix=""), Ioc.pair.setpoint, None])
def test_what_cannot_be_marked(thing: object) -> None:
    with pytest.raises(DefinitionError, match="takes a pvproperty or a SubGroup"):
        autosaved(thing)  # type: ignore[type-var]


@pytest.mark.parametrize("fields", ["DESC", [1], [""]])
def test_fields_that_are_none(fields: object) -> None:
    with pytest.raises(DefinitionError, match="fields="):
        autosaved(pvproperty(value=1), fields=fields)  # type: ignore[arg-type]
