"""What hooks and IOCs do with writes: SkipWrite, verify_value, alarms, times, re-entry."""

import asyncio
from contextvars import ContextVar
from enum import IntEnum
from typing import Any

import pytest

from ioc_ops import AlarmSeverity, AlarmStatus, ChannelAlarm, SkipWrite, TimeStamp
from ioc_ops.errors import LimitError
from ioc_ops.group import PVGroup, PVSpec, pvproperty

GOOD = (AlarmStatus.NO_ALARM, AlarmSeverity.NO_ALARM)


class Feed:
    """A subscriber that notes what it is told of."""

    mask = 0xF

    def __init__(self, pv: Any) -> None:
        self.pv, self.values = pv, []
        pv.subscribe(self)

    def post(self) -> None:
        self.values.append(self.pv.value)


@pytest.mark.parametrize("way", ["raise", "return", "return one", "raise the class"])
def test_skip_write_drops_the_write_without_a_trace(way: str) -> None:
    class Group(PVGroup):
        x = pvproperty(value=1)

        @x.putter
        async def x(self, instance: Any, value: int) -> Any:
            if way == "raise":
                raise SkipWrite()
            if way == "raise the class":
                raise SkipWrite
            return SkipWrite if way == "return" else SkipWrite()

    group = Group("T:")
    feed, before = Feed(group.x), group.x.time_ns
    asyncio.run(group.x.write(5))
    assert (group.x.value, group.x.time_ns, feed.values) == (1, before, [])


def test_a_putter_that_writes_without_verification_does_not_meet_itself() -> None:
    calls: list[int] = []

    class Group(PVGroup):
        x = pvproperty(value=1)

        @x.putter
        async def x(self, instance: Any, value: int) -> Any:
            calls.append(value)
            await instance.write(85, verify_value=False)
            raise SkipWrite

    group = Group("T:")
    feed = Feed(group.x)
    asyncio.run(group.x.write(5))
    assert (calls, feed.values) == ([5], [85])


def test_without_verification_limits_do_not_count_either() -> None:
    class Group(PVGroup):
        x = pvproperty(value=1.0, lower_ctrl_limit=0, upper_ctrl_limit=10)

    x = Group("T:").x
    with pytest.raises(LimitError):
        asyncio.run(x.write(11))
    asyncio.run(x.write(11, verify_value=False))
    assert x.value == 11


@pytest.mark.parametrize(
    "stamp", [1_600_000_000.25, (968_848_000, 250_000_000), TimeStamp(968_848_000, 250_000_000)]
)
def test_time_and_alarm_of_a_write(stamp: Any) -> None:
    class Group(PVGroup):
        x = pvproperty(value=1.0)

    x = Group("T:").x
    link, major = AlarmStatus.LINK, AlarmSeverity.MAJOR_ALARM
    asyncio.run(x.write(2.0, timestamp=stamp, status=link, severity=major))
    assert x.time_ns == 1_600_000_000_250_000_000
    assert (x.status, x.severity) == (link, major)
    asyncio.run(x.write(3.0))
    assert (x.status, x.severity) == GOOD
    assert x.timestamp > 1_600_000_001


def test_metadata_goes_with_a_write_or_by_itself() -> None:
    class Group(PVGroup):
        x = pvproperty(value=1.0, units="mm", precision=1)

    x = Group("T:").x
    feed = Feed(x)
    asyncio.run(x.write(2.0, units="um", upper_disp_limit=9))
    assert (x.units, x.precision, x.upper_disp_limit) == ("um", 1, 9)
    asyncio.run(x.write_metadata(precision=3, units="nm"))
    asyncio.run(x.write_metadata(units="pm", publish=False))
    assert (x.units, x.precision, x.value) == ("pm", 3, 2.0)
    assert feed.values == [2.0, 2.0]


def test_pvs_of_one_alarm_group_are_in_alarm_together() -> None:
    class Group(PVGroup):
        a = pvproperty(value=1, alarm_group="hv")
        b = pvproperty(value=1, alarm_group="hv")
        c = pvproperty(value=1)

    group, other = Group("T:"), Group("U:")
    asyncio.run(group.alarms["hv"].write(status=AlarmStatus.COMM, severity=2))
    assert (group.a.severity, group.b.severity, group.c.severity) == (2, 2, 0)
    assert group.b.status == AlarmStatus.COMM
    assert group.a.alarm is group.b.alarm is group.alarms["hv"]
    assert other.a.severity == AlarmSeverity.NO_ALARM


