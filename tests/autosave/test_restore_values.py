"""Saved values into real PVs: exactly, silently, and reported one by one."""

import asyncio
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.autosave.fileformat import dumps, loads
from ioc_ops.autosave.files.results import RejectedFile
from ioc_ops.autosave.restore import apply, restore_value
from ioc_ops.autosave.snapshot import CarriedValue, Snapshot, collect, current_value
from ioc_ops.autosave.values import EnumValue, same
from ioc_ops.channel import (
    ChannelBoolEnum,
    ChannelByte,
    ChannelChar,
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelFloat,
    ChannelInteger,
    ChannelShort,
    ChannelString,
)
from ioc_ops.errors import AutosaveError, ChannelError

STATES = ("Off", "Slow", "Fast")


def through_a_file(channel: ChannelData, fresh: ChannelData) -> ChannelData:
    """Save one PV and restore it into another, as a restart does."""
    snapshot = loads(dumps(collect([channel])))
    report = apply(snapshot, {fresh.name: fresh})
    assert dict(report.skipped) == {}
    assert report.restored == (channel.name,)
    assert same(current_value(fresh), current_value(channel))
    return fresh


doubles = st.integers(0, 2**64 - 1).map(lambda n: struct.unpack(">d", n.to_bytes(8, "big"))[0])
longs = st.integers(-(2**31), 2**31 - 1)


@given(doubles | st.floats())
def test_doubles_to_the_bit(value: float) -> None:
    fresh = through_a_file(ChannelDouble(value, name="x"), ChannelDouble(0.0, name="x"))
    assert struct.pack(">d", fresh.value) == struct.pack(">d", value)


@given(st.floats(width=32))
def test_floats(value: float) -> None:
    through_a_file(ChannelFloat(value, name="x"), ChannelFloat(0.0, name="x"))


@given(longs)
def test_longs(value: int) -> None:
    assert (
        through_a_file(ChannelInteger(value, name="x"), ChannelInteger(0, name="x")).value == value
    )


@given(st.lists(doubles | st.floats(), max_size=10), st.booleans())
def test_arrays_of_doubles(value: list[float], as_array: bool) -> None:
    given_value = np.array(value, float) if as_array else value
    channel = ChannelDouble(given_value, name="x", max_length=10)
    fresh = through_a_file(channel, ChannelDouble([0.0], name="x", max_length=10))
    assert np.array(fresh.value, float).tobytes() == np.array(value, float).tobytes()
    assert type(fresh.value) is type(channel.value)


@given(st.lists(longs, max_size=10).map(np.array))
def test_arrays_of_longs(value: np.ndarray) -> None:
    channel = ChannelInteger(value.astype("i4"), name="x", max_length=10)
    through_a_file(channel, ChannelInteger([0], name="x", max_length=10))


@given(st.text())
def test_text(value: str) -> None:
    through_a_file(ChannelString(value, name="x"), ChannelString("", name="x"))
    through_a_file(ChannelChar(value, name="x"), ChannelChar("", name="x"))


@given(st.binary())
def test_bytes(value: bytes) -> None:
    through_a_file(ChannelByte(value, name="x"), ChannelByte(b"", name="x"))


@given(st.lists(st.text(), max_size=5))
def test_arrays_of_text(value: list[str]) -> None:
    channel = ChannelString(value, name="x", max_length=5)
    through_a_file(channel, ChannelString(["a"], name="x", max_length=5))


@pytest.mark.parametrize("index", range(3))
def test_enums(index: int) -> None:
    channel = ChannelEnum(index, name="x", enum_strings=STATES)
    fresh = through_a_file(channel, ChannelEnum(0, name="x", enum_strings=STATES))
    assert (fresh.value, fresh.raw_value) == (STATES[index], index)  # type: ignore[attr-defined]


def test_bool_enums_and_unnamed_states() -> None:
    through_a_file(ChannelBoolEnum(True, name="x"), ChannelBoolEnum(False, name="x"))
    through_a_file(ChannelEnum(7, name="x"), ChannelEnum(0, name="x"))


@pytest.mark.parametrize(
    ("states", "saved", "index"),
    [
        (("Fast", "Slow", "Off"), EnumValue(2, "Fast"), 0),  # the name decides
        (("A", "B", "A"), EnumValue(2, "A"), 2),  # of equal names the one with the index
        (("A", "2", "B"), EnumValue(1, "2"), 1),  # a name that looks like an index
        (("0", "1", "2", "A"), EnumValue(3, "0"), 0),
    ],
)
def test_the_name_of_a_state_decides(states: tuple[str, ...], saved: EnumValue, index: int) -> None:
    channel = ChannelEnum(1, name="x", enum_strings=states)
    restore_value(channel, saved)
    assert channel.raw_value == index


@pytest.mark.parametrize(
    ("make", "value", "expected"),
    [
        (lambda: ChannelChar("a", max_length=9), [104, 105], "hi"),
        (lambda: ChannelChar("a", max_length=9), [104, 105, 0, 0], "hi"),
        (lambda: ChannelChar("a", max_length=9), np.array([104, 105], np.int8), "hi"),
        (lambda: ChannelChar("a", max_length=9), b"hi", "hi"),
        (lambda: ChannelChar("a", max_length=9), [], ""),
        (lambda: ChannelByte(b"a", max_length=9), "hi", b"hi"),
        (lambda: ChannelByte(b"a", max_length=9), np.array([104, -1], np.int8), b"h\xff"),
    ],
)
def test_characters_in_any_form_are_the_same_text(
    make: Callable[[], ChannelData], value: Any, expected: str | bytes
) -> None:
    channel = make()
    restore_value(channel, value)
    assert channel.value == expected


