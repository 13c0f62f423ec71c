"""What a PV tells its monitors, and when: masks, deadbands, metadata; payloads made once."""

import asyncio
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pv_feed import ANY_EVENT, Recorder

from ioc_ops.ca import EventMask, TimeStamp, unpack_payload
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
    ChannelType,
)
from ioc_ops.errors import ConversionError

VALUE, LOG, ALARM, PROPERTY = EventMask.VALUE, EventMask.LOG, EventMask.ALARM, EventMask.PROPERTY


def masks(pv: ChannelData) -> dict[EventMask, Recorder]:
    return {mask: Recorder(pv, mask) for mask in (VALUE, LOG, ALARM, PROPERTY)}


def told(recorders: dict[EventMask, Recorder]) -> EventMask:
    """The kinds of events since the last look; each at most once."""
    heard = EventMask(0)
    for mask, recorder in recorders.items():
        assert len(recorder.values) <= 1
        if recorder.values:
            heard |= mask
        recorder.values.clear()
    return heard


# --- masks ---------------------------------------------------------------------------------


def test_each_change_is_told_to_who_wants_to_hear_of_it() -> None:
    pv = ChannelDouble(0.0, name="x", upper_alarm_limit=5, lower_alarm_limit=-5)
    heard = masks(pv)
    asyncio.run(pv.write(1.0))
    assert told(heard) == VALUE | LOG
    asyncio.run(pv.write(6.0))
    assert told(heard) == VALUE | LOG | ALARM
    asyncio.run(pv.write(7.0))
    assert told(heard) == VALUE | LOG
    pv.assign(0.0)
    assert told(heard) == VALUE | LOG | ALARM
    pv.alarm.change(AlarmStatus.COMM, AlarmSeverity.INVALID_ALARM)
    assert told(heard) == ALARM
    asyncio.run(pv.write_metadata(units="mm"))
    assert told(heard) == PROPERTY
    asyncio.run(pv.write_metadata(units="m", publish=False))
    assert told(heard) == EventMask(0)
    asyncio.run(pv.publish(LOG))
    assert told(heard) == LOG


def test_a_write_may_bring_metadata_and_events_of_its_own() -> None:
    pv = ChannelDouble(0.0, name="x")
    heard = masks(pv)
    asyncio.run(pv.write(1.0, units="mm", upper_ctrl_limit=10, lower_ctrl_limit=-10))
    assert told(heard) == VALUE | LOG | PROPERTY
    assert (pv.units, pv.upper_ctrl_limit) == ("mm", 10)
    asyncio.run(pv.write(2.0, flags=ALARM))
    assert told(heard) == VALUE | LOG | ALARM


def test_a_write_is_one_event_for_a_monitor_of_everything() -> None:
    pv = ChannelDouble(0.0, name="x")
    heard = Recorder(pv, ANY_EVENT)
    asyncio.run(pv.write(1.0, units="mm", status=AlarmStatus.CALC, severity=1))
    assert heard.values == [1.0]


def test_who_has_left_hears_nothing_and_two_pvs_do_not_mix() -> None:
    one, two = ChannelInteger(0, name="one"), ChannelInteger(0, name="two")
    leaving, staying, other = Recorder(one), Recorder(one), Recorder(two)
    leaving.cancel()
    one.assign(1)
    assert (leaving.values, staying.values, other.values) == ([], [1], [])


# --- deadbands -----------------------------------------------------------------------------


def test_small_steps_are_told_when_they_add_up() -> None:
    pv = ChannelDouble(0.0, name="x", value_atol=1.0, log_atol=2.5)
    heard = masks(pv)
    expected = {0.5: 0, 1.0: 0, 1.5: VALUE, 2.0: 0, 2.6: VALUE | LOG, 2.7: 0, 0.0: VALUE | LOG}
    for value, events in expected.items():
        asyncio.run(pv.write(value))
        assert told(heard) == events, value
        assert pv.value == value


def test_a_deadband_of_nothing_tells_changes_only() -> None:
    pv = ChannelInteger(5, name="x", value_atol=0)
    heard = Recorder(pv, VALUE)
    archived = Recorder(pv, LOG)
    for value in (5, 6, 6, 5):
        pv.assign(value)
    assert heard.values == [6, 5]
    assert archived.values == [5, 6, 6, 5]


