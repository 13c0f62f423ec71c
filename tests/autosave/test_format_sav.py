"""`.sav` files of synApps: theirs are read, ours are read by the rules of R6-0."""

import ctypes
import os
from datetime import datetime
from pathlib import Path

import epicscorelibs.path
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.autosave.compare import equal
from ioc_ops.autosave.formats import dumps_sav, loads_sav
from ioc_ops.autosave.formats.escapes import escape, escape_element, unescape
from ioc_ops.autosave.snapshot import CarriedValue, Snapshot
from ioc_ops.autosave.values import EnumValue, UntypedValue
from ioc_ops.errors import AutosaveError

GOLDEN = (Path(__file__).parent / "data" / "golden_R6-0.sav").read_bytes()
END = b"<END>\n"
HEAD = b"# autosave R5.3\tAutomatically generated - DO NOT MODIFY - 260301-120000\n"

libcom = ctypes.CDLL(os.path.join(epicscorelibs.path.lib_path, "libCom.so"))


def base_unescape(data: bytes) -> bytes:
    """What EPICS Base makes of escaped text."""
    out = ctypes.create_string_buffer(len(data) + 1)
    size = ctypes.c_size_t(len(data) + 1)
    length = libcom.epicsStrnRawFromEscaped(out, size, data, size)
    return out.raw[:length]


def base_escape(data: bytes) -> bytes:
    """How EPICS Base escapes a text."""
    room = 4 * len(data) + 1
    out = ctypes.create_string_buffer(room)
    length = libcom.epicsStrnEscapedFromRaw(
        out, ctypes.c_size_t(room), data, ctypes.c_size_t(len(data))
    )
    return out.raw[:length]


def text_of(snapshot: Snapshot) -> dict[str, object]:
    assert all(isinstance(value, UntypedValue) for value in snapshot.values.values())
    return {name: getattr(value, "text", None) for name, value in snapshot.values.items()}


def test_the_file_of_the_real_autosave() -> None:
    snapshot = loads_sav(GOLDEN)
    assert text_of(snapshot) == {
        "T:ao": "12.5",
        "T:ao.DESC": "a \"q\" 'x' \\ tab",
        "T:ao.SCAN": "0",
        "T:ao2": "3.1415926535898",
        "T:i64": "1e+14",
        "T:lo": "-5",
        "T:mbbo": "1",
        "T:str": "  a\tb\n\u00e9 z  ",
        "T:empty": "",
        "T:wfd": ("1", "0.1", "1e+300"),
        "T:wfc": ("104", "101", "108", "108", "111", "32", "34", "119", "34", "0", "-56"),
        "T:wfs": ("a b", 'q"q', "{x}", "back\\sl", "nl\nx"),
        "T:wfi64": (),
        "T:lso": "y",
        "T:calc.CALC": "A+1",
        "_T:us": "7",
        "T:lo.HIHI": "0",
    }
    assert snapshot.unreadable == {
        "i_dont_exist": "line 19: not connected when it was saved (Search Issued)"
    }
    assert snapshot.saved_at == datetime(2026, 11, 22, 12, 40, 42).timestamp()


def test_every_cut_of_it_is_found() -> None:
    """All but the last byte, which R6-0 lets be missing too."""
    for length in range(len(GOLDEN) - 1):
        if length < len(HEAD) - 1:
            continue  # without its version a file is taken as it is, as by R6-0
        with pytest.raises(AutosaveError, match="line"):
            loads_sav(GOLDEN[:length])


@given(st.binary(max_size=60).filter(lambda data: 0 not in data))
def test_unescaping_agrees_with_epics_base(data: bytes) -> None:
    assert unescape(data) == base_unescape(data)


@given(st.lists(st.sampled_from([b"\\", b"x", b"0", b"4", b"a", b"G", b'"'])).map(b"".join))
def test_unescaping_of_odd_escapes_agrees_with_epics_base(data: bytes) -> None:
    assert unescape(data) == base_unescape(data)


@given(st.binary(max_size=60))
def test_escapes_come_back_here_and_in_epics_base(raw: bytes) -> None:
    assert unescape(escape(raw)) == raw
    assert base_unescape(escape(raw)) == raw
    assert unescape(base_escape(raw)) == raw
    assert b"\n" not in escape(raw)


