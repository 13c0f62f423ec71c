"""Prefixes that people type: braces are those of the PV names, unless they name a macro."""

import pytest

from ioc_ops.group import PVGroup, SubGroup, pvproperty
from ioc_ops.group.macros import Expanded, expand_known_macros
from ioc_ops.server import ioc_arg_parser


class Inner(PVGroup):
    x = pvproperty(value=1, name="{axis}Pos")


class Outer(PVGroup):
    inner = SubGroup(Inner)
    own = pvproperty(value=1)


@pytest.mark.parametrize(
    ("typed", "expanded"),
    [
        ("sim:", "sim:"),
        ("", ""),
        ("XF:{Zeb:3}", "XF:{Zeb:3}"),
        ("XF:{{Zeb:3}}", "XF:{Zeb:3}"),
        ("{axis}:", "X:"),
        ("XF:{Det:{axis}}", "XF:{Det:X}"),
        ("XF:{{Det:{axis}}}", "XF:{Det:X}"),
        ("XF:{{{{Zeb:3}}}}", "XF:{{Zeb:3}}"),
        ("{", "{"),
        ("a}b{c", "a}b{c"),
        ("{}", "{}"),
        ("{0}{axis.x}{axis!r}", "{0}{axis.x}{axis!r}"),
    ],
)
def test_what_was_typed(typed: str, expanded: str) -> None:
    assert expand_known_macros(typed, {"axis": "X"}) == expanded
    ioc_options, run_options = ioc_arg_parser(
        desc="", default_prefix="d:", macros={"axis": "X"}, argv=["--prefix", typed]
    )
    assert ioc_options["prefix"] == expanded
    assert list(Outer(**ioc_options).pvdb) == [f"{expanded}inner:XPos", f"{expanded}own"]
    assert run_options["name"] == (typed.rstrip(":.-_") or None)


def test_a_macro_from_the_command_line_reaches_the_prefix() -> None:
    argv = ["--prefix", "{axis}:", "--axis", "{Y}"]
    ioc_options, _ = ioc_arg_parser(desc="", default_prefix="", macros={"axis": "X"}, argv=argv)
    assert list(Outer(**ioc_options).pvdb) == ["{Y}:inner:{Y}Pos", "{Y}:own"]


def test_a_default_prefix_is_code_and_strict() -> None:
    ioc_options, _ = ioc_arg_parser(desc="", default_prefix="{{A}}:{axis}", argv=[])
    assert ioc_options["prefix"] == "{{A}}:{axis}"
    assert not isinstance(ioc_options["prefix"], Expanded)
    assert list(Inner(ioc_options["prefix"], macros={"axis": "Z"}).pvdb) == ["{A}:ZZPos"]