@pytest.mark.parametrize("width", [None, -1.0])
def test_without_a_deadband_every_write_is_told(width: float | None) -> None:
    pv = ChannelDouble(1.0, name="x", value_atol=width)
    heard = Recorder(pv, VALUE)
    for _ in range(3):
        pv.assign(1.0)
    assert heard.values == [1.0] * 3


@pytest.mark.parametrize(
    ("old", "new", "news"),
    [
        (math.nan, math.nan, False),
        (math.nan, 1.0, True),
        (1.0, math.nan, True),
        (math.inf, math.inf, False),
        (math.inf, -math.inf, True),
        (math.inf, math.nan, True),
        (1.0, math.inf, True),
        (-math.inf, 1.0, True),
    ],
)
def test_deadbands_know_what_is_not_finite(old: float, new: float, news: bool) -> None:
    pv = ChannelDouble(old, name="x", value_atol=1e300)
    heard = Recorder(pv, VALUE)
    pv.assign(new)
    assert bool(heard.values) is news


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), max_size=20),
    st.floats(0, 100),
)
def test_what_a_monitor_last_heard_is_never_further_off_than_the_deadband(
    values: list[float], width: float
) -> None:
    pv = ChannelDouble(0.0, name="x", value_atol=width)
    heard = Recorder(pv, VALUE)
    last = 0.0
    for value in values:
        pv.assign(value)
        if abs(value - last) > width:
            assert heard.values[-1] == value
            last = value
        assert abs(pv.value - last) <= width


def test_a_new_alarm_passes_the_deadband_for_alarm_monitors() -> None:
    pv = ChannelDouble(4.9, name="x", value_atol=10, upper_alarm_limit=5, lower_alarm_limit=-5)
    value, alarm = Recorder(pv, VALUE), Recorder(pv, ALARM)
    pv.assign(5.0)
    assert (value.values, alarm.values) == ([], [5.0])


def test_a_deadband_may_be_changed_at_run_time() -> None:
    pv = ChannelDouble(0.0, name="x", value_atol=10)
    heard = Recorder(pv, VALUE)
    pv.assign(1.0)
    asyncio.run(pv.write_metadata(value_atol=0.5))
    pv.assign(2.0)
    assert heard.values == [2.0]
    asyncio.run(pv.write_metadata(value_atol=-1))
    pv.assign(2.0)
    assert heard.values == [2.0, 2.0]


def test_arrays_have_no_deadband() -> None:
    pv = ChannelDouble([0.0, 0.0], name="x", value_atol=10)
    heard = Recorder(pv, VALUE)
    asyncio.run(pv.write([0.0, 0.0]))
    assert len(heard.values) == 1


# --- metadata ------------------------------------------------------------------------------


def test_new_limits_reach_clients_and_rule_the_next_write() -> None:
    pv = ChannelDouble(3.0, name="x")
    heard = masks(pv)
    before = pv.payload(ChannelType.CTRL_DOUBLE, 1)
    time = pv.time_ns
    asyncio.run(pv.write_metadata(upper_alarm_limit=2, lower_alarm_limit=-2, precision=2))
    assert told(heard) == PROPERTY
    assert pv.payload(ChannelType.CTRL_DOUBLE, 1) != before
    assert pv.time_ns == time
    asyncio.run(pv.write(3.0))
    assert pv.status == AlarmStatus.HIHI
    assert told(heard) == VALUE | LOG | ALARM


def test_pvs_that_said_the_same_do_not_change_together() -> None:
    one, two = ChannelDouble(0.0, name="one"), ChannelDouble(0.0, name="two")
    asyncio.run(one.write_metadata(units="mm"))
    assert (one.units, two.units) == ("mm", "")


def test_metadata_that_is_none_stays_as_it_is() -> None:
    pv = ChannelDouble(0.0, name="x", units="mm", precision=3)
    asyncio.run(pv.write_metadata(units=None, precision=None, upper_disp_limit=5))
    assert (pv.units, pv.precision, pv.upper_disp_limit) == ("mm", 3, 5)


