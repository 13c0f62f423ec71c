"""Arrays of numbers: lists stay lists, nobody's array leaks in, every length from none to all."""

import asyncio
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pv_feed import received, sent

from ioc_ops.channel import (
    ChannelDouble,
    ChannelFloat,
    ChannelInteger,
    ChannelNumeric,
    ChannelShort,
    ChannelType,
)
from ioc_ops.errors import ConversionError

LONG, DOUBLE = ChannelType.LONG, ChannelType.DOUBLE


def test_the_first_value_says_how_long_an_array_may_be() -> None:
    assert ChannelInteger([1, 2, 3], name="x").max_length == 3
    assert ChannelDouble(np.zeros((4, 5)), name="x").max_length == 20
    assert ChannelInteger([1, 2, 3], name="x", max_length=7).max_length == 7
    with pytest.raises(ConversionError, match="x: 0 elements do not fit a scalar"):
        ChannelInteger([], name="x")
    assert ChannelInteger([], name="x", max_length=2).value == []


def test_a_list_is_read_back_as_a_list() -> None:
    pv = ChannelInteger([1, 2, 3], name="x", max_length=5)
    assert pv.value == [1, 2, 3]
    asyncio.run(pv.write((4, 5)))
    assert pv.value == [4, 5]
    assert pv.length == 2
    assert received(pv, LONG) == [4, 5]


def test_an_array_is_read_back_as_an_array_in_native_order() -> None:
    pv = ChannelDouble(np.array([1.0, 2.0], ">f8"), name="x", max_length=5)
    assert isinstance(pv.value, np.ndarray)
    assert pv.value.dtype == np.dtype("=f8")
    assert pv.value.tolist() == [1.0, 2.0]


def test_the_writer_may_go_on_changing_its_array() -> None:
    mine = np.array([1.0, 2.0, 3.0], ">f8")
    pv = ChannelDouble(mine, name="x")
    mine[0] = 99.0
    assert received(pv, DOUBLE) == [1.0, 2.0, 3.0]
    asyncio.run(pv.write(mine))
    mine[1] = 77.0
    assert received(pv, DOUBLE) == [99.0, 2.0, 3.0]
    assert pv.value.tolist() == [99.0, 2.0, 3.0]


def test_changing_the_list_that_was_written_changes_nothing() -> None:
    mine = [1, 2, 3]
    pv = ChannelInteger(mine, name="x")
    mine[0] = 99
    assert pv.value == [1, 2, 3]


@pytest.mark.parametrize("cls", [ChannelInteger, ChannelShort, ChannelDouble, ChannelFloat])
def test_an_empty_array_is_a_value(cls: type[ChannelNumeric]) -> None:
    pv = cls([1, 2, 3], name="x")
    for empty in ([], np.zeros(0)):
        asyncio.run(pv.write(empty))
        assert pv.length == 0
        assert len(pv.value) == 0
        assert pv.payload(pv.data_type, 0)[1] == 0
        assert received(pv, pv.data_type, 2) == [0, 0]
    pv.assign(pv.decode(*sent(pv.data_type)))
    assert pv.length == 0


def test_an_array_may_hold_one_element_and_take_a_bare_number() -> None:
    pv = ChannelInteger([1, 2, 3], name="x")
    for one in ([7], 7, np.array([7]), np.int16(7)):
        asyncio.run(pv.write(one))
        assert list(pv.value) == [7]
        assert received(pv, LONG) == [7]


def test_more_elements_than_fit_are_refused_to_the_ioc_and_cut_for_a_client() -> None:
    pv = ChannelInteger([1, 2, 3], name="x")
    with pytest.raises(ConversionError, match="x: 4 elements are more than max_length=3"):
        asyncio.run(pv.write([1, 2, 3, 4]))
    assert pv.value == [1, 2, 3]
    pv.assign(pv.decode(*sent(LONG, 9, 8, 7, 6)))  # dbPut in dbAccess.c takes what fits
    assert list(pv.value) == [9, 8, 7]