def test_specs_without_a_group_share_an_alarm_by_the_alarm_itself() -> None:
    alarm = ChannelAlarm()
    a, b = (PVSpec(name=name, value=1, alarm_group=alarm).create() for name in "ab")
    asyncio.run(a.alarm.write(severity=AlarmSeverity.MINOR_ALARM))
    assert b.severity == AlarmSeverity.MINOR_ALARM


def test_hooks_without_a_group_take_none() -> None:
    async def put(instance: Any, value: int) -> int:
        return value + len(instance.name)

    async def get(instance: Any) -> int:
        return int(instance.value) * 10

    pv = PVSpec(name="x:y", value=0, put=put, get=get, record="longin").create(group=None)
    asyncio.run(pv.write(1))
    assert pv.value == 4
    assert asyncio.run(pv.read()) == 40
    assert (pv.name, pv.group, pv.fields["RTYP"].value) == ("x:y", None, "longin")


_inside: ContextVar[bool] = ContextVar("inside", default=False)


def test_a_putter_that_writes_its_own_pv_knows_itself_by_a_context_variable() -> None:
    steps: list[float] = []

    class Group(PVGroup):
        x = pvproperty(value=0.0)

        @x.putter
        async def x(self, instance: Any, value: float) -> Any:
            if _inside.get():
                steps.append(value)
                return None
            token = _inside.set(True)
            try:
                for part in (0.25, 0.5, 0.75):
                    await instance.write(value * part)
            finally:
                _inside.reset(token)
            return value

    group = Group("T:")
    feed = Feed(group.x)
    asyncio.run(group.x.write(4.0))
    assert steps == [1.0, 2.0, 3.0]
    assert feed.values == [1.0, 2.0, 3.0, 4.0]


class Phase(IntEnum):
    idle = 0
    moving = 1
    failed = 3


def test_members_of_an_enumeration_are_values() -> None:
    class Group(PVGroup):
        phase = pvproperty(value=Phase.moving)
        empty = pvproperty(dtype=Phase)

        @phase.putter
        async def phase(self, instance: Any, value: str) -> Any:
            return Phase.failed if value == "idle" else None

    group = Group("T:")
    phase = group.phase
    assert (phase.value, phase.raw_value) == ("moving", 1)
    assert phase.enum_strings == ("idle", "moving", "unset_2", "failed")
    assert group.empty.value == "idle"
    asyncio.run(phase.write(Phase.idle))
    assert phase.raw_value == Phase.failed
    asyncio.run(phase.write(Phase.moving))
    assert phase.value == "moving"


def test_group_read_and_group_write_serve_pvs_without_hooks_of_their_own() -> None:
    class Group(PVGroup):
        a = pvproperty(value=1)
        b = pvproperty(value=2)

        @b.getter
        async def b(self, instance: Any) -> int:
            return 20

        @b.putter
        async def b(self, instance: Any, value: int) -> int:
            return -value

        async def group_read(self, instance: Any) -> str:
            return len(instance.pvspec.attr)

        async def group_write(self, instance: Any, value: int) -> int:
            return value + 100

    group = Group("T:")
    assert [asyncio.run(pv.read()) for pv in (group.a, group.b)] == [1, 20]
    asyncio.run(group.a.write(1))
    asyncio.run(group.b.write(1))
    assert (group.a.value, group.b.value) == (101, -1)


def test_a_subclass_made_by_type() -> None:
    class Base(PVGroup):
        total = pvproperty(value=0.0, read_only=True)

        async def add(self, instance: Any) -> float:
            return sum(pv.value for name, pv in self.attr_pvdb.items() if name in self.names)

    names = ["a", "b"]
    body: dict[str, Any] = {name: pvproperty(value=1.5) for name in names}
    body |= {"names": names, "result": pvproperty(get=Base.add, value=0.0, name="c")}
    group = type("Sum", (Base,), body)("T:")
    assert list(group.pvdb) == ["T:total", "T:a", "T:b", "T:c"]
    assert asyncio.run(group.result.read()) == 3.0
