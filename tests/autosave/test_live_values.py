"""Saved values as the types of live PVs, and what Channel Access is given of them."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.autosave.compare import Tolerance
from ioc_ops.autosave.live.values import (
    LivePV,
    agree,
    alike,
    exact,
    fit,
    is_exact,
    put_of,
    value_of,
)
from ioc_ops.autosave.values import EnumValue, UntypedValue, Value
from ioc_ops.channel import ChannelType
from ioc_ops.errors import AutosaveError

DOUBLE, FLOAT, LONG = (LivePV(t) for t in (ChannelType.DOUBLE, ChannelType.FLOAT, ChannelType.LONG))
DOUBLES = LivePV(ChannelType.DOUBLE, 10)
STRING, STRINGS = LivePV(ChannelType.STRING), LivePV(ChannelType.STRING, 10)
CHAR, CHARS = LivePV(ChannelType.CHAR), LivePV(ChannelType.CHAR, 10)
MODE = LivePV(ChannelType.ENUM, states=("Off", "On"))


@pytest.mark.parametrize(
    ("saved", "pv", "fitted"),
    [
        (UntypedValue("1.5"), DOUBLE, 1.5),
        (UntypedValue("1e+14"), DOUBLE, 1e14),
        (UntypedValue(str(2**62 + 1)), DOUBLE, 2**62 + 1),
        (2**62, DOUBLE, float(2**62)),
        (UntypedValue("On"), MODE, EnumValue(1, "On")),
        (UntypedValue("1"), MODE, EnumValue(1, "On")),
        (EnumValue(0, "On"), MODE, EnumValue(1, "On")),
        ("Off", MODE, EnumValue(0, "Off")),
        (5, MODE, EnumValue(5, "")),  # a state without a name; the IOC knows whether there is one
        (EnumValue(5, ""), MODE, EnumValue(5, "")),
        (UntypedValue("-56"), CHAR, 200),
        (b"a", CHAR, 97),
        ("ä", CHARS, b"\xc3\xa4"),
        (UntypedValue(("104", "-1")), CHARS, b"h\xff"),
        (UntypedValue(("a", "b c")), STRINGS, ["a", "b c"]),
        (UntypedValue("12"), STRING, "12"),
    ],
)
def test_saved_values_take_the_type_of_the_pv(saved: Value, pv: LivePV, fitted: Value) -> None:
    assert fit(saved, pv) == fitted
    assert type(fit(saved, pv)) is type(fitted)


@pytest.mark.parametrize(
    ("saved", "pv", "message"),
    [
        (UntypedValue("x"), DOUBLE, "'x' is no number"),
        (1.5, LONG, "1.5 would come back as 1"),
        (2**31, LONG, "outside the range of LONG"),
        (2**64, LONG, "outside the range of LONG"),
        (EnumValue(7, "Wild"), MODE, "is none of Off, On"),
        (-1, MODE, "-1"),
        (EnumValue(1, "On"), DOUBLE, "the PV is a DOUBLE now"),
        ([1.0] * 11, DOUBLES, "11 elements are more than"),
        ("x" * 11, CHARS, "11 bytes are more than"),
        (300, CHAR, "300 is no character"),
        (1.5, STRING, "no text"),
    ],
)
def test_what_does_not_fit_is_told(saved: Any, pv: LivePV, message: str) -> None:
    with pytest.raises(AutosaveError, match=message) as raised:
        fit(saved, pv)
    assert not str(raised.value).startswith(":")


def test_what_channel_access_is_given() -> None:
    assert put_of(2**62 + 1, DOUBLE).data_type == ChannelType.STRING
    assert put_of(EnumValue(1, "On"), MODE).payload == 1
    short, long = put_of("x" * 39, STRING), put_of("x" * 40, STRING)
    assert (short.long, short.payload) == (False, b"x" * 39)
    assert (long.long, bytes(long.payload)) == (True, b"x" * 40 + b"\0")  # type: ignore[arg-type]
    with pytest.raises(AutosaveError, match="element 1 has 40 bytes"):
        put_of(["x", "ä" * 20], STRINGS)
    assert put_of(b"", CHARS).payload.size == 0  # type: ignore[union-attr]


@given(st.floats(), st.sampled_from([DOUBLE, DOUBLES]))
def test_doubles_go_and_come_exactly(number: float, pv: LivePV) -> None:
    saved: Value = number if pv is DOUBLE else [number]
    payload = put_of(fit(saved, pv), pv).payload
    live = value_of(payload, pv)
    assert agree(saved, live, pv, Tolerance())
    assert np.asarray(live).tobytes() == np.asarray(saved).tobytes()


@given(st.integers(-(2**63), 2**63 - 1))
def test_64_bit_integers_go_as_numbers_or_as_text(number: int) -> None:
    for saved in (number, UntypedValue(str(number))):
        put = put_of(fit(saved, DOUBLE), DOUBLE)
        if put.data_type == ChannelType.STRING:
            assert put.payload == str(number).encode()
        else:
            assert value_of(put.payload, DOUBLE) == number
        # As it is read: a DOUBLE, and text where that may not be all.
        live: Value = float(number)
        if not is_exact(live, saved):
            live = exact(float(number), str(number))
        assert agree(saved, live, DOUBLE, Tolerance())


@given(st.text(max_size=9), st.binary(max_size=10))
def test_characters_go_and_come(text: str, raw: bytes) -> None:
    if len(text.encode()) <= 10 and "\0" not in text:
        live = value_of(put_of(fit(text, CHARS), CHARS).payload, CHARS)
        assert agree(text, live, CHARS)
        assert agree(text, text.encode() + b"\0junk", CHARS)
        assert alike(live, text) == text
    live = value_of(put_of(fit(raw, CHARS), CHARS).payload, CHARS)
    assert live == raw


def test_arrays_of_states_are_numbers() -> None:
    pv = LivePV(ChannelType.ENUM, 3)
    put = put_of(fit(UntypedValue(("2", "1")), pv), pv)
    assert put.data_type == ChannelType.ENUM
    assert agree(UntypedValue(("2", "1")), value_of(put.payload, pv), pv)


def test_a_text_in_another_encoding_survives() -> None:
    live = value_of(b"\xe4\xff", STRING)
    assert put_of(fit(live, STRING), STRING).payload == b"\xe4\xff"


@pytest.mark.parametrize(
    ("live", "text", "number"),
    [
        (2.0**62, str(2**62 + 1), 2**62 + 1),
        (2.0**62, "4.6e18", 2.0**62),  # a DOUBLE with a precision
        (2.0**62, "17", 2.0**62),  # has changed meanwhile
        (1e300, "1e+300", 1e300),
    ],
)
def test_an_integer_is_believed_if_it_agrees(live: float, text: str, number: float) -> None:
    assert exact(live, text) == number
    assert type(exact(live, text)) is type(number)


def test_tolerances_of_asverify() -> None:
    assert agree(1.0, 1.0 + 0.9e-8, DOUBLE)
    assert not agree(1.0, 1.0 + 1.1e-8, DOUBLE)
    assert agree(0.1, float(np.float32(0.1)), FLOAT, Tolerance())
    assert agree(1.0, 1.0 + 0.9e-6, FLOAT)
    assert not agree(1.0, 1.0 + 1.2e-6, FLOAT)
    assert agree(math.nan, math.nan, DOUBLE)
    assert not agree(math.nan, 1.0, DOUBLE, Tolerance(math.inf))
    assert not agree(EnumValue(1, "Wild"), EnumValue(1, "On"), MODE)
    assert agree([1.0, 2.0], np.array([1.0, 2.0 + 1e-9]), DOUBLES)
    assert not agree([1.0], np.array([1.0, 2.0]), DOUBLES)


scalars = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=50),
    st.binary(max_size=5),
    st.builds(EnumValue, st.integers(-1, 70000), st.text(max_size=3)),
)
values = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.builds(UntypedValue, st.text(max_size=50)),
    st.builds(UntypedValue, st.lists(st.text(max_size=5), max_size=3).map(tuple)),
    st.sampled_from(["i8", "f8", "u1", "S3", "U3", "?"]).map(lambda kind: np.zeros(3, kind)),
    st.just(np.zeros((2, 2))),
    st.just(10**400),
)
pvs = st.builds(
    LivePV,
    st.sampled_from([t for t in ChannelType if t <= ChannelType.DOUBLE]),
    st.sampled_from([1, 3]),
    st.sampled_from([(), ("Off", "On"), ("x" * 40,), tuple("abcdefghijklmnopqr"), ("", "")]),
)


@given(values, pvs)
def test_whatever_is_in_the_file_either_goes_or_is_told(saved: Any, pv: LivePV) -> None:
    try:
        put = put_of(fit(saved, pv), pv)
    except AutosaveError:
        assert not agree(saved, 0, pv)
        return
    assert np.size(put.payload) <= max(pv.length, 1) or put.long
    if put.data_type == pv.data_type:
        assert agree(saved, value_of(put.payload, pv), pv)
