"""Enumerated PVs: states by name and index, with holes and unknown ones."""

import asyncio
import math
from enum import IntEnum
from typing import Any

import numpy as np
import pytest
from pv_feed import received, sent

from ioc_ops.channel import ChannelBoolEnum, ChannelEnum, ChannelType
from ioc_ops.errors import ConversionError

ENUM, STRING = ChannelType.ENUM, ChannelType.STRING
STATES = ("idle", "run", "fault")


class Valve(IntEnum):
    CLOSED = 0
    OPEN = 1
    STUCK = 4


def enum(value: Any = 0) -> ChannelEnum:
    return ChannelEnum(value, name="x", enum_strings=STATES)


@pytest.mark.parametrize("value", [1, "run", "1", b"run", 1.0, np.int16(1), ["run"], [1], True])
def test_a_state_by_name_or_index(value: Any) -> None:
    pv = enum()
    asyncio.run(pv.write(value))
    assert (pv.value, pv.raw_value) == ("run", 1)
    assert received(pv, ENUM) == [1]
    assert received(pv, STRING) == ["run"]
    assert received(pv, ChannelType.DOUBLE) == [1.0]


@pytest.mark.parametrize(
    "value",
    ["zzz", 3, -1, "3", "-1", None, "", [], [0, 1], math.nan, math.inf, "nan", "inf"],
)
def test_an_unknown_state_is_refused_and_the_old_one_stays(value: Any) -> None:
    pv = enum("fault")
    with pytest.raises(ConversionError, match=r"^x: "):
        asyncio.run(pv.write(value))
    assert pv.value == "fault"


def test_the_error_names_the_states_there_are() -> None:
    with pytest.raises(ConversionError, match="x: 'zzz' is none of idle, run, fault"):
        enum().restore("zzz")
    with pytest.raises(ConversionError, match="x: state 3 is none of 0 to 2"):
        enum().restore(3)


@pytest.mark.parametrize(
    ("write", "index"),
    [
        (sent(STRING, b"fault"), 2),
        (sent(STRING, b"2"), 2),
        (sent(ENUM, 2), 2),
        (sent(ChannelType.LONG, 2), 2),
        (sent(ChannelType.DOUBLE, 2.0), 2),
        (sent(ChannelType.CHAR, 2), 2),
    ],
)
def test_a_client_writes_a_state_in_any_type(write: tuple[int, int, bytes], index: int) -> None:
    pv = enum()
    pv.assign(pv.decode(*write))
    assert pv.raw_value == index


@pytest.mark.parametrize(
    "write",
    [
        sent(STRING, b"zzz"),
        sent(STRING, b"nan"),
        sent(STRING, b"inf"),
        sent(ENUM, 3),
        sent(ChannelType.LONG, -1),
        sent(ChannelType.DOUBLE, math.nan),
        sent(ChannelType.DOUBLE, math.inf),
        (int(ENUM), 0, b""),
        (int(ENUM), 1, b""),
    ],
)
def test_a_client_that_writes_no_state_is_refused(write: tuple[int, int, bytes]) -> None:
    with pytest.raises(ConversionError):
        enum().decode(*write)


def test_an_int_enum_names_the_states_and_its_holes_have_names_too() -> None:
    pv = ChannelEnum(Valve.STUCK, name="x")
    assert pv.enum_strings == ("CLOSED", "OPEN", "unset_2", "unset_3", "STUCK")
    assert (pv.value, pv.raw_value) == ("STUCK", 4)
    asyncio.run(pv.write(Valve.OPEN))
    assert pv.value == "OPEN"


def test_without_names_every_index_is_a_state() -> None:
    pv = ChannelEnum(0, name="x")
    asyncio.run(pv.write(0xFFFF))
    assert (pv.value, pv.raw_value) == (0xFFFF, 0xFFFF)
    assert received(pv, STRING) == ["65535"]
    with pytest.raises(ConversionError, match="x: state 65536 is none of 0 to 65535"):
        asyncio.run(pv.write(0x10000))


def test_what_the_wire_cannot_hold_is_refused_at_once() -> None:
    with pytest.raises(ConversionError, match="x: 17 states are more than 16"):
        ChannelEnum(0, name="x", enum_strings=[str(i) for i in range(17)])
    with pytest.raises(ConversionError, match="is longer than 25 bytes"):
        ChannelEnum(0, name="x", enum_strings=["a" * 26])
    with pytest.raises(ConversionError, match="is longer than 25 bytes"):
        ChannelEnum(0, name="x", enum_strings=["é" * 13])
    assert ChannelEnum(15, name="x", enum_strings=["a" * 25] * 16).raw_value == 15


def test_states_reach_a_client_in_their_order() -> None:
    pv = enum("run")
    assert pv.extras().states == (b"idle", b"run", b"fault")
    payload, _ = pv.payload(ChannelType.CTRL_ENUM, 1)
    raw = bytes(payload)
    assert raw[4:6] == b"\0\x03"
    assert [raw[6 + 26 * i : 32 + 26 * i].rstrip(b"\0") for i in range(3)] == [
        b"idle",
        b"run",
        b"fault",
    ]


def test_states_beyond_the_encoding_reach_a_client_as_question_marks() -> None:
    pv = ChannelEnum("5 µm", name="x", enum_strings=["5 µm"], string_encoding="ascii")
    assert pv.extras().states == (b"5 ?m",)
    assert received(pv, STRING) == ["5 ?m"]


def test_two_states_are_called_off_and_on() -> None:
    pv = ChannelBoolEnum(True, name="x")
    assert (pv.value, pv.raw_value, pv.enum_strings) == ("On", 1, ("Off", "On"))
    asyncio.run(pv.write(False))
    assert pv.value == "Off"
    named = ChannelBoolEnum("Ajar", name="x", enum_strings=["Shut", "Ajar"])
    assert named.raw_value == 1


def test_states_may_be_renamed() -> None:
    pv = enum("run")
    before = pv.payload(ChannelType.STRING, 1)[0]
    asyncio.run(pv.write_metadata(enum_strings=["a", "b"]))
    assert (pv.value, pv.raw_value, pv.enum_strings) == ("b", 1, ("a", "b"))
    assert pv.payload(ChannelType.STRING, 1)[0] != before
