"""Noticing changes: all of them, once, and a little at a time."""

import asyncio
import math
from typing import Any

import numpy as np
import pytest

from ioc_ops.autosave.values import Value
from ioc_ops.autosave.watch import Watch
from ioc_ops.channel import ChannelData, ChannelDouble, ChannelEnum, ChannelInteger, ChannelString
from ioc_ops.group import PVGroup, pvproperty


def taken(watch: Watch) -> list[tuple[str, Value]]:
    for _ in watch.take():
        pass
    return watch.hand_on()


def write(channel: ChannelData, value: object, **options: object) -> None:
    asyncio.run(channel.write(value, **options))  # type: ignore[arg-type]


def integers(count: int) -> dict[str, ChannelData]:
    return {f"pv{number}": ChannelInteger(number) for number in range(count)}


def test_everything_is_new_at_first_and_nothing_afterwards() -> None:
    watch = Watch(integers(3))
    assert taken(watch) == [("pv0", 0), ("pv1", 1), ("pv2", 2)]
    assert taken(watch) == []
    assert not any(watch.look())


@pytest.mark.parametrize("count", [1, 2000, 2001, 7000])
def test_one_change_among_many_is_found_wherever_it_is(count: int) -> None:
    channels = integers(count)
    watch = Watch(channels)
    taken(watch)
    for value, name in enumerate(("pv0", f"pv{count // 2}", f"pv{count - 1}"), 10_000):
        write(channels[name], value)
        assert any(watch.look())
        assert taken(watch) == [(name, value)]


@pytest.mark.parametrize(
    ("channel", "value"),
    [
        (ChannelDouble(1.0), float("1")),  # the same value written anew: its text decides later
        (ChannelDouble(math.nan), float("nan")),
        (ChannelDouble(0.0), -0.0),
        (ChannelInteger(5), 6),
        (ChannelEnum("a", enum_strings=["a", "a"]), 1),
        (ChannelString("a"), "b"),
        (ChannelDouble([1.0], max_length=3), np.array([2.0])),
    ],
    ids=str,
)
def test_every_new_value_is_a_change(channel: ChannelData, value: object) -> None:
    watch = Watch({"pv": channel})
    taken(watch)
    assert not watch.news
    write(channel, value)
    assert watch.news
    assert len(taken(watch)) == 1
    assert not watch.news


def read(channel: ChannelData, answer: object) -> None:
    async def getter(instance: object) -> object:
        return answer

    channel.getter = getter
    asyncio.run(channel.read())


def put(channel: ChannelData, stored: object) -> None:
    asyncio.run(channel.put(stored))


@pytest.mark.parametrize("change", [write, put, read, ChannelDouble.assign, ChannelDouble.restore])
def test_every_way_to_change_a_value_is_news_below_its_deadband_too(change: Any) -> None:
    channel = ChannelDouble(1.0, value_atol=100.0, log_atol=100.0)
    watch = Watch({"pv": channel})
    taken(watch)
    change(channel, 2.0)
    assert watch.news
    assert taken(watch) == [("pv", 2.0)]


def test_what_a_field_shows_of_its_record_is_news() -> None:
    group: Any = type("Group", (PVGroup,), {"x": pvproperty(value=1.0, record="ai")})("T:")
    field = group.x.fields["HIHI"]
    watch = Watch({"T:x.HIHI": field})
    taken(watch)
    asyncio.run(group.x.write_metadata(upper_alarm_limit=9.0))
    assert watch.news
    assert taken(watch) == [("T:x.HIHI", 9.0)]


def test_news_that_come_while_all_are_looked_at_are_news_afterwards() -> None:
    channels = integers(5000)
    watch = Watch(channels)
    for value, walk in enumerate((watch.take, watch.look), 1000):
        steps = iter(walk())
        next(steps)
        write(channels["pv0"], value)  # behind the walk
        for _ in steps:
            pass
        assert watch.news
        assert taken(watch)[-1:] == [("pv0", value)]
        assert not watch.news


