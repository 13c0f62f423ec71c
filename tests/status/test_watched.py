"""A PV whose updates are kept, and which PV a name means."""

import math
from typing import Any

import numpy as np
import pytest

from ioc_ops.channel import AlarmSeverity, AlarmStatus, ChannelByte, ChannelDouble
from ioc_ops.errors import ConfigurationError
from ioc_ops.group import PVGroup, SubGroup, pvproperty
from ioc_ops.server import Context
from ioc_ops.status.watched import MOST_WAITING, Watched, find, numbers_of
from ioc_ops.status.window import Batch


class Zone(PVGroup):
    temp = pvproperty(value=20.0, record="ai")
    label = pvproperty(value="front")


class Oven(PVGroup):
    zone1 = SubGroup(Zone, prefix="Z1:")
    zone2 = SubGroup(Zone, prefix="Z2:")
    power = pvproperty(value=0, name="PWR")
    door = pvproperty(value=False)
    text = pvproperty(value="abc", dtype=str, max_length=20)
    image = pvproperty(value=np.zeros(16, np.uint8), max_length=16)


def taken(watched: Watched) -> Batch:
    return watched.take().digest()


def found(text: str, oven: Oven, group: PVGroup | None) -> dict[str, str]:
    context = Context(oven.pvdb)
    return {label: pv.name for label, pv in find(text, group, context.find, context.pvdb)}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("power", "oven:PWR"),  # attribute
        ("PWR", "oven:PWR"),  # name without the prefix
        ("oven:PWR", "oven:PWR"),
        ("zone1.temp", "oven:Z1:temp"),
        ("zone1.temp.HIHI", None),
        ("oven:Z1:temp.HIHI", "oven:Z1:temp.HIHI"),  # a field
        ("nothing", None),
    ],
)
def test_one_pv_by_attribute_or_name(text: str, name: str | None) -> None:
    oven = Oven("oven:")
    if name is None:
        with pytest.raises(ConfigurationError, match=text):
            found(text, oven, oven)
    else:
        assert list(found(text, oven, oven).values()) == [name]


def test_an_inner_group_finds_its_own_first_and_then_those_around_it() -> None:
    oven = Oven("oven:")
    assert found("temp", oven, oven.zone2) == {"temp": "oven:Z2:temp"}
    assert found("power", oven, oven.zone2) == {"oven:PWR": "oven:PWR"}


@pytest.mark.parametrize(
    "pattern", ["zone*.temp", "Z?:temp", "oven:Z[12]:*", "*:temp", "zone*.*", "Z*"]
)
def test_a_pattern_means_all_that_hold_numbers(pattern: str) -> None:
    oven = Oven("oven:")
    assert found(pattern, oven, oven) == {"Z1:temp": "oven:Z1:temp", "Z2:temp": "oven:Z2:temp"}


def test_a_pattern_takes_an_alias_for_nothing_of_its_own() -> None:
    oven = Oven("oven:")
    oven.add_alias("POWER", "power")
    assert found("P*", oven, oven) == {"PWR": "oven:PWR"}
    assert found("POWER", oven, oven) == {"PWR": "oven:PWR"}


@pytest.mark.parametrize(
    ("text", "why"),
    [("door", "ENUM"), ("zone1.label", "STRING|CHAR"), ("text", "CHAR"), ("x*", "matches 'x\\*'")],
)
def test_what_holds_no_numbers_is_refused_by_name(text: str, why: str) -> None:
    oven = Oven("oven:")
    with pytest.raises(ConfigurationError, match=why):
        found(text, oven, oven)


def test_each_update_is_kept_once() -> None:
    oven = Oven("oven:")
    watched = Watched(oven.power, lambda: None)
    for value in (1, 2, 3):
        oven.power.assign(value)
    batch = taken(watched)
    assert (batch.updates, batch.moments.count, batch.moments.mean) == (3, 3, 2.0)
    assert taken(watched).updates == 0
    watched.end()
    oven.power.assign(4)
    assert taken(watched).updates == 0


def test_a_record_counts_what_a_monitor_would_get() -> None:
    oven = Oven("oven:")
    watched = Watched(oven.zone1.temp, lambda: None)
    for value in (20.0, 20.0, 21.0, 21.0):
        oven.zone1.temp.assign(value)
    assert taken(watched).updates == 1


def test_a_change_of_alarm_or_metadata_is_no_update() -> None:
    pv = ChannelDouble(1.0)
    watched = Watched(pv, lambda: None)
    pv.alarm.change(AlarmStatus.LINK, AlarmSeverity.MAJOR_ALARM)
    pv.update_metadata(units="mm")
    assert taken(watched).updates == 0


def test_updates_in_invalid_alarm_are_counted_and_left_out() -> None:
    pv = ChannelDouble(1.0)
    watched = Watched(pv, lambda: None)
    invalid = (int(AlarmStatus.LINK), int(AlarmSeverity.INVALID_ALARM))
    pv.commit(1e6, 0, *invalid)
    assert watched.take().held(None) is None
    pv.commit(1e6, 0, *invalid)
    pv.commit(2.0, 0, 0, 0)
    pv.commit(3.0, 0, int(AlarmStatus.HIHI), int(AlarmSeverity.MAJOR_ALARM))
    batch = taken(watched)
    assert (batch.updates, batch.invalid, batch.moments.mean) == (3, 1, 2.5)


def test_arrays_count_by_their_elements_and_are_not_copied() -> None:
    pv = ChannelDouble([0.0] * 8, max_length=8)
    watched = Watched(pv, lambda: None)
    for value in ([1.0, 2.0], [], [math.nan, 6.0, 7.0]):
        pv.assign(pv.convert(np.array(value)))
    batch = taken(watched)
    assert (batch.updates, batch.moments.count, batch.nonfinite) == (3, 4, 1)
    assert batch.moments.mean == 4.0
    value: Any = numbers_of(pv)
    assert np.shares_memory(value, pv._stored)
    assert value.tolist()[1:] == [6.0, 7.0]


def test_bytes_of_an_image_are_numbers() -> None:
    pv = ChannelByte(b"\x01\xff", max_length=4)
    batch = watched_once(pv, b"\x00\xfe\x02")
    assert (batch.moments.count, batch.moments.least, batch.moments.largest) == (3, 0, 254)


def watched_once(pv: Any, value: object) -> Batch:
    watched = Watched(pv, lambda: None)
    pv.assign(pv.convert(value))
    return taken(watched)


def test_what_waits_is_bounded_somebody_is_called_and_what_is_skipped_is_told() -> None:
    called: list[int] = []
    pv = ChannelDouble([0.0], max_length=100_000)
    watched = Watched(pv, lambda: called.append(1))
    for _ in range(5):
        pv.assign(pv.convert(np.ones(100_000)))
    assert called == [1]
    batch = taken(watched)
    assert (batch.updates, batch.skipped) == (5, 3)
    assert batch.moments.count == 200_000 <= MOST_WAITING
    # One array is looked at however large it is.
    large = ChannelDouble([0.0], max_length=MOST_WAITING + 1)
    assert watched_once(large, np.ones(MOST_WAITING + 1)).moments.count == MOST_WAITING + 1