def test_metadata_may_bring_alarm_and_time() -> None:
    pv = ChannelDouble(0.0, name="x")
    stamp = TimeStamp(1, 2)
    asyncio.run(pv.write_metadata(timestamp=stamp, status=AlarmStatus.CALC, severity=2))
    assert pv.epics_timestamp == stamp
    assert (pv.status, pv.severity) == (AlarmStatus.CALC, 2)


@pytest.mark.parametrize(
    ("pv", "unknown"),
    [
        (ChannelDouble(0.0, name="x"), {"colour": "red"}),
        (ChannelString("", name="x"), {"units": "mm"}),
        (ChannelEnum(0, name="x"), {"precision": 2}),
    ],
)
def test_unknown_metadata_is_refused_by_name(pv: ChannelData, unknown: dict[str, Any]) -> None:
    with pytest.raises(ConversionError, match=f"x: .* has no {next(iter(unknown))}"):
        asyncio.run(pv.write_metadata(**unknown))


# --- payloads ------------------------------------------------------------------------------

EVERY_TYPE = [
    (ChannelDouble(1.5, name="x", precision=2), 2.5),
    (ChannelInteger(1, name="x"), 2),
    (ChannelInteger([1, 2, 3], name="x"), [4, 5]),
    (ChannelString("1", name="x"), "2"),
    (ChannelString(["1", "2"], name="x"), ["3"]),
    (ChannelChar("12", name="x"), "345"),
    (ChannelByte(b"\1\2", name="x", max_length=3), b"\3"),
    (ChannelEnum(0, name="x", enum_strings=["a", "b"]), "b"),
]


@pytest.mark.parametrize(("pv", "new"), EVERY_TYPE, ids=lambda p: type(p).__name__)
def test_a_payload_is_made_once_and_dropped_with_every_change(pv: ChannelData, new: Any) -> None:
    def look() -> list[Any]:
        kinds = [ChannelType(family * 7 + pv.data_type) for family in range(5)]
        return [pv.payload(kind, 0)[0] for kind in kinds]

    first = look()
    assert all(a is b for a, b in zip(first, look(), strict=True))
    stored = pv.convert(new)
    pv.commit(stored, pv.time_ns, 0, 0)
    second = look()
    assert all(a != b for a, b in zip(first, second, strict=True))
    pv.alarm.change(AlarmStatus.CALC, AlarmSeverity.MINOR_ALARM)
    third = look()
    assert third[0] == second[0]
    assert all(a != b for a, b in zip(second[1:], third[1:], strict=True))
    pv.commit(stored, pv.time_ns + 1, AlarmStatus.CALC, AlarmSeverity.MINOR_ALARM)
    fourth = look()
    assert [a != b for a, b in zip(third, fourth, strict=True)] == [
        False,
        False,
        True,
        False,
        False,
    ]


def test_counts_that_a_client_makes_up_do_not_fill_the_memory() -> None:
    pv = ChannelInteger([0] * 1000, name="x")
    for count in range(1, 1000):
        pv.payload(ChannelType.LONG, count)
    assert len(pv.encoded) <= 16
    scalar = ChannelInteger(0, name="x")
    for count in range(2, 1000):
        scalar.payload(ChannelType.LONG, count)
    assert len(scalar.encoded) <= 1


@pytest.mark.parametrize(("pv", "new"), EVERY_TYPE, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("family", range(5))
def test_payloads_are_padded_and_say_what_the_pv_says(
    pv: ChannelData, new: Any, family: int
) -> None:
    pv.commit(pv.convert(new), 1_000_000_000 * 10**9 + 7, AlarmStatus.LINK, 2)
    kind = ChannelType(family * 7 + pv.data_type)
    payload, count = pv.payload(kind, 0)
    assert len(payload) % 8 == 0
    assert count == pv.length
    extras, raw = unpack_payload(kind, count, bytes(payload))
    assert raw == bytes(pv.wire(pv.data_type, count))
    if family:
        assert (extras.status, extras.severity) == (AlarmStatus.LINK, 2)
    if family == 2:
        assert (extras.seconds, extras.nanoseconds) == (1_000_000_000 - 631_152_000, 7)


def test_the_class_name_is_the_record_type() -> None:
    pv = ChannelInteger(0, name="x", reported_record_type="longin")
    payload, count = pv.payload(ChannelType.CLASS_NAME, 1)
    assert (bytes(payload).rstrip(b"\0"), count) == (b"longin", 1)
