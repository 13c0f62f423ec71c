"""Alarms: by limits, by hand, acknowledged, one for each PV unless several share one."""

import asyncio
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pv_feed import Recorder

from ioc_ops.ca import EventMask, unpack_payload
from ioc_ops.channel import (
    Alarm,
    AlarmSeverity,
    AlarmStatus,
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelInteger,
    ChannelString,
    ChannelType,
    Metadata,
)

NO, MINOR, MAJOR, INVALID = AlarmSeverity
LIMITS: dict[str, float] = {
    "lower_alarm_limit": -8.0,
    "lower_warning_limit": -5.0,
    "upper_warning_limit": 5.0,
    "upper_alarm_limit": 8.0,
}


def state(pv: ChannelData) -> tuple[AlarmStatus, AlarmSeverity]:
    return pv.status, pv.severity


def test_an_alarm_may_begin_in_any_state() -> None:
    alarm = Alarm(
        status=AlarmStatus.READ,
        severity=MINOR,
        must_acknowledge_transient=False,
        severity_to_acknowledge=MAJOR,
        alarm_string="no answer",
    )
    assert alarm.state == (AlarmStatus.READ, MINOR)
    assert (alarm.must_acknowledge_transient, alarm.severity_to_acknowledge) == (False, MAJOR)
    assert alarm.alarm_string == "no answer"


@pytest.mark.parametrize(
    ("value", "status", "severity"),
    [
        (0.0, AlarmStatus.NO_ALARM, NO),
        (4.999, AlarmStatus.NO_ALARM, NO),
        (5.0, AlarmStatus.HIGH, MINOR),
        (7.999, AlarmStatus.HIGH, MINOR),
        (8.0, AlarmStatus.HIHI, MAJOR),
        (math.inf, AlarmStatus.HIHI, MAJOR),
        (-4.999, AlarmStatus.NO_ALARM, NO),
        (-5.0, AlarmStatus.LOW, MINOR),
        (-7.999, AlarmStatus.LOW, MINOR),
        (-8.0, AlarmStatus.LOLO, MAJOR),
        (-math.inf, AlarmStatus.LOLO, MAJOR),
        (math.nan, AlarmStatus.NO_ALARM, NO),
    ],
)
def test_limits_are_inclusive_and_the_graver_one_wins(
    value: float, status: AlarmStatus, severity: AlarmSeverity
) -> None:
    pv = ChannelDouble(0.0, **LIMITS)
    asyncio.run(pv.write(value))
    assert state(pv) == (status, severity)
    assert state(ChannelDouble(value, **LIMITS)) == (status, severity)
    pv.assign(0.0)
    assert state(pv) == (AlarmStatus.NO_ALARM, NO)


def test_equal_limits_are_none() -> None:
    pv = ChannelDouble(9.0, upper_alarm_limit=5.0, lower_alarm_limit=5.0)
    assert state(pv) == (AlarmStatus.NO_ALARM, NO)


def test_a_limit_without_severity_is_passed_over() -> None:
    limits = Metadata(
        **LIMITS, upper_alarm_severity=AlarmSeverity.NO_ALARM, lower_warning_severity=INVALID
    )
    assert limits.alarm_of(9.0) == (AlarmStatus.HIGH, MINOR)
    assert limits.alarm_of(-6.0) == (AlarmStatus.LOW, INVALID)


def test_each_pv_has_an_alarm_of_its_own() -> None:
    one, two = ChannelInteger(0, name="one"), ChannelInteger(0, name="two")
    heard = Recorder(two)
    asyncio.run(one.write(1, status=AlarmStatus.COMM, severity=INVALID))
    assert state(one) == (AlarmStatus.COMM, INVALID)
    assert state(two) == (AlarmStatus.NO_ALARM, NO)
    assert heard.values == []


def test_pvs_that_share_an_alarm_hear_of_it_once_and_keep_their_time() -> None:
    shared = Alarm()
    one = ChannelInteger(1, name="one", alarm=shared)
    two = ChannelInteger(2, name="two", alarm=shared)
    heard_one, heard_two = Recorder(one), Recorder(two)
    value_only = Recorder(two, EventMask.VALUE)
    before, stale = two.time_ns, two.payload(ChannelType.STS_LONG, 1)
    asyncio.run(one.write(5, status=AlarmStatus.LINK, severity=MAJOR))
    assert (heard_one.values, heard_two.values, value_only.values) == ([5], [2], [])
    assert state(two) == (AlarmStatus.LINK, MAJOR)
    assert two.payload(ChannelType.STS_LONG, 1) != stale
    assert two.time_ns == before
    # The same state again is no news.
    asyncio.run(one.write(6, status=AlarmStatus.LINK, severity=MAJOR))
    assert heard_two.values == [2]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((AlarmStatus.HIGH, MINOR), (AlarmStatus.HIGH, MAJOR)),
        ((AlarmStatus.HIGH, MINOR), (AlarmStatus.LOW, MINOR)),
    ],
)
def test_a_change_of_status_or_severity_alone_is_news(first: Any, second: Any) -> None:
    pv = ChannelInteger(0, name="x")
    pv.alarm.change(*first)
    heard = Recorder(pv, EventMask.ALARM)
    assert pv.alarm.change(*second) is True
    assert pv.alarm.change(*second) is False
    assert len(heard.values) == 1


