"""Writes and reads of the IOC itself: hooks, alarms, exact times, and values that come back."""

import asyncio
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pv_feed import Recorder

from ioc_ops.ca import EPICS_EPOCH, AccessRights, TimeStamp
from ioc_ops.channel import (
    AlarmSeverity,
    AlarmStatus,
    ChannelByte,
    ChannelChar,
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelInteger,
    ChannelString,
)
from ioc_ops.errors import ChannelError, ConversionError, LimitError, SkipWrite


def with_putter(pv: ChannelData, putter: Any) -> ChannelData:
    pv.putter = putter
    return pv


# --- time ----------------------------------------------------------------------------------


def test_a_write_is_of_now() -> None:
    pv = ChannelInteger(0, name="x")
    before = time.time_ns()
    asyncio.run(pv.write(1))
    assert before <= pv.time_ns <= time.time_ns()
    assert pv.timestamp == pv.time_ns / 1e9


@given(st.integers(0, 2**32 - 1), st.integers(0, 999_999_999))
def test_given_times_are_exact_to_the_nanosecond(seconds: int, nanoseconds: int) -> None:
    for stamp in (TimeStamp(seconds, nanoseconds), (seconds, nanoseconds)):
        pv = ChannelInteger(0, name="x")
        asyncio.run(pv.write(1, timestamp=stamp))
        assert pv.time_ns == (EPICS_EPOCH + seconds) * 10**9 + nanoseconds
        assert pv.epics_timestamp == TimeStamp(seconds, nanoseconds)
        extras = pv.extras()
        assert (extras.seconds, extras.nanoseconds) == (seconds, nanoseconds)


def test_a_time_in_unix_seconds() -> None:
    pv = ChannelInteger(0, name="x", timestamp=1_700_000_000.25)
    assert pv.timestamp == pytest.approx(1_700_000_000.25, rel=0, abs=1e-6)
    asyncio.run(pv.write(1, timestamp=1_700_000_001.5))
    assert pv.timestamp == pytest.approx(1_700_000_001.5, rel=0, abs=1e-6)


def test_a_time_that_a_float_holds_exactly_stays_exact() -> None:
    pv = ChannelInteger(0, name="x", timestamp=1_700_000_000.25)
    assert pv.time_ns == 1_700_000_000_250_000_000


# --- alarm ---------------------------------------------------------------------------------


def test_a_write_may_bring_an_alarm() -> None:
    pv = ChannelInteger(0, name="x")
    asyncio.run(pv.write(1, status=AlarmStatus.LINK, severity=AlarmSeverity.INVALID_ALARM))
    assert (pv.status, pv.severity) == (AlarmStatus.LINK, AlarmSeverity.INVALID_ALARM)
    assert isinstance(pv.status, AlarmStatus)
    assert isinstance(pv.severity, AlarmSeverity)
    asyncio.run(pv.write(2))
    assert (pv.status, pv.severity) == (AlarmStatus.NO_ALARM, AlarmSeverity.NO_ALARM)


def test_an_alarm_of_the_writer_wins_over_the_limits() -> None:
    pv = ChannelInteger(0, name="x", upper_alarm_limit=5, lower_alarm_limit=-5)
    asyncio.run(pv.write(9, status=AlarmStatus.CALC, severity=AlarmSeverity.MINOR_ALARM))
    assert (pv.status, pv.severity) == (AlarmStatus.CALC, AlarmSeverity.MINOR_ALARM)
    asyncio.run(pv.write(9, severity=AlarmSeverity.INVALID_ALARM))
    assert (pv.status, pv.severity) == (AlarmStatus.HIHI, AlarmSeverity.INVALID_ALARM)


# --- putter --------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "kept"), [(None, 3), (7, 7), (7.9, 7)])
def test_what_a_putter_returns_replaces_the_value(answer: Any, kept: int) -> None:
    seen: list[Any] = []

    async def putter(instance: ChannelData, value: Any) -> Any:
        seen.append((instance, value, instance.value))
        return answer

    pv = with_putter(ChannelInteger(0, name="x"), putter)
    heard = Recorder(pv)
    asyncio.run(pv.write(3))
    asyncio.run(pv.put(3))
    assert seen == [(pv, 3, 0), (pv, 3, kept)]
    assert pv.value == kept
    assert heard.values == [kept, kept]


@pytest.mark.parametrize("how", ["raise", "return class", "return instance"])
def test_skip_write_drops_the_write_without_a_trace(how: str) -> None:
    async def putter(instance: ChannelData, value: Any) -> Any:
        if how == "raise":
            raise SkipWrite
        return SkipWrite if how == "return class" else SkipWrite()

    pv = with_putter(ChannelInteger(5, name="x"), putter)
    pv.alarm.change(AlarmStatus.COMM, AlarmSeverity.MINOR_ALARM)
    heard, before = Recorder(pv), pv.time_ns
    asyncio.run(pv.write(6))
    asyncio.run(pv.put(6))
    assert (pv.value, pv.time_ns, pv.status, heard.values) == (5, before, AlarmStatus.COMM, [])
    asyncio.run(pv.write(6, verify_value=False))
    assert pv.value == 6


