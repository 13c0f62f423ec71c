"""Each filter by itself: updates in, updates out."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc_ops.ca import ChannelType, EventMask, Json, TimeStamp, parse_json5
from ioc_ops.channel import (
    ChannelByte,
    ChannelChar,
    ChannelData,
    ChannelDouble,
    ChannelInteger,
    ChannelString,
)
from ioc_ops.channel.filters import FILTERS, Step, Update, make_filter
from ioc_ops.channel.filters.ts import local_time
from ioc_ops.channel.frames import freeze
from ioc_ops.errors import ConversionError

fuzzing = settings(max_examples=200, deadline=None, derandomize=True, database=None)

VALUE = int(EventMask.VALUE)
ALARM = int(EventMask.ALARM)
PROPERTY = int(EventMask.PROPERTY)


def options(text: str) -> Json:
    return parse_json5("{" + text + "}")


def step_of(name: str, text: str, states: dict[str, bool] | None = None) -> Step:
    return make_filter(name, options(text), states or {}).start()


def update(channel: ChannelData, events: int = VALUE, reading: bool = False) -> Update:
    return Update(freeze(channel), events, reading, 123)


def through(step: Step, values: Iterable[float], events: int = VALUE) -> list[float]:
    passed = []
    for value in values:
        out = step(update(ChannelDouble(value), events))
        if out is not None:
            passed.append(out.frame.value)
    return passed


# -- dbnd ------------------------------------------------------------------------------------

finite = st.floats(-1e6, 1e6)


@fuzzing
@given(st.lists(finite, min_size=1), st.floats(0, 1e5))
def test_what_passes_an_absolute_deadband_differs_by_more(
    values: list[float], width: float
) -> None:
    passed = through(step_of("dbnd", f"abs:{width!r}"), values)
    assert passed[0] == values[0]
    assert all(abs(b - a) > width for a, b in pairwise(passed))
    # And what was dropped lay within the deadband of what passed before it.
    last = None
    rest = iter(passed)
    for value in values:
        if last is None or abs(value - last) > width:
            last = next(rest)
            assert last == value
    assert next(rest, None) is None


@fuzzing
@given(st.lists(st.floats(0.001, 1e6), min_size=1), st.floats(0, 200))
def test_a_relative_deadband_follows_what_passed_last(values: list[float], percent: float) -> None:
    passed = through(step_of("dbnd", f"m:'rel',d:{percent!r}"), values)
    expected = values[:1]
    for value in values[1:]:
        if abs(value - expected[-1]) > expected[-1] * percent / 100.0:
            expected.append(value)
    assert passed == expected


def test_a_relative_deadband_does_not_end_with_a_value_that_is_no_number() -> None:
    values = [1.0, float("inf"), 2.0, float("nan"), 3.0, 3.1, 4.0]
    passed = through(step_of("dbnd", "rel:10"), values)
    assert [str(v) for v in passed] == ["1.0", "inf", "2.0", "nan", "3.0", "4.0"]


def test_alarms_pass_a_deadband_and_do_not_move_it() -> None:
    step = step_of("dbnd", "abs:2")
    assert through(step, [0]) == [0]
    assert through(step, [1.5], ALARM | VALUE) == [1.5]
    assert through(step, [1.9, 2.1]) == [2.1]


def test_the_first_update_passes_any_deadband() -> None:
    assert through(step_of("dbnd", "abs:Infinity"), [5, 6, -1e300]) == [5]
    assert str(through(step_of("dbnd", "abs:1"), [float("nan"), 1.0])[0]) == "nan"


def test_text_and_arrays_have_no_deadband() -> None:
    step = step_of("dbnd", "abs:100")
    for channel in (ChannelString("1"), ChannelDouble([1.0, 2.0]), ChannelByte(b"\1\2")):
        assert step(update(channel)) is not None
        assert step(update(channel)) is not None


def test_reads_leave_a_deadband_alone() -> None:
    step = step_of("dbnd", "abs:1")
    assert through(step, [0]) == [0]
    assert step(update(ChannelDouble(0.5), 0, reading=True)) is not None
    assert through(step, [0.9, 1.1]) == [1.1]


# -- dec -------------------------------------------------------------------------------------


@fuzzing
@given(st.integers(1, 9), st.integers(0, 40))
def test_every_nth_update_passes(n: int, number: int) -> None:
    values = [float(i) for i in range(number)]
    assert through(step_of("dec", f"n:{n}"), values) == values[::n]


def test_properties_and_reads_are_not_counted() -> None:
    step = step_of("dec", "n:2")
    assert through(step, [0]) == [0]
    assert through(step, [1], PROPERTY | VALUE) == [1]
    assert step(update(ChannelDouble(0), 0, reading=True)) is not None
    assert through(step, [2, 3]) == [3]


# -- sync ------------------------------------------------------------------------------------


@fuzzing
@given(st.lists(st.booleans(), max_size=30))
def test_states_let_updates_pass(states: list[bool]) -> None:
    seen: dict[str, list[int]] = {}
    for mode in ("before", "first", "last", "after", "while", "unless"):
        now = {"red": False}
        step = step_of("sync", f"{mode}:'red'", now)
        seen[mode] = []
        for number, state in enumerate(states):
            now["red"] = state
            out = step(update(ChannelInteger(number)))
            seen[mode] += [] if out is None else [out.frame.value]
    was = [False, *states]
    rises = [i for i in range(len(states)) if states[i] and not was[i]]
    falls = [i for i in range(len(states)) if was[i] and not states[i]]
    assert seen == {
        "while": [i for i, state in enumerate(states) if state],
        "unless": [i for i, state in enumerate(states) if not state],
        "first": rises,
        "after": falls,
        "before": [i - 1 for i in rises if i],
        "last": [i - 1 for i in falls],
    }


def test_what_is_kept_is_what_it_was() -> None:
    states = {"red": False}
    step = step_of("sync", "before:'red'", states)
    channel = ChannelDouble([1.0, 2.0], max_length=5)
    assert step(update(channel)) is None
    channel.restore([3.0])
    states["red"] = True
    out = step(update(channel))
    assert out is not None
    assert list(out.frame.value) == [1.0, 2.0]


def test_a_state_must_exist() -> None:
    with pytest.raises(ConversionError, match="blue"):
        step_of("sync", "while:'blue'", {"red": True})


# -- arr -------------------------------------------------------------------------------------


def reference(values: Sequence[Any], start: int, step: int, end: int) -> list[Any]:
    """Element by element, as one would say it."""
    count = len(values)
    start = max(start + count, 0) if start < 0 else start
    end = max(end + count, 0) if end < 0 else end
    return [
        values[i] for i in range(count) if start <= i <= end and (i - start) % max(step, 1) == 0
    ]


small = st.integers(-12, 12)


@fuzzing
@given(st.lists(st.integers(0, 255), max_size=10), small, small, small)
def test_parts_of_arrays(values: list[int], start: int, step: int, end: int) -> None:
    chosen = make_filter("arr", options(f"s:{start},i:{step},e:{end}"), {})
    shape = chosen.shape((ChannelType.DOUBLE, 10))
    assert shape == (ChannelType.DOUBLE, len(reference(range(10), start, step, end)))
    expected = reference(values, start, step, end)
    for channel in (
        ChannelDouble(values, max_length=10),
        ChannelInteger(values, max_length=10),
        ChannelByte(bytes(values), max_length=10),
        ChannelChar(bytes(values).decode("latin-1"), max_length=20, string_encoding="latin-1"),
        ChannelString([str(v) for v in values], max_length=10),
    ):
        out = chosen.start()(update(channel))
        assert out is not None
        native = channel.data_type
        payload, count = out.frame.payload(native, 0)
        dtype = {0: "S40", 4: ">u1", 5: ">i4", 6: ">f8"}[native]
        got = np.frombuffer(bytes(payload), dtype)[:count].tolist()
        assert [int(v) for v in got] == expected
        assert channel.length == len(values)


def test_a_scalar_has_no_parts() -> None:
    assert make_filter("arr", options("s:1"), {}).shape((ChannelType.DOUBLE, 1)) is None


# -- ts --------------------------------------------------------------------------------------


def test_now_instead_of_the_time_of_the_value() -> None:
    channel = ChannelDouble(5.0)
    before = channel.time_ns
    out = step_of("ts", "")(update(channel))
    assert out is not None
    assert (out.frame.time_ns, out.frame.value, channel.time_ns) == (123, 5.0, before)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("num:'dbl'", 100.25),
        ("num:'sec'", 100),
        ("num:'nsec'", 250_000_000),
        ("num:'sec',epoch:'unix'", 631_152_100),
        ("num:'dbl',epoch:'unix'", 631_152_100.25),
    ],
)
def test_the_time_as_a_number(text: str, expected: float) -> None:
    channel = ChannelString("x", timestamp=TimeStamp(100, 250_000_000))
    out = step_of("ts", text)(update(channel))
    assert out is not None
    assert (out.frame.data_type, out.frame.value) == (ChannelType.DOUBLE, expected)
    assert out.frame.time_ns == channel.time_ns


def test_the_time_in_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "XXX-1")
    time.tzset()
    try:
        stamp = TimeStamp(1_000_000_000, 999_999_600)
        assert local_time(stamp, "epics") == "2021-09-09 02:46:40.999999"
        assert local_time(stamp, "iso") == "2021-09-09T02:46:40.999999+0100"
        assert local_time(TimeStamp(1_000_000_000, 1_500), "epics").endswith(":40.000002")
        assert local_time(TimeStamp(0, 0), "iso") == "<undefined>"
    finally:
        monkeypatch.undo()
        time.tzset()


# -- options ---------------------------------------------------------------------------------


def test_there_are_filters_of_these_names() -> None:
    assert set(FILTERS) == {"ts", "dbnd", "arr", "sync", "dec", "utag"}


words = st.sampled_from(
    ["d", "m", "abs", "rel", "n", "s", "i", "e", "num", "str", "epoch", "", "x"]
)
values = st.sampled_from(
    (
        "1 -1 0 2.5 1e400 true null [] {} '1' '' '0x1f' '08' 'abs' 'iso' 'ts' 'while' 'red' {s:1} "
        "NaN -Infinity 4294967296"
    ).split()
)


@fuzzing
@given(st.sampled_from(sorted(FILTERS)), st.lists(st.tuples(words, values), max_size=4))
def test_any_options_make_a_filter_that_works_or_are_refused(
    name: str, pairs: list[tuple[str, str]]
) -> None:
    text = ",".join(f"'{key}':{value}" for key, value in pairs)
    try:
        made = make_filter(name, options(text), {"red": True})
    except ConversionError:
        return
    for channel in (ChannelDouble(1.0), ChannelDouble([1.0, 2.0]), ChannelString("x")):
        shape = made.shape(channel.shown_as)
        if shape is None:
            continue
        step = made.start()
        for events in (VALUE, ALARM, PROPERTY):
            out = step(update(channel, events))
            if out is not None:
                assert out.frame.payload(shape[0], 0)[1] <= shape[1]
