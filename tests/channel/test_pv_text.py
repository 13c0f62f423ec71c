"""Text and bytes: STRING scalars and arrays, CHAR arrays that hold text, CHAR arrays of bytes."""

import asyncio
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pv_feed import received, sent

from ioc_ops.channel import ChannelByte, ChannelChar, ChannelData, ChannelString, ChannelType
from ioc_ops.channel.text import LONG_STRING
from ioc_ops.errors import ConversionError
from ioc_ops.group import PVSpec

STRING, CHAR, INT, LONG, FLOAT, DOUBLE = (
    ChannelType.STRING,
    ChannelType.CHAR,
    ChannelType.INT,
    ChannelType.LONG,
    ChannelType.FLOAT,
    ChannelType.DOUBLE,
)
# What a C string can hold and UTF-8 can write.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


# --- STRING --------------------------------------------------------------------------------


def test_a_string_is_a_scalar_of_type_string() -> None:
    pv = ChannelString("hello", name="x")
    assert (pv.value, pv.data_type, pv.max_length, pv.length) == ("hello", STRING, 1, 1)
    payload, count = pv.payload(STRING, 0)
    assert (payload, count) == (b"hello".ljust(40, b"\0"), 1)


@given(TEXT)
def test_a_client_sees_at_most_39_bytes_and_never_half_a_character(text: str) -> None:
    pv = ChannelString("", name="x")
    asyncio.run(pv.write(text))
    assert pv.value == text
    payload, _ = pv.payload(STRING, 1)
    raw = bytes(payload).rstrip(b"\0")
    assert len(payload) == 40
    assert len(raw) <= 39
    assert text.startswith(raw.decode("utf-8"))
    left_out = text.encode()[len(raw) : len(raw) + 4].decode("utf-8", "ignore")[:1]
    assert not left_out or len(raw) + len(left_out.encode()) > 39


@given(TEXT)
def test_a_string_from_a_client_is_read_as_it_was_written(text: str) -> None:
    raw = text.encode()[:39].decode("utf-8", "ignore")
    pv = ChannelString("", name="x")
    pv.assign(pv.decode(int(STRING), 1, raw.encode().ljust(40, b"\0")))
    assert pv.value == raw


def test_a_client_may_cut_the_payload_of_a_string_behind_its_terminator() -> None:
    pv = ChannelString("", name="x")
    assert pv.decode(int(STRING), 1, b"ab\0\0\0\0\0\0") == "ab"


def test_bytes_that_are_no_utf8_are_read_as_latin1() -> None:
    pv = ChannelString("", name="x")
    assert pv.decode(int(STRING), 1, b"\xb5m".ljust(40, b"\0")) == "µm"
    asyncio.run(pv.write(b"\xb0C"))
    assert pv.value == "°C"


@pytest.mark.parametrize("raw", [b"\xb5m", b"\xff", b"caf\xe9 \xc2\xb5", b"\xe9" * 39])
@pytest.mark.parametrize(
    ("pv", "sent_as"),
    [
        (ChannelString("", name="x"), STRING),
        (ChannelChar("", name="x", max_length=40), CHAR),
        (ChannelChar("", name="x", max_length=40), STRING),
        (ChannelChar("", name="x", max_length=40, report_as_string=True), STRING),
        (PVSpec(value="", record="stringin").create().fields["DESC"], STRING),
    ],
)
def test_bytes_that_are_no_utf8_are_read_back_as_they_came(
    pv: ChannelData, sent_as: ChannelType, raw: bytes
) -> None:
    count = len(raw) if sent_as == CHAR else 1
    pv.assign(pv.decode(int(sent_as), count, raw.ljust(40, b"\0")))
    assert pv.value == raw.decode("latin-1")
    assert bytes(pv.payload(int(sent_as), count)[0]).rstrip(b"\0") == raw
    asyncio.run(pv.write(pv.value))
    assert bytes(pv.payload(int(sent_as), count)[0]).rstrip(b"\0") == raw


def test_what_the_ioc_makes_of_such_bytes_is_in_the_pvs_encoding() -> None:
    pv = ChannelString("", name="x")
    pv.assign(pv.decode(int(STRING), 1, b"\xb5m".ljust(40, b"\0")))
    asyncio.run(pv.write(pv.value + "!"))
    assert bytes(pv.payload(STRING, 1)[0]).rstrip(b"\0") == "µm!".encode()


