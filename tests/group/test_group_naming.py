"""Names of PVs: prefixes, macros, separators, braces that are meant."""

from typing import Any

import pytest

from ioc_ops.errors import DefinitionError
from ioc_ops.group import PVGroup, SubGroup, expand_macros, pvproperty


class Inner(PVGroup):
    a = pvproperty(value=1)


class Dashed(PVGroup):
    attr_separator = "-"
    a = pvproperty(value=1)


def test_a_name_is_the_prefix_and_the_attribute_or_what_name_says() -> None:
    class Group(PVGroup):
        one = pvproperty(value=1)
        two = pvproperty(value=2, name="TWO.B")
        three = pvproperty(value=3, name="")

    group = Group("T:")
    assert list(group.pvdb) == ["T:one", "T:TWO.B", "T:"]
    assert group.attr_to_pvname == {"one": "T:one", "two": "T:TWO.B", "three": "T:"}
    assert group.one is group.pvdb["T:one"] is group.attr_pvdb["one"]
    assert (group.one.name, group.one.pvname) == ("T:one", "T:one")
    assert (group.prefix, group.name) == ("T:", "Group")
    assert group.one.group is group
    assert group.one.pvspec.attr == "one"
    assert list(Group().pvdb)[:2] == ["one", "TWO.B"]
    assert Group("T:", name="G").name == "G"


@pytest.mark.parametrize(
    ("subgroup", "name"),
    [
        ({}, "T:sub:a"),
        ({"prefix": "S3"}, "T:S3a"),
        ({"prefix": ""}, "T:a"),
        ({"attr_separator": "__"}, "T:sub__a"),
        ({"attr_separator": ""}, "T:suba"),
        ({"prefix": "{m}:"}, "T:MM:a"),
        ({"prefix": "{m}:", "macros": {"m": "own"}}, "T:own:a"),
        ({"prefix": "p", "attr_separator": "-"}, "T:pa"),
    ],
)
def test_the_prefix_of_a_subgroup(subgroup: dict[str, Any], name: str) -> None:
    class Outer(PVGroup):
        sub = SubGroup(Inner, **subgroup)

    assert list(Outer("T:", macros={"m": "MM"}).pvdb) == [name]


@pytest.mark.parametrize(
    ("subgroup", "name"),
    [({}, "T:sub-a"), ({"attr_separator": "__"}, "T:sub__a"), ({"prefix": "P"}, "T:Pa")],
)
def test_the_class_may_name_the_separator(subgroup: dict[str, Any], name: str) -> None:
    class Outer(PVGroup):
        sub = SubGroup(Dashed, **subgroup)

    assert list(Outer("T:").pvdb) == [name]


def test_the_separator_of_the_outer_group_says_nothing_of_the_inner() -> None:
    class Outer(PVGroup):
        attr_separator = "-"
        sub = SubGroup(Inner)

    assert list(Outer("T:").pvdb) == ["T:sub:a"]


def test_macros_reach_names_and_all_subgroups_and_those_of_a_subgroup_stay_in_it() -> None:
    class Leaf(PVGroup):
        x = pvproperty(value=1, name="{beam}_{axis}")

    class Middle(PVGroup):
        leaf = SubGroup(Leaf, macros={"axis": "Y"})
        own = pvproperty(value=1, name="{axis}")

    class Outer(PVGroup):
        middle = SubGroup(Middle, prefix="{beam}:")
        own = pvproperty(value=1, name="{beam}")

    group = Outer("{beam}/", macros={"beam": "B7", "axis": "X"})
    assert list(group.pvdb) == ["B7/B7:leaf:B7_Y", "B7/B7:X", "B7/B7"]
    assert group.macros == {"beam": "B7", "axis": "X"}


def test_braces_that_are_meant_survive_any_depth() -> None:
    class Leaf(PVGroup):
        x = pvproperty(value=1, name="{{Ax:{axis}}}Pos")

    class Middle(PVGroup):
        leaf = SubGroup(Leaf, prefix="{{Leaf}}")

    class Outer(PVGroup):
        middle = SubGroup(Middle)
        own = pvproperty(value=1)

    group = Outer("XF:{{Zeb:3}}", macros={"axis": "Y"})
    assert list(group.pvdb) == ["XF:{Zeb:3}middle:{Leaf}{Ax:Y}Pos", "XF:{Zeb:3}own"]


def test_a_macro_may_hold_braces() -> None:
    class Outer(PVGroup):
        sub = SubGroup(Inner, prefix="{m}")

    assert list(Outer("", macros={"m": "{x}"}).pvdb) == ["{x}a"]


@pytest.mark.parametrize("text", ["{nowhere}", "{", "}", "{}", "a{0}b", "{m", "{m.x}", "{m[x]}"])
def test_a_macro_without_value_and_a_lone_brace_are_named(text: str) -> None:
    with pytest.raises(DefinitionError) as wrong:
        expand_macros(text, {"m": "M"})
    assert repr(text) in str(wrong.value)
    with pytest.raises(DefinitionError):
        Inner(text, macros={"m": "M"})


def test_a_missing_macro_is_named_with_where_it_is_missing() -> None:
    class Group(PVGroup):
        x = pvproperty(value=1, name="{axis}")

    with pytest.raises(DefinitionError, match=r"'\{axis\}': macro 'axis' has no value"):
        Group("T:")


def test_two_pvs_of_one_name_are_refused() -> None:
    class Twice(PVGroup):
        one = pvproperty(value=1, name="same")
        two = pvproperty(value=2, name="same")

    with pytest.raises(DefinitionError, match=r"Twice\.two: there is a PV T:same already"):
        Twice("T:")

    class Nested(PVGroup):
        sub = SubGroup(Inner, prefix="")
        other = pvproperty(value=1, name="a")

    with pytest.raises(DefinitionError, match=r"Nested\.other: there is a PV T:a already"):
        Nested("T:")


def test_pvs_come_in_the_order_of_their_definition_subgroups_in_place() -> None:
    class Group(PVGroup):
        z = pvproperty(value=1)
        sub = SubGroup(Inner)
        a = pvproperty(value=1)

    group = Group("T:")
    assert list(group.pvdb) == ["T:z", "T:sub:a", "T:a"]
    assert list(group.attr_pvdb) == ["z", "sub.a", "a"]


def test_attributes_with_an_underscore_are_private() -> None:
    class Group(PVGroup):
        _hidden = pvproperty(value=1)
        seen = pvproperty(value=1)

    assert list(Group("T:").pvdb) == ["T:seen"]