def r6_element(element: bytes) -> bytes:
    """An element as R6-0 reads it: escaped quotes and backslashes first, then once more all."""
    first, rest = b"", element
    while rest:
        if rest[:2] in (b'\\"', b"\\\\"):
            rest = rest[1:]
        first, rest = first + rest[:1], rest[1:]
    return base_unescape(first)


@given(st.binary(max_size=60))
def test_array_elements_survive_the_double_unescaping_of_r6_0(raw: bytes) -> None:
    assert unescape(escape_element(raw)) == raw
    assert r6_element(escape_element(raw)) == raw


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9:_\-]{0,30}(\.[A-Z]{1,4})?", fullmatch=True).filter(
    lambda name: not name.endswith(".VAL")
)
texts = st.text(st.characters(codec="utf-8"), max_size=60)
scalars = (
    st.integers(-(2**70), 2**70)
    | st.floats()
    | st.booleans()
    | texts
    | st.builds(EnumValue, st.integers(0, 15), texts)
)
values = (
    scalars
    | st.binary(max_size=300)
    | st.lists(st.floats() | st.integers(), max_size=60)
    | st.lists(texts, max_size=10)
    | st.lists(st.floats(), max_size=60).map(np.array)
)


@given(st.dictionaries(names, values, max_size=8))
def test_what_was_written_is_read(content: dict[str, object]) -> None:
    written = dumps_sav(Snapshot(content, saved_at=1_772_366_400.0))  # type: ignore[arg-type]
    back = loads_sav(written.content)
    assert not written.lost
    assert not back.unreadable
    assert back.values.keys() == content.keys()
    assert back.saved_at == 1_772_366_400.0
    for name, value in content.items():
        assert equal(value, back.values[name]), name  # type: ignore[arg-type]


@given(st.dictionaries(names, values, max_size=8))
def test_no_line_is_longer_than_r6_0_reads(content: dict[str, object]) -> None:
    """Unless it is a long string, of which R6-0 knows by the `$`, or one element of an array."""
    written = dumps_sav(Snapshot(content))  # type: ignore[arg-type]
    for line in written.content.splitlines():
        if len(line) > 198:
            assert b"$ " in line or (line.startswith(b'"') and line.count(b'"') >= 2)


