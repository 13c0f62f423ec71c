"""Scalar numbers: what they take, keep and show, and what they refuse."""

import asyncio
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pv_feed import received, sent

from ioc_ops.channel import (
    ChannelDouble,
    ChannelFloat,
    ChannelInteger,
    ChannelNumeric,
    ChannelShort,
    ChannelType,
)
from ioc_ops.channel.convert import format_number, parse_number
from ioc_ops.errors import ConversionError, LimitError


@pytest.mark.parametrize(
    ("cls", "native", "value", "wire"),
    [
        (ChannelInteger, ChannelType.LONG, -123456, ">i"),
        (ChannelShort, ChannelType.INT, -1234, ">h"),
        (ChannelDouble, ChannelType.DOUBLE, 1.1, ">d"),
        (ChannelFloat, ChannelType.FLOAT, 0.5, ">f"),
    ],
)
def test_scalar_is_kept_and_sent_in_its_own_type(
    cls: type[ChannelNumeric], native: ChannelType, value: float, wire: str
) -> None:
    pv = cls(value, name="x")
    assert pv.value == value
    assert type(pv.value) is type(value)
    assert (pv.data_type, pv.max_length, pv.length, pv.is_array) == (native, 1, 1, False)
    payload, count = pv.payload(native, 0)
    packed = struct.pack(wire, value)
    assert payload == packed + bytes(-len(packed) % 8)
    assert count == 1


@given(st.floats())
def test_every_double_reaches_a_client_bit_by_bit(value: float) -> None:
    pv = ChannelDouble(0.0, name="x")
    asyncio.run(pv.write(value))
    assert struct.pack(">d", value) == pv.payload(ChannelType.DOUBLE, 1)[0]
    stored = pv.decode(*sent(ChannelType.DOUBLE, value))
    assert struct.pack(">d", stored) == struct.pack(">d", value)


@pytest.mark.parametrize(
    ("cls", "low", "high"),
    [(ChannelInteger, -(2**31), 2**31 - 1), (ChannelShort, -(2**15), 2**15 - 1)],
)
def test_integers_end_where_their_type_ends(cls: type[ChannelNumeric], low: int, high: int) -> None:
    for inside in (low, high):
        pv = cls(inside, name="x")
        assert pv.value == inside
        assert received(pv, pv.data_type) == [inside]
    for outside in (low - 1, high + 1):
        with pytest.raises(ConversionError, match=rf"x: {outside} is outside the range"):
            cls(outside, name="x")


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [(5.7, 5), (-5.7, -5), (True, 1), (np.int64(7), 7), (np.float32(2.5), 2), ([9], 9)],
)
def test_integer_pv_keeps_integers(given_value: Any, kept: int) -> None:
    pv = ChannelInteger(0, name="x")
    asyncio.run(pv.write(given_value))
    assert pv.value == kept
    assert type(pv.value) is int
    assert received(pv, ChannelType.LONG) == [kept]


@pytest.mark.parametrize("value", ["abc", "5", b"5", None, math.nan, math.inf, [], [1, 2], 1j])
def test_integer_pv_refuses_what_is_no_integer_and_stays_as_it_was(value: Any) -> None:
    pv = ChannelInteger(3, name="x")
    before = pv.time_ns
    with pytest.raises(ConversionError, match=r"^x: "):
        asyncio.run(pv.write(value))
    assert (pv.value, pv.time_ns) == (3, before)


@pytest.mark.parametrize("value", ["abc", "5.0", b"5", None, [], [1.0, 2.0], 10**400, 1j])
def test_double_pv_refuses_what_is_no_number(value: Any) -> None:
    pv = ChannelDouble(3.0, name="x")
    with pytest.raises(ConversionError, match=r"^x: "):
        asyncio.run(pv.write(value))
    assert pv.value == 3.0


def test_float_pv_keeps_what_32_bits_hold() -> None:
    pv = ChannelFloat(0.1, name="x")
    assert pv.value == float(np.float32(0.1)) != 0.1
    assert received(pv, ChannelType.DOUBLE) == [pv.value]
    with pytest.raises(ConversionError, match="outside the range of FLOAT"):
        asyncio.run(pv.write(1e39))
    asyncio.run(pv.write(math.inf))
    assert pv.value == math.inf


# --- other types on the wire ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("native", "shown"),
    [
        (ChannelType.STRING, "-3.75"),
        (ChannelType.INT, -3),
        (ChannelType.FLOAT, -3.75),
        (ChannelType.ENUM, 0x10000 - 3),  # wraps, as the C casts of EPICS Base do
        (ChannelType.CHAR, 0x100 - 3),
        (ChannelType.LONG, -3),
        (ChannelType.DOUBLE, -3.75),
    ],
)
def test_double_is_shown_in_every_type(native: ChannelType, shown: Any) -> None:
    assert received(ChannelDouble(-3.75, name="x"), native) == [shown]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_zero_among_integers(value: float) -> None:
    pv = ChannelDouble(value, name="x")
    assert received(pv, ChannelType.LONG) == [0]
    assert received(pv, ChannelType.STRING) == [format_number(value, None)]


@pytest.mark.parametrize(
    ("value", "precision", "text"),
    [
        (1.5, None, "1.5"),
        (0.1, None, "0.1"),
        (1.005, 2, "1.00"),
        (2.5, 0, "3"),  # cvtDoubleToString rounds halves up
        (-0.0, 1, "0.0"),
        (123456789.0, 6, "123456789.000"),
        (1e17, 2, "1.00e+17"),
        (1.0, 9, "1.000000000e+00"),
        (math.nan, 3, "nan"),
        (-math.inf, 3, "-inf"),
        (7, 3, "7"),
    ],
)
def test_text_of_a_number(value: float, precision: int | None, text: str) -> None:
    assert format_number(value, precision) == text