def test_another_encoding_on_the_wire() -> None:
    pv = ChannelString("µ", name="x", string_encoding="latin-1")
    assert bytes(pv.payload(STRING, 1)[0]).rstrip(b"\0") == b"\xb5"


@pytest.mark.parametrize("value", [1, 1.5, None, ["a", "b"], [1], []])
def test_a_string_takes_nothing_but_text(value: Any) -> None:
    pv = ChannelString("old", name="x")
    with pytest.raises(ConversionError, match=r"x: .* is no text"):
        asyncio.run(pv.write(value))
    assert pv.value == "old"


def test_numbers_become_text_and_text_becomes_numbers_for_a_client() -> None:
    pv = ChannelString("", name="x")
    pv.assign(pv.decode(*sent(DOUBLE, 2.5)))
    assert pv.value == "2.5"
    pv.assign(pv.decode(*sent(LONG, 12)))
    assert pv.value == "12"
    assert received(pv, DOUBLE) == [12.0]
    asyncio.run(pv.write("no number"))
    with pytest.raises(ConversionError, match="x: 'no number' is no number"):
        pv.payload(DOUBLE, 1)


def test_an_array_of_strings() -> None:
    pv = ChannelString(["one", "two"], name="x", max_length=3)
    assert pv.value == ["one", "two"]
    assert received(pv, STRING) == ["one", "two"]
    asyncio.run(pv.write(("a", "b", "c")))
    assert pv.value == ["a", "b", "c"]
    for one in ("solo", ["solo"]):
        asyncio.run(pv.write(one))
        assert pv.value == ["solo"]
    asyncio.run(pv.write([]))
    assert (pv.value, pv.length) == ([], 0)
    assert received(pv, STRING, 2) == ["", ""]
    with pytest.raises(ConversionError, match="4 elements are more than max_length=3"):
        asyncio.run(pv.write(["a"] * 4))
    pv.assign(pv.decode(*sent(STRING, b"p", b"q", b"r", b"s")))
    assert pv.value == ["p", "q", "r"]


# --- CHAR arrays that hold text ------------------------------------------------------------


def test_a_text_has_room_for_a_sentence_when_nobody_said_how_long() -> None:
    pv = ChannelChar("abc", name="x")
    assert (pv.data_type, pv.max_length, pv.length) == (CHAR, LONG_STRING, 3)
    long = "x" * (LONG_STRING + 10)
    asyncio.run(pv.write(long))
    assert pv.value == long
    assert pv.length == len(long)


def test_a_text_keeps_to_the_length_that_was_asked_for_in_bytes() -> None:
    pv = ChannelChar("", name="x", max_length=4)
    asyncio.run(pv.write("äö"))
    assert (pv.value, pv.length) == ("äö", 4)
    with pytest.raises(ConversionError, match="x: 5 bytes are more than max_length=4"):
        asyncio.run(pv.write("äöu"))
    assert pv.value == "äö"


@given(TEXT)
def test_text_goes_both_ways_whole(text: str) -> None:
    pv = ChannelChar("", name="x", max_length=4096)
    asyncio.run(pv.write(text))
    payload, count = pv.payload(CHAR, 0)
    assert bytes(payload)[:count].decode() == text
    assert pv.decode(int(CHAR), count, bytes(payload)) == text


def test_text_ends_at_the_first_zero() -> None:
    pv = ChannelChar("", name="x")
    assert pv.decode(int(CHAR), 6, b"ab\0cd\0\0\0") == "ab"


def test_a_text_is_told_as_one_string_to_who_asks_for_a_string() -> None:
    pv = ChannelChar("é" * 30, name="x")
    payload, count = pv.payload(STRING, 1)
    assert count == 1
    assert bytes(payload).rstrip(b"\0").decode() == "é" * 19
    pv.assign(pv.decode(*sent(STRING, b"short")))
    assert pv.value == "short"


def test_report_as_string_shows_clients_a_string() -> None:
    pv = ChannelChar("hello", name="x", report_as_string=True, max_length=100)
    assert pv.shown_as == (STRING, 1)
    assert pv.payload(STRING, 0) == (b"hello".ljust(40, b"\0"), 1)
    assert ChannelChar("hello", name="x", max_length=100).shown_as == (CHAR, 100)


@pytest.mark.parametrize(
    "value", ["word", b"word", ["word"], [119, 111, 114, 100], np.frombuffer(b"word", np.uint8)]
)
def test_a_text_takes_text_bytes_and_codes(value: Any) -> None:
    pv = ChannelChar("", name="x")
    asyncio.run(pv.write(value))
    assert pv.value == "word"