def test_a_putter_that_raises_puts_the_pv_in_alarm_and_a_good_one_ends_it() -> None:
    async def putter(instance: ChannelData, value: Any) -> None:
        if value < 0:
            raise RuntimeError("no such position")

    pv = with_putter(ChannelInteger(5, name="x"), putter)
    for write in (pv.write, pv.put):
        with pytest.raises(RuntimeError, match="no such position"):
            asyncio.run(write(-1))
        assert pv.value == 5
        assert (pv.status, pv.severity) == (AlarmStatus.WRITE, AlarmSeverity.MAJOR_ALARM)
        asyncio.run(write(5))
        assert (pv.status, pv.severity) == (AlarmStatus.NO_ALARM, AlarmSeverity.NO_ALARM)


def test_a_putter_is_not_asked_for_what_the_limits_forbid() -> None:
    asked: list[Any] = []

    async def putter(instance: ChannelData, value: Any) -> None:
        asked.append(value)

    pv = with_putter(ChannelDouble(0.0, name="x", upper_ctrl_limit=1, lower_ctrl_limit=-1), putter)
    with pytest.raises(LimitError):
        asyncio.run(pv.put(2.0))
    with pytest.raises(ConversionError):
        asyncio.run(pv.write("abc"))
    asyncio.run(pv.write(0.5))
    assert asked == [0.5]


def test_what_a_putter_returns_must_fit_too() -> None:
    async def putter(instance: ChannelData, value: Any) -> str:
        return "nonsense"

    pv = with_putter(ChannelInteger(5, name="x"), putter)
    with pytest.raises(ConversionError, match="x: 'nonsense'"):
        asyncio.run(pv.write(6))
    assert pv.value == 5


def test_a_putter_sees_values_as_users_do() -> None:
    seen: list[Any] = []

    async def putter(instance: ChannelData, value: Any) -> None:
        seen.append(value)

    enum = with_putter(ChannelEnum(0, name="x", enum_strings=["off", "on"]), putter)
    asyncio.run(enum.write(1))
    array = with_putter(ChannelDouble([0.0, 0.0], name="x"), putter)
    asyncio.run(array.put(array.decode(6, 2, np.array([1.0, 2.0], ">f8").tobytes())))
    assert seen[0] == "on"
    assert (seen[1].tolist(), seen[1].dtype) == ([1.0, 2.0], np.dtype("=f8"))


def test_a_putter_may_write_its_own_pv_without_itself() -> None:
    async def putter(instance: ChannelData, value: Any) -> int:
        await instance.write(-value, verify_value=False)
        return int(value)

    pv = with_putter(ChannelInteger(0, name="x"), putter)
    heard = Recorder(pv)
    asyncio.run(pv.write(4))
    assert heard.values == [-4, 4]


# --- overriding ----------------------------------------------------------------------------


def test_a_class_may_verify_and_preprocess() -> None:
    class Even(ChannelInteger):
        def preprocess_value(self, value: Any) -> Any:
            return value + 100

        async def verify_value(self, data: Any) -> Any:
            if data % 2:
                raise ValueError("odd")
            return data // 2

    pv = Even(0, name="x")
    assert pv.hooked
    asyncio.run(pv.write(2))
    assert pv.value == 51
    with pytest.raises(ValueError, match="odd"):
        asyncio.run(pv.write(1))
    asyncio.run(pv.put(4))
    assert pv.value == 2
    assert not ChannelInteger(0, name="x").hooked


def test_a_class_may_decide_who_writes() -> None:
    class Guarded(ChannelInteger):
        def check_access(self, hostname: str, username: str) -> AccessRights:
            return AccessRights.READ_WRITE if username == "op" else AccessRights.NO_ACCESS

    assert Guarded(0).check_access("h", "op") == AccessRights.READ_WRITE
    assert Guarded(0).check_access("h", "me") == AccessRights.NO_ACCESS
    assert ChannelInteger(0).check_access("h", "me") == AccessRights.READ_WRITE


# --- getter --------------------------------------------------------------------------------


def test_a_getter_gives_the_value_and_does_not_run_the_putter() -> None:
    async def putter(instance: ChannelData, value: Any) -> None:
        raise AssertionError("a read moved the motor")

    async def getter(instance: ChannelData) -> int:
        return 42

    pv = with_putter(ChannelInteger(0, name="x"), putter)
    pv.getter = getter
    heard = Recorder(pv)
    before = pv.time_ns
    assert asyncio.run(pv.read()) == 42
    assert (pv.value, heard.values) == (42, [42])
    assert pv.time_ns > before