def test_the_file_in_full() -> None:
    snapshot = Snapshot(
        {
            "x:b": True,
            "x:pi": 3.141592653589793,
            "x:big": 2**53 + 1,
            "x:mode": EnumValue(2, "Run"),
            "x:text": " \u00e9\n",
            "x:raw": b"a\xff",
            "x:one": [1.5],
            "x:none": [],
            "x:long": "l" * 40,
            "x:long.INP": "l" * 40,
            "x:strange": "@array@ { }",
        },
        carried={"x:gone": CarriedValue(7, 0)},
        unreadable={"x:lost": "line 3: odd"},
        saved_at=datetime(2026, 3, 1, 12).timestamp(),
    )
    assert dumps_sav(snapshot).content.splitlines() == [
        HEAD.rstrip(b"\n"),
        b"! 1 channel(s) not connected - or not all gets were successful",
        b"x:b 1",
        b"x:big 9007199254740993",
        b"x:gone 7",
        b"x:long.VAL$ " + b"l" * 40,
        b"x:long.INP$ " + b"l" * 40,
        b"x:mode 2",
        b"x:none @array@ { }",
        b'x:one @array@ { "1.5" }',
        b"x:pi 3.141592653589793",
        b'x:raw @array@ { "97" "255" }',
        b"x:strange \\x40array@ { }",
        b"x:text  \\xc3\\xa9\\n",
        b"#x:lost line 3: odd",
        b"<END>",
    ]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("a b", 1, "name"),
        ("", 1, "name"),
        ("#a", 1, "name"),
        ("!a", 1, "name"),
        ("<a", 1, "name"),
        ("a\n", 1, "name"),
        ("a", 10**5000, "too long"),
        ("a", np.array([1.5], np.longdouble), "type longdouble"),
    ],
    ids=range(8),
)
def test_what_cannot_be_written_is_reported(name: str, value: object, reason: str) -> None:
    written = dumps_sav(Snapshot({name: value, "ok": 1}))  # type: ignore[dict-item]
    assert set(written.lost) == {name}
    assert reason in written.lost[name]
    assert text_of(loads_sav(written.content)) == {"ok": "1"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_a", 1),
        ("a", -5e-324),
        ("a" * 64, 1),
        ("a", "x" * 200),
        ("a", ["x" * 40]),
        ("a", "x\0y"),
        ("a", np.zeros((2, 2))),
    ],
)
def test_what_r6_0_would_read_otherwise_is_reported(name: str, value: object) -> None:
    written = dumps_sav(Snapshot({name: value}))  # type: ignore[dict-item]
    assert set(written.inexact) == {name}
    assert set(loads_sav(written.content).values) == {name}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (HEAD + b"a 1\nb 2\n", "line 3: the file is cut off"),
        (HEAD + b"a 1\n\0\0\0\n" + END, "line 3: a zero byte"),
        (HEAD + b'a 1\nb @array@ { "1" \n"2\n' + END, "line 4: an element"),
        (HEAD + b'a 1\nb @array@ { "1" "2" \n' + END, "line 3: the array has no end"),
        (HEAD + b"a @array@ 1\n" + END, "line 2: an array without"),
    ],
)
def test_damage_is_found_with_its_line(data: bytes, message: str) -> None:
    with pytest.raises(AutosaveError, match=message):
        loads_sav(data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (HEAD + b"a 1\r\nb 2\r\n<END>\r\n", {"a": "1", "b": "2"}),
        (b"a 1\n\n  b\t2\nc", {"a": "1", "b": "2", "c": ""}),
        (b"# save/restore V1.7\na 1\n", {"a": "1"}),
        (HEAD + b"a 1\n<END>\n<END>\n", {"a": "1"}),
        (HEAD + b"a 1\na.VAL 2\n" + END, {"a": "2"}),
        (HEAD + b'# x @array@ { "1" }\n#\n##x 2\na 1\n' + END, {"a": "1"}),
        (HEAD + b'a @array@ { "1"\n "2\n3" }\nb 1\n' + END, {"a": ("1", "23"), "b": "1"}),
        (HEAD + b'a @array@ { "}" "{" "\\"" } rest\nb 1\n' + END, {"a": ("}", "{", '"'), "b": "1"}),
    ],
)
def test_odd_but_good_files(data: bytes, expected: dict[str, object]) -> None:
    snapshot = loads_sav(data)
    assert text_of(snapshot) == expected
    assert not snapshot.unreadable


def test_an_array_behind_a_comment_sign_is_passed_over() -> None:
    snapshot = loads_sav(HEAD + b'#x @array@ {\n"1"\n"2" }\na 1\n' + END)
    assert text_of(snapshot) == {"a": "1"}
    assert snapshot.unreadable == {"x": "line 2: not connected when it was saved (an array)"}


def test_a_line_that_is_no_pv_is_reported_with_its_number() -> None:
    snapshot = loads_sav(HEAD + b'a @array@ { "1"\n }\n%odd 1\nb 2\n' + END)
    assert set(snapshot.values) == {"a", "b"}
    assert snapshot.unreadable == {"line 4": "'%odd' is no name of a PV"}


@given(st.binary(), st.booleans())
def test_any_bytes_are_a_snapshot_or_one_error(data: bytes, with_head: bool) -> None:
    try:
        snapshot = loads_sav(HEAD + data + END if with_head else data)
    except AutosaveError:
        return
    dumps_sav(snapshot)


pieces = st.sampled_from([b"a", b" ", b"\n", b"@array@ ", b"{", b"}", b'"', b"\\", b"#", b"1", END])


@given(st.lists(pieces, max_size=40).map(b"".join))
def test_any_mixture_of_its_signs_too(data: bytes) -> None:
    try:
        snapshot = loads_sav(HEAD + data + END)
    except AutosaveError:
        return
    again = loads_sav(dumps_sav(snapshot).content)
    assert again.values == snapshot.values