@pytest.mark.parametrize("value", [1, 1.5, None, ["a", "b"]])
def test_a_text_takes_nothing_else(value: Any) -> None:
    pv = ChannelChar("old", name="x")
    with pytest.raises(ConversionError, match=r"^x: "):
        asyncio.run(pv.write(value))
    assert pv.value == "old"


# --- CHAR arrays of bytes ------------------------------------------------------------------


@given(st.binary(max_size=64))
def test_bytes_go_both_ways(raw: bytes) -> None:
    pv = ChannelByte(b"", name="x", max_length=64, strip_null_terminator=False)
    asyncio.run(pv.write(raw))
    assert pv.value == raw
    payload, count = pv.payload(CHAR, 0)
    assert (bytes(payload)[:count], count) == (raw, len(raw))
    assert pv.decode(int(CHAR), count, bytes(payload)) == raw


def test_zeros_at_the_end_of_what_a_client_sends_are_dropped_unless_wanted() -> None:
    stripping = ChannelByte(b"", name="x", max_length=8)
    keeping = ChannelByte(b"", name="x", max_length=8, strip_null_terminator=False)
    write = (int(CHAR), 4, b"a\0\0\0\0\0\0\0")
    assert (stripping.decode(*write), keeping.decode(*write)) == (b"a", b"a\0\0\0")


@pytest.mark.parametrize(
    "value",
    [
        b"\x01\xff",
        bytearray(b"\x01\xff"),
        memoryview(b"\x01\xff"),
        [1, 255],
        (1, 255),
        np.array([1, 255], np.uint8),
    ],
)
def test_bytes_take_whatever_holds_bytes(value: Any) -> None:
    pv = ChannelByte(b"....", name="x")
    asyncio.run(pv.write(value))
    assert pv.value == b"\x01\xff"
    assert received(pv, LONG) == [1, 255]


def test_the_writer_may_go_on_changing_its_bytes() -> None:
    mine = np.array([1, 2, 3], np.uint8)
    pv = ChannelByte(mine, name="x", max_length=3)
    mine[0] = 99
    assert pv.value == b"\x01\x02\x03"


def test_bytes_keep_to_their_length() -> None:
    pv = ChannelByte(b"ab", name="x", max_length=2)
    with pytest.raises(ConversionError, match="x: 3 bytes are more than max_length=2"):
        asyncio.run(pv.write(b"abc"))
    pv.assign(pv.decode(*sent(CHAR, 1, 2, 3)))
    assert pv.value == b"\x01\x02"


@pytest.mark.parametrize("value", [1.5, None, {}, ["a", "b"], [256], [-129], [float("nan")]])
def test_bytes_take_nothing_that_is_none(value: Any) -> None:
    pv = ChannelByte(b"old", name="x")
    with pytest.raises(ConversionError, match=r"^x: "):
        asyncio.run(pv.write(value))
    assert pv.value == b"old"


@pytest.mark.parametrize(
    ("native", "number", "kept"),
    [
        (LONG, 300, 44),
        (LONG, -1, 255),
        (LONG, -129, 127),
        (INT, 256, 0),
        (DOUBLE, 300.7, 44),
        (FLOAT, -1.5, 255),
    ],
)
def test_numbers_of_clients_wrap_as_in_base(native: ChannelType, number: float, kept: int) -> None:
    # putLongUchar, putDoubleUchar, ... in dbConvert.c are casts; tests/conformance asks Base.
    pv = ChannelByte(b"old", name="x", strip_null_terminator=False)
    pv.assign(pv.decode(*sent(native, number)))
    assert pv.value == bytes([kept])


def test_bytes_take_signed_characters_too() -> None:
    pv = ChannelByte(b"old", name="x")
    asyncio.run(pv.write([-1, -128]))
    assert pv.value == b"\xff\x80"


@pytest.mark.parametrize("pv", [ChannelByte(b"old", name="x"), ChannelChar("old", name="x")])
def test_a_client_that_writes_nan_gets_an_answer_and_no_warning(pv: ChannelData) -> None:
    pv.assign(pv.decode(*sent(DOUBLE, math.nan)))
    assert pv.length <= 1


@pytest.mark.parametrize("cls", [ChannelChar, ChannelByte])
def test_several_texts_are_not_one(cls: Any) -> None:
    with pytest.raises(ConversionError, match=r"several texts .*dtype=ChannelType\.STRING"):
        cls(["a", "b"], name="x")