def test_a_getter_that_returns_nothing_leaves_the_value() -> None:
    async def getter(instance: ChannelData) -> None:
        return None

    pv = ChannelInteger(5, name="x")
    pv.getter = getter
    heard = Recorder(pv)
    assert asyncio.run(pv.read()) == 5
    assert heard.values == []


def test_a_getter_that_raises_puts_the_pv_in_alarm() -> None:
    async def getter(instance: ChannelData) -> int:
        raise OSError("device is off")

    pv = ChannelInteger(5, name="x")
    pv.getter = getter
    with pytest.raises(OSError, match="device is off"):
        asyncio.run(pv.read())
    assert (pv.value, pv.status, pv.severity) == (5, AlarmStatus.READ, AlarmSeverity.INVALID_ALARM)


# --- restore -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pv", "value"),
    [
        (ChannelInteger(0, name="x"), 5),
        (ChannelDouble([0.0, 0.0], name="x"), [1.5]),
        (ChannelString("", name="x"), "µ"),
        (ChannelChar("", name="x"), "text"),
        (ChannelByte(b"", name="x"), b"\1"),
        (ChannelEnum(0, name="x", enum_strings=["a", "b"]), "b"),
    ],
)
def test_restore_sets_the_value_and_runs_nothing(pv: ChannelData, value: Any) -> None:
    async def putter(instance: ChannelData, value: Any) -> None:
        raise AssertionError("the putter ran")

    pv.putter = putter
    pv.time_ns = 0
    heard = Recorder(pv)
    pv.restore(value)
    assert pv.value == value
    assert heard.values == [value]
    assert time.time_ns() - pv.time_ns < 60 * 10**9


def test_restore_finds_the_alarm_of_the_value() -> None:
    pv = ChannelDouble(0.0, name="x", upper_alarm_limit=5, lower_alarm_limit=-5)
    pv.restore(6.0)
    assert (pv.status, pv.severity) == (AlarmStatus.HIHI, AlarmSeverity.MAJOR_ALARM)


@pytest.mark.parametrize(
    ("pv", "value", "why"),
    [
        (ChannelInteger(0, name="x"), "abc", "'abc' is no integer"),
        (ChannelInteger(0, name="x"), 2**40, "outside the range of LONG"),
        (ChannelInteger(0, name="x"), [1, 2], "2 elements do not fit a scalar"),
        (ChannelDouble(0.0, name="x"), None, "None is no number"),
        (ChannelDouble(0.0, name="x"), [[1, 2], [3]], "is no number"),
        (ChannelDouble([0.0, 0.0], name="x"), [1.0] * 3, "3 elements are more than max_length=2"),
        (ChannelString("", name="x"), 5, "5 is no text"),
        (ChannelChar("", name="x", max_length=2), "abc", "3 bytes are more than max_length=2"),
        (ChannelByte(b"a", name="x", max_length=1), b"ab", "2 bytes are more than max_length=1"),
        (ChannelByte(b"a", name="x", string_encoding="ascii"), "é", "'é' has no form in ascii"),
        (ChannelEnum(0, name="x", enum_strings=["a"]), "b", "'b' is none of a"),
        (ChannelEnum(0, name="x", enum_strings=["a"]), np.array(5), "state 5 is none of 0 to 0"),
        (ChannelEnum(0, name="x", enum_strings=["a"]), 1, "state 1 is none of 0 to 0"),
    ],
)
def test_restore_says_readably_what_does_not_fit(pv: ChannelData, value: Any, why: str) -> None:
    kept, before = pv.value, pv.time_ns
    with pytest.raises(ChannelError) as refused:
        pv.restore(value)
    assert str(refused.value).startswith("x: ")
    assert why in str(refused.value)
    assert (pv.value, pv.time_ns) == (kept, before)


def test_restore_keeps_to_the_control_limits() -> None:
    pv = ChannelDouble(0.0, name="x", upper_ctrl_limit=1, lower_ctrl_limit=-1)
    with pytest.raises(LimitError, match=r"x: 2(\.0)? is outside the control limits -1"):
        pv.restore(2.0)


def test_an_alarm_that_a_hook_sets_stands_and_the_next_write_ends_it() -> None:
    async def hook(instance: ChannelData, value: Any = None) -> int:
        if value != 1:
            instance.status = AlarmStatus.HWLIMIT
            instance.severity = AlarmSeverity.MINOR_ALARM
        return 9 if value is None else value

    pv = with_putter(ChannelInteger(0, name="x"), hook)
    pv.getter = hook
    for act in (lambda: pv.write(2), lambda: pv.put(2), pv.read):
        asyncio.run(act())
        assert (pv.status, pv.severity) == (AlarmStatus.HWLIMIT, AlarmSeverity.MINOR_ALARM)
        asyncio.run(pv.write(1))
        assert (pv.value, pv.status) == (1, AlarmStatus.NO_ALARM)