def test_an_alarm_by_hand_keeps_value_and_time_and_tells_the_monitors() -> None:
    pv = ChannelString("v", name="x")
    heard = Recorder(pv, EventMask.ALARM)
    values = Recorder(pv, EventMask.VALUE | EventMask.LOG)
    before = pv.time_ns
    pv.payload(ChannelType.STS_STRING, 1)
    asyncio.run(pv.alarm.write(status=AlarmStatus.COMM, severity=INVALID, alarm_string="lost"))
    assert (pv.value, pv.time_ns, pv.alarm.alarm_string) == ("v", before, "lost")
    assert (heard.values, values.values) == (["v"], [])
    extras, _ = unpack_payload(
        ChannelType.STS_STRING, 1, bytes(pv.payload(ChannelType.STS_STRING, 1)[0])
    )
    assert (extras.status, extras.severity) == (AlarmStatus.COMM, INVALID)
    asyncio.run(pv.alarm.write(severity=MINOR))
    assert state(pv) == (AlarmStatus.COMM, MINOR)


def test_an_alarm_told_to_nobody_is_there_for_the_next_who_asks() -> None:
    pv = ChannelInteger(1, name="x")
    heard = Recorder(pv)
    before = pv.payload(ChannelType.STS_LONG, 1)
    asyncio.run(pv.alarm.write(status=AlarmStatus.CALC, severity=MAJOR, publish=False))
    assert heard.values == []
    assert state(pv) == (AlarmStatus.CALC, MAJOR)
    assert pv.payload(ChannelType.STS_LONG, 1) != before


@pytest.mark.parametrize(
    "pv",
    [ChannelString("a", name="x"), ChannelInteger([1, 2], name="x"), ChannelEnum(0, name="x")],
    ids=["string", "array", "enum"],
)
def test_a_good_write_ends_an_alarm_of_any_type(pv: ChannelData) -> None:
    pv.alarm.change(AlarmStatus.WRITE, MAJOR)
    heard = Recorder(pv, EventMask.ALARM)
    asyncio.run(pv.write(pv.value))
    assert state(pv) == (AlarmStatus.NO_ALARM, NO)
    assert len(heard.values) == 1


# --- acknowledging (recGblResetAlarms, putAckt, putAcks) ------------------------------------


def test_a_transient_alarm_waits_for_its_acknowledgement() -> None:
    alarm = Alarm()
    alarm.change(AlarmStatus.HIGH, MINOR)
    alarm.change(AlarmStatus.HIHI, MAJOR)
    alarm.change(AlarmStatus.NO_ALARM, NO)
    assert alarm.severity_to_acknowledge == MAJOR
    alarm.acknowledge(MINOR)
    assert alarm.severity_to_acknowledge == MAJOR
    alarm.acknowledge(MAJOR)
    assert alarm.severity_to_acknowledge == NO


def test_without_ackt_the_severity_to_acknowledge_falls_with_the_alarm() -> None:
    alarm = Alarm()
    alarm.require_acknowledge(False)
    alarm.change(AlarmStatus.HIHI, MAJOR)
    assert alarm.severity_to_acknowledge == MAJOR
    alarm.change(AlarmStatus.HIGH, MINOR)
    assert alarm.severity_to_acknowledge == MINOR
    alarm.require_acknowledge(True)
    alarm.change(AlarmStatus.NO_ALARM, NO)
    assert alarm.severity_to_acknowledge == MINOR
    alarm.require_acknowledge(False)
    assert alarm.severity_to_acknowledge == NO


def test_acknowledging_is_news_for_alarm_monitors_and_shown_to_clients() -> None:
    pv = ChannelInteger(1, name="x")
    pv.alarm.change(AlarmStatus.HIHI, MAJOR)
    heard = Recorder(pv, EventMask.ALARM)

    def shown() -> tuple[int, int]:
        payload = bytes(pv.payload(ChannelType.STSACK_STRING, 1)[0])
        extras, _ = unpack_payload(ChannelType.STSACK_STRING, 1, payload)
        return extras.ackt, extras.acks

    assert shown() == (1, MAJOR)
    pv.alarm.acknowledge(MAJOR)
    assert shown() == (1, NO)
    pv.alarm.require_acknowledge(False)
    assert shown() == (0, NO)
    assert len(heard.values) == 2


def test_ackt_by_hand_is_shown_to_clients() -> None:
    pv = ChannelInteger(1, name="x")
    before = pv.payload(ChannelType.STSACK_STRING, 1)
    asyncio.run(pv.alarm.write(must_acknowledge_transient=False))
    assert pv.payload(ChannelType.STSACK_STRING, 1) != before


@given(st.lists(st.sampled_from(list(AlarmSeverity)), min_size=1))
def test_the_gravest_alarm_since_the_last_acknowledgement_is_kept(
    severities: list[AlarmSeverity],
) -> None:
    alarm = Alarm()
    for severity in severities:
        alarm.change(AlarmStatus.STATE if severity else AlarmStatus.NO_ALARM, severity)
    assert alarm.severity_to_acknowledge == max(severities)
    assert asyncio.run(alarm.read()) is alarm