@given(st.floats(), st.none() | st.integers(0, 400))
def test_text_of_a_number_always_fits_a_string(value: float, precision: int | None) -> None:
    text = format_number(value, precision)
    assert len(text) <= 39
    assert text == text.strip()
    if precision is None:
        back = parse_number(text)
        assert back == value or (math.isnan(back) and math.isnan(value))


def test_a_negative_precision_is_none_to_speak_of() -> None:
    assert format_number(1.5, -1) == "2"
    assert format_number(2e16, -1) == format_number(2e16, 0)


@given(st.integers(-(2**63), 2**63))
def test_integers_survive_their_text_exactly(value: int) -> None:
    assert parse_number(format_number(value, 3)) == value


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), (" 0x1F ", 31), ("010", 10), ("-1.5e3", -1500.0), ("inf", math.inf)],
)
def test_number_of_a_text(text: str, number: float) -> None:
    assert parse_number(text) == number


def test_a_text_that_is_no_number_is_refused_with_the_name_of_the_pv() -> None:
    with pytest.raises(ConversionError, match=r"^x: 'abc' is no number$"):
        ChannelDouble(0.0, name="x").decode(ChannelType.STRING, 1, b"abc\0")


@pytest.mark.parametrize("text", ["", "abc", "1 2", "0x", "--1"])
def test_what_is_no_number_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ConversionError, match="is no number"):
        parse_number(text)


@pytest.mark.parametrize(
    ("native", "value", "kept"),
    [
        (ChannelType.STRING, b"12", 12),
        (ChannelType.STRING, b"12.7", 12),
        (ChannelType.STRING, b"0x10", 16),
        (ChannelType.INT, -2, -2),
        (ChannelType.FLOAT, 2.5, 2),
        (ChannelType.ENUM, 3, 3),
        (ChannelType.CHAR, 200, 200),
        (ChannelType.LONG, -4, -4),
        (ChannelType.DOUBLE, -4.9, -4),
    ],
)
def test_integer_takes_every_type_from_a_client(native: ChannelType, value: Any, kept: int) -> None:
    pv = ChannelInteger(0, name="x")
    pv.assign(pv.decode(*sent(native, value)))
    assert pv.value == kept


@pytest.mark.parametrize(
    "write",
    [
        sent(ChannelType.STRING, b"abc"),
        sent(ChannelType.STRING, b""),
        sent(ChannelType.DOUBLE, 1e10),
        sent(ChannelType.DOUBLE, math.nan),
        sent(ChannelType.STRING, b"1e10"),
        (int(ChannelType.LONG), 1, b""),
        (int(ChannelType.LONG), 0, b""),
        (int(ChannelType.DOUBLE), 1, b"abcd"),
    ],
)
def test_integer_refuses_a_client_readably(write: tuple[int, int, bytes]) -> None:
    pv = ChannelInteger(7, name="x")
    with pytest.raises(ConversionError):
        pv.decode(*write)


def test_a_client_may_ask_for_more_elements_than_there_are_and_gets_zeros() -> None:
    pv = ChannelInteger(5, name="x")
    payload, count = pv.payload(ChannelType.LONG, 4)
    assert (struct.unpack(">4i", payload), count) == ((5, 0, 0, 0), 4)


# --- limits --------------------------------------------------------------------------------


def limited(**limits: float) -> ChannelDouble:
    return ChannelDouble(0.0, name="x", **limits)


@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0])
def test_control_limits_are_inclusive(value: float) -> None:
    pv = limited(lower_ctrl_limit=-1.0, upper_ctrl_limit=1.0)
    asyncio.run(pv.write(value))
    pv.assign(value)
    assert pv.value == value


@pytest.mark.parametrize("value", [-1.0001, 1.0001, math.nan, math.inf, -math.inf])
def test_beyond_the_control_limits_nothing_is_written(value: float) -> None:
    pv = limited(lower_ctrl_limit=-1.0, upper_ctrl_limit=1.0)
    for attempt in (lambda: asyncio.run(pv.write(value)), lambda: pv.assign(value)):
        with pytest.raises(LimitError, match=r"x: .* is outside the control limits -1"):
            attempt()
    assert pv.value == 0.0
    asyncio.run(pv.write(value, verify_value=False))
    assert pv.value == value or math.isnan(value)


def test_equal_control_limits_are_none() -> None:
    pv = limited(lower_ctrl_limit=5.0, upper_ctrl_limit=5.0)
    asyncio.run(pv.write(100.0))
    assert pv.value == 100.0


def test_limits_units_and_precision_reach_a_client() -> None:
    pv = ChannelDouble(
        1.0,
        units="mm",
        precision=3,
        upper_disp_limit=10,
        lower_disp_limit=-10,
        upper_alarm_limit=8,
        upper_warning_limit=6,
        lower_warning_limit=-6,
        lower_alarm_limit=-8,
        upper_ctrl_limit=9,
        lower_ctrl_limit=-9,
    )
    extras = pv.extras()
    assert (extras.units, extras.precision) == (b"mm", 3)
    assert tuple(extras.limits) == (10, -10, 8, 6, -6, -8, 9, -9)
    assert (pv.units, pv.precision, pv.upper_ctrl_limit) == ("mm", 3, 9)
    payload, _ = pv.payload(ChannelType.CTRL_DOUBLE, 1)
    _, _, precision, units, *rest = struct.unpack(">HHh2x8s8dd", payload)
    assert (precision, units.rstrip(b"\0"), rest) == (3, b"mm", [10, -10, 8, 6, -6, -8, 9, -9, 1])