@pytest.mark.parametrize(
    ("make", "value", "message"),
    [
        (lambda: ChannelEnum(1, enum_strings=STATES), EnumValue(2, "Ramp"), "'Ramp' is none of"),
        (lambda: ChannelEnum(1, enum_strings=STATES), EnumValue(9, ""), "9"),
        (lambda: ChannelEnum(1, enum_strings=STATES), "Ramp", "Ramp"),
        (lambda: ChannelInteger(1), EnumValue(2, "Fast"), "'Fast' of an enum"),
        (lambda: ChannelInteger(1), 5.7, "5.7 would come back as 5"),
        (lambda: ChannelInteger(1), math.nan, "nan"),
        (lambda: ChannelInteger(1), 2**31, "2147483648"),
        (lambda: ChannelInteger(1), "5", "5"),
        (lambda: ChannelShort(1), 40_000, "40000"),
        (lambda: ChannelInteger([1], max_length=3), [1.5, 2.0], "come back|integer"),
        (lambda: ChannelInteger([1], max_length=3), [1, 2, 3, 4], "max_length=3"),
        (lambda: ChannelInteger([1], max_length=3), "abc", "abc"),
        (lambda: ChannelDouble(1.0), 2**60 + 1, "would come back"),
        (lambda: ChannelDouble(1.0), "1.5", "1.5"),
        (lambda: ChannelDouble(1.0), [1.0, 2.0], "2 elements"),
        (lambda: ChannelDouble(1.0, lower_ctrl_limit=0, upper_ctrl_limit=9), 9.5, "limits"),
        (lambda: ChannelString("a"), 5, "5"),
        (lambda: ChannelChar("a", max_length=3), "abcd", "max_length=3"),
        (lambda: ChannelChar("a"), [104, 300], "come back|range"),
        (lambda: ChannelByte(b"a"), "\u00e9", "come back|bytes"),
        (lambda: ChannelByte(b"a", max_length=9), 300, "come back|range"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    make: Callable[[], ChannelData], value: object, message: str
) -> None:
    channel = make()
    before, time_ns = current_value(channel), channel.time_ns
    with pytest.raises((AutosaveError, ChannelError), match=message):
        restore_value(channel, value)  # type: ignore[arg-type]
    assert same(current_value(channel), before)
    assert channel.time_ns == time_ns


@pytest.mark.parametrize(
    ("make", "value", "expected"),
    [
        (lambda: ChannelDouble(1.0), 5, 5.0),
        (lambda: ChannelInteger(1), 5.0, 5),
        (lambda: ChannelDouble(1.0), [2.5], 2.5),
        (lambda: ChannelDouble([1.0], max_length=3), 2.5, [2.5]),
        (lambda: ChannelDouble([1.0], max_length=3), np.array([1, 2]), [1.0, 2.0]),
        (lambda: ChannelFloat(1.0), 0.1, float(np.float32(0.1))),
        (lambda: ChannelString("a"), ["b"], "b"),
        (lambda: ChannelEnum(1, enum_strings=STATES), 2, "Fast"),
        (lambda: ChannelEnum(1, enum_strings=STATES), "Fast", "Fast"),
    ],
)
def test_what_means_the_same_is_taken(
    make: Callable[[], ChannelData], value: object, expected: object
) -> None:
    channel = make()
    restore_value(channel, value)  # type: ignore[arg-type]
    assert np.ravel(channel.value).tolist() == np.ravel(expected).tolist()  # type: ignore[call-overload]


def test_no_putter_runs() -> None:
    moved = []

    async def move(channel: ChannelData, value: object) -> None:
        moved.append(value)

    channel = ChannelDouble(1.0, name="x")
    channel.putter = move
    report = apply(Snapshot({"x": 5.0}), {"x": channel})
    assert report.restored == ("x",)
    assert channel.value == 5.0
    assert moved == []
    asyncio.run(channel.write(6.0))  # a write would have been seen
    assert moved == [6.0]


class _Broken(ChannelInteger):
    def check(self, stored: object) -> None:
        raise RuntimeError("a bug of the user's own class")


def test_the_report_tells_every_pv() -> None:
    channels = {
        "ok": ChannelInteger(0),
        "carried": ChannelInteger(0),
        "limit": ChannelInteger(0, lower_ctrl_limit=0, upper_ctrl_limit=9),
        "new": ChannelInteger(0),
        "odd": ChannelInteger(0),
        "broken": _Broken(0),
    }
    snapshot = Snapshot(
        {"ok": 1, "limit": 10, "gone": 3, "broken": 1},
        carried={"carried": CarriedValue(7, 0), "long gone": CarriedValue(8, 0)},
        unreadable={"odd": "not a value", "elsewhere": "not a value"},
    )
    rejected = (RejectedFile(Path("d/my.json"), "the file is empty", None),)
    report = apply(snapshot, channels, path=Path("d/old.json"), rejected=rejected)
    assert report.restored == ("ok", "carried")
    assert set(report.skipped) == {"limit", "odd", "broken"}
    assert "control limits 0 to 9" in report.skipped["limit"]
    assert report.skipped["odd"] == "not a value"
    assert report.skipped["broken"] == "RuntimeError: a bug of the user's own class"
    assert report.unsaved == ("new",)
    assert report.missing == ("gone", "long gone")
    assert not report.complete
    assert str(report) == (
        "2 PVs restored from old.json, 3 not restored, 2 missing, 1 newer files unusable"
    )
    assert channels["carried"].value == 7
    assert channels["limit"].value == 0