@pytest.mark.parametrize(
    "value", [["a", "b"], "abc", b"abc", [[1, 2], [3]], [1, None], [1, "2"], [1j]]
)
def test_what_is_no_array_of_numbers_is_refused(value: Any) -> None:
    pv = ChannelDouble([1.0, 2.0, 3.0], name="x")
    with pytest.raises(ConversionError, match=r"^x: "):
        asyncio.run(pv.write(value))


@pytest.mark.parametrize("value", [[2**31], [math.nan], np.array([1e10]), [-(2**31) - 1]])
def test_an_integer_array_refuses_what_its_type_cannot_hold(value: Any) -> None:
    pv = ChannelInteger([1, 2, 3], name="x")
    with pytest.raises(ConversionError, match=r"^x: "):
        asyncio.run(pv.write(value))
    with pytest.raises(ConversionError):
        pv.decode(*sent(DOUBLE, *value))
    assert pv.value == [1, 2, 3]


def test_an_image_is_sent_row_by_row() -> None:
    image = np.arange(6, dtype=np.int32).reshape(2, 3)
    pv = ChannelInteger(image, name="x")
    assert received(pv, LONG) == [0, 1, 2, 3, 4, 5]


def test_a_client_sees_as_many_elements_as_it_asks_for() -> None:
    pv = ChannelInteger([1, 2, 3], name="x", max_length=8)
    assert received(pv, LONG, 0) == [1, 2, 3]
    assert received(pv, LONG, 2) == [1, 2]
    assert received(pv, LONG, 5) == [1, 2, 3, 0, 0]


@pytest.mark.parametrize("native", list(ChannelType)[:7])
def test_an_array_is_shown_in_every_type(native: ChannelType) -> None:
    pv = ChannelDouble([1.0, 2.0, 200.0], name="x")
    shown = received(pv, native)
    assert shown == (["1.0", "2.0", "200.0"] if native == ChannelType.STRING else [1, 2, 200])


@given(
    hnp.arrays(np.float64, st.integers(0, 50), elements=st.floats()),
    st.sampled_from(["<f8", ">f8"]),
)
def test_double_arrays_go_both_ways_bit_by_bit(values: Any, order: str) -> None:
    pv = ChannelDouble([0.0, 0.0], name="x", max_length=50)
    pv.restore(values.astype(order))
    payload, count = pv.payload(DOUBLE, 0)
    assert bytes(payload)[: 8 * count] == values.astype(">f8").tobytes()
    assert pv.value.tobytes() == values.tobytes()
    again = pv.decode(int(DOUBLE), count, bytes(payload))
    assert again.tobytes() == values.astype(">f8").tobytes()


@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=50))
def test_integer_lists_go_both_ways(values: list[int]) -> None:
    pv = ChannelInteger([0, 0], name="x", max_length=50)
    pv.restore(values)
    assert pv.value == values
    assert received(pv, LONG) == values
    pv.assign(pv.decode(*sent(LONG, *values)))
    assert pv.value.tolist() == values
    pv.assign(pv.decode(*sent(ChannelType.STRING, *[b"%d" % v for v in values])))
    assert pv.value.tolist() == values


def test_arrays_know_no_limits() -> None:
    pv = ChannelDouble(
        [0.0, 0.0], name="x", upper_ctrl_limit=1, upper_alarm_limit=1, lower_alarm_limit=-1
    )
    asyncio.run(pv.write([5.0, 6.0]))
    assert (pv.status, pv.severity) == (0, 0)


def test_what_the_ioc_reads_is_what_a_client_reads() -> None:
    pv = ChannelInteger([1, 2, 3], name="x")
    asyncio.run(pv.write([1.7, 2.2]))
    assert received(pv, LONG) == [1, 2]
    assert pv.value == [1, 2]


def test_a_signalling_nan_of_a_client_is_nan() -> None:
    pv = ChannelDouble([0.0, 0.0], name="x")
    pv.assign(pv.decode(ChannelType.FLOAT, 2, b"\x7f\x80\0\x01\x3f\x80\0\0"))
    assert np.isnan(pv.value[0])
    assert pv.value[1] == 1.0