def test_a_walk_that_found_a_change_or_was_abandoned_leaves_the_news() -> None:
    channels = integers(5000)
    watch = Watch(channels)
    assert any(watch.look())
    assert watch.news
    walk = watch.take()
    next(walk)
    walk.close()
    assert watch.news


def test_a_pv_that_is_watched_no_longer_is_no_news() -> None:
    channels = integers(2)
    watch = Watch(channels)
    taken(watch)
    watch.remove("pv0")
    write(channels["pv0"], 8)
    assert not watch.news
    watch.close()
    assert all(not channel.feeds for channel in channels.values())


def test_a_write_with_the_time_of_the_one_before_is_a_change() -> None:
    channel = ChannelDouble(1.0, timestamp=5.0)
    watch = Watch({"pv": channel})
    taken(watch)
    write(channel, 2.0, timestamp=5.0)
    assert any(watch.look())
    assert taken(watch) == [("pv", 2.0)]


def test_a_state_that_gets_another_name_is_a_change() -> None:
    channel = ChannelEnum("a", enum_strings=["a", "b"])
    watch = Watch({"pv": channel})
    taken(watch)
    asyncio.run(channel.write_metadata(enum_strings=["c", "b"]))
    assert watch.news
    assert any(watch.look())


def test_the_fields_of_a_record_do_not_change_with_it() -> None:
    group: Any = type("Group", (PVGroup,), {"x": pvproperty(value=1.0, record="ai")})("T:")
    field = group.x.fields["HIHI"]
    watch = Watch({"T:x.HIHI": field})
    taken(watch)
    before = field.time_ns
    write(group.x, 2.0)
    assert field.time_ns > before
    assert not any(watch.look())
    write(field, 9.0)
    assert taken(watch) == [("T:x.HIHI", 9.0)]


def test_known_values_are_no_changes_until_they_are_forgotten() -> None:
    channels = integers(2)
    watch = Watch(channels)
    watch.accept(channels)
    assert taken(watch) == []
    assert not watch.news
    watch.forget(["pv1"])
    assert watch.news
    assert any(watch.look())
    assert taken(watch) == [("pv1", 1)]


def test_work_comes_in_small_portions() -> None:
    watch = Watch(integers(5000))
    portions = []
    before = 0
    for _ in watch.take():
        portions.append(len(watch.taken) - before)
        before = len(watch.taken)
    assert sum(portions) == 5000
    assert max(portions) <= 200
    assert len(list(watch.look())) == 3


def test_large_arrays_are_a_portion_each() -> None:
    arrays = {f"pv{number}": ChannelDouble(np.zeros(100_000)) for number in range(3)}
    portions = 0
    watch = Watch(arrays)
    for portions, _ in enumerate(watch.take(), start=1):
        assert len(watch.taken) <= portions
    assert portions >= 3


def test_a_walk_that_is_abandoned_loses_nothing() -> None:
    channels = integers(1000)
    watch = Watch(channels)
    walk = watch.take()
    next(walk)
    walk.close()
    assert 0 < len(watch.taken) < 1000
    assert dict(taken(watch)) == {name: channel.value for name, channel in channels.items()}


def test_what_was_handed_on_is_not_handed_on_again() -> None:
    watch = Watch(integers(1))
    assert len(taken(watch)) == 1
    assert watch.hand_on() == []


class _Odd(ChannelInteger):
    odd = False

    def present(self, stored: object) -> object:
        return object() if self.odd else stored


def test_a_value_that_cannot_be_saved_is_remembered_until_it_can() -> None:
    channel = _Odd(1)
    watch = Watch({"pv": channel})
    _Odd.odd = True
    assert taken(watch) == []
    assert list(watch.unsavable) == ["pv"]
    _Odd.odd = False
    write(channel, 2)
    assert taken(watch) == [("pv", 2)]
    assert watch.unsavable == {}
