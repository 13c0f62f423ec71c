"""Channel names taken apart; what EPICS Base makes of the same names is in the tests beside it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc_ops.ca import ChannelName, FilterCall, JsonMap, name_ends, parse_json5, parse_name
from ioc_ops.errors import ConversionError

fuzzing = settings(max_examples=300, deadline=None, derandomize=True, database=None)


def arr(**options: int) -> FilterCall:
    return FilterCall("arr", JsonMap(tuple(options.items())))


def call(name: str, **options: Any) -> FilterCall:
    return FilterCall(name, JsonMap(tuple(options.items())))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("pv", ChannelName("pv")),
        ("pv.", ChannelName("pv")),
        ("pv.EGU", ChannelName("pv", "EGU")),
        ("pv.EGU$", ChannelName("pv", "EGU", True)),
        ("pv.$", ChannelName("pv", "", True)),
        ("pv$", ChannelName("pv", "", True)),
        ("pv.[3]", ChannelName("pv", "", False, (arr(s=3, e=3),))),
        ("pv.VAL[1:5]", ChannelName("pv", "VAL", False, (arr(s=1, e=5),))),
        ("pv.[1:2:5]", ChannelName("pv", "", False, (arr(s=1, i=2, e=5),))),
        ("pv.[:-2]", ChannelName("pv", "", False, (arr(e=-2),))),
        ("pv.[0x10:010]", ChannelName("pv", "", False, (arr(s=16, e=8),))),
        ("pv.DESC$[:4]", ChannelName("pv", "DESC", True, (arr(e=4),))),
        ("pv.{}", ChannelName("pv")),
        (
            'pv.$[1]{"dec":{"n":2},ts:{}}',
            ChannelName("pv", "", True, (arr(s=1, e=1), call("dec", n=2), call("ts"))),
        ),
        (
            "pv.{dec:{n:2},dec:{n:3}}",
            ChannelName("pv", "", False, (call("dec", n=2), call("dec", n=3))),
        ),
        ("XF:1{Mtr:2}Pos.RBV", ChannelName("XF:1{Mtr:2}Pos", "RBV")),
    ],
)
def test_the_parts_of_a_name(name: str, parts: ChannelName) -> None:
    assert parse_name(name) == parts


@pytest.mark.parametrize(
    ("pv", "rest", "filters"),
    [
        ("motor.RBV", "{dec:{n:2}}", (call("dec", n=2),)),
        ("motor.RBV", ".{dec:{n:2}}", (call("dec", n=2),)),
        ("a.b", "[1]", (arr(s=1, e=1),)),
    ],
)
def test_a_pv_with_a_dot_in_its_name_is_filtered_as_a_field_is(
    pv: str, rest: str, filters: tuple[FilterCall, ...]
) -> None:
    assert parse_name(pv + rest, len(pv)) == ChannelName(pv, "", False, filters)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".VAL",
        "pv.VAL.EGU",
        "pv.1",
        "pv.VAL{",
        "pv.[]",
        "pv.[1]$",
        "pv.[1,2]",
        "pv.[5000000000]",
        "pv." + "[" * 50,
        "pv.{" + "a:{" * 50 + "}" * 51,
        "pv.{a:[" + "[" * 50 + "]" * 51 + "}",
        "pv.{a:" + "9" * 30 + "}",
        "p" * 1501,
    ],
)
def test_what_means_nothing_is_refused(name: str) -> None:
    with pytest.raises(ConversionError):
        parse_name(name)


@pytest.mark.parametrize("rest", ["{}", "[1]", "$[1]", "$.VAL", "$$"])
def test_behind_a_pv_without_a_dot_there_is_no_modifier_but_one(rest: str) -> None:
    with pytest.raises(ConversionError):
        parse_name("pv" + rest, 2)


def test_pvs_are_looked_for_by_their_longest_names_first() -> None:
    name = "a.b{c}.d$"
    assert [name[:end] for end in name_ends(name)] == ["a.b{c}.d", "a.b{c}", "a.b", "a"]
    assert name_ends("plain:name") == []
    assert name_ends("." * 5000) == []
    assert name_ends("a.b" * 400) == []


pieces = st.sampled_from(
    [
        *"ab.$[]{}:,'\"\\/*-+019 \n\x00eEx",
        "arr",
        "0x",
        "true",
        "Infinity",
        "NaN",
        "\\u0041",
        "é",
        "{}",
    ]
)


@fuzzing
@given(st.one_of(st.lists(pieces, max_size=30).map("".join), st.text(max_size=40)))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    for end in [None, *name_ends(text)]:
        for name in (text, "pv.{" + text, "pv." + text):
            try:
                parts = parse_name(name, end if name == text else None)
            except ConversionError:
                continue
            assert name.startswith(parts.pv)


indices = st.none() | st.integers(-(2**31) + 1, 2**31 - 1)


@fuzzing
@given(indices, indices, indices)
def test_any_range_of_elements_is_read(
    start: int | None, step: int | None, end: int | None
) -> None:
    written = ["" if part is None else str(part) for part in (start, step, end)]
    given = {k: v for k, v in (("s", start), ("i", step), ("e", end)) if v is not None}
    assert parse_name(f"pv.[{':'.join(written)}]").filters == (arr(**given),)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)
)
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab$ '\"\\", max_size=3), inner)
    ),
    max_leaves=8,
)


def as_maps(tree: Any) -> Any:
    if isinstance(tree, dict):
        return JsonMap(tuple((key, as_maps(value)) for key, value in tree.items()))
    return [as_maps(item) for item in tree] if isinstance(tree, list) else tree


@fuzzing
@given(st.dictionaries(st.text(max_size=3), trees, max_size=4), st.booleans())
def test_json_is_read_as_it_was_written(tree: dict[str, Any], escaped: bool) -> None:
    assert parse_json5(json.dumps(tree, ensure_ascii=escaped)) == as_maps(tree)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it\\'s'", "it's"),
        ("'\\x41\\u00e9\\ud83d\\ude00'", "Aé😀"),
        ("'a\\\nb\\\r\nc'", "abc"),
        ("'\\0\\v\\q'", "\0\vq"),
        ("'\\ud800'", "?"),
        ("+1", 1),
        ("-0x1F", -31),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-Infinity", float("-inf")),
        ("[1,[],]", [1, []]),
        ("/* a */ 1 // b\n", 1),
        ("{a:1,a:2,}", JsonMap((("a", 1), ("a", 2)))),
    ],
)
def test_json5_beyond_json(text: str, value: Any) -> None:
    assert parse_json5(f"{{$key_1 : {text}}}") == JsonMap((("$key_1", value),))
