"""pvfunction: PVs for the arguments and the result of a coroutine function."""

import asyncio
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

import pytest

from ioc_ops.channel import AccessRights, AlarmSeverity, AlarmStatus, ChannelType
from ioc_ops.errors import DefinitionError
from ioc_ops.group import PVGroup, PvpropertyDouble, pvfunction


class Speed(IntEnum):
    slow = 0
    fast = 1


def call(function: Any, **arguments: Any) -> Any:
    """As a client does: the arguments one by one, then Process."""

    async def write_all() -> None:
        for name, value in arguments.items():
            await getattr(function, name).write(value)
        await function.process.write(1)

    asyncio.run(write_all())
    return function.retval.value if "retval" in function.attr_pvdb else None


def state(function: Any) -> tuple[str, AlarmStatus, AlarmSeverity]:
    return function.status.value, function.process.status, function.process.severity


GOOD = ("Success", AlarmStatus.NO_ALARM, AlarmSeverity.NO_ALARM)


def test_pvs_names_order_types_and_rights() -> None:
    class Group(PVGroup):
        @pvfunction(default=[0])
        async def get_random(self, low: int = 100, high: int = 1000) -> int:
            """A number."""
            return high - low

    group = Group("rpc:")
    assert list(group.pvdb) == [
        "rpc:get_random:low",
        "rpc:get_random:high",
        "rpc:get_random:Status",
        "rpc:get_random:Retval",
        "rpc:get_random:Process",
    ]
    function = group.get_random
    assert [pv.value for pv in function.pvdb.values()] == [100, 1000, "Init", 0, 0]
    types = [pv.data_type for pv in function.pvdb.values()]
    long = ChannelType.LONG
    assert types == [long, long, ChannelType.STRING, long, long]
    rights = [pv.check_access("", "") for pv in function.pvdb.values()]
    both, read = AccessRights.READ_WRITE, AccessRights.READ
    assert rights == [both, both, read, read, both]
    assert Group.get_random.__doc__ == "A number."
    assert group.groups["get_random"] is function
    assert function.parent is group


def test_a_call_uses_what_the_pvs_hold() -> None:
    class Group(PVGroup):
        @pvfunction
        async def difference(self, low: int, high: int = 7) -> int:
            return high - low

    function = Group("T:").difference
    assert call(function) == 7
    assert state(function) == GOOD
    assert call(function, low=2, high=12) == 10


def test_text_arguments_and_results() -> None:
    class Group(PVGroup):
        @pvfunction(default="nobody yet")
        async def greet(self, who: str = "world", greeting: str = "Hello") -> str:
            return f"{greeting}, {who}!" * 20

    function = Group("T:").greet
    assert (function.who.value, function.retval.value) == ("world", "nobody yet")
    assert call(function, who="a name longer than its default") == (
        "Hello, a name longer than its default!" * 20
    )


def test_bools_and_members_arrive_as_such() -> None:
    seen: list[object] = []

    class Group(PVGroup):
        @pvfunction
        async def go(self, really: bool = True, speed: Speed = Speed.slow) -> Speed:
            seen.extend((really, speed))
            return Speed.fast

    function = Group("T:").go
    assert call(function, really="Off", speed="fast") == "fast"
    assert call(function, really=1, speed=0) == "fast"
    assert seen == [False, Speed.fast, True, Speed.slow]
    assert [type(each) for each in seen] == [bool, Speed, bool, Speed]


def test_annotations_of_every_kind() -> None:
    class Group(PVGroup):
        @pvfunction
        async def many(
            self,
            a: PvpropertyDouble,  # type: ignore[type-arg,unused-ignore]
            b: ChannelType.STRING,  # type: ignore[valid-type]
            c: "float" = 1,
            d=(1.5, 2.5),  # type: ignore[no-untyped-def]
        ) -> "ChannelType.STRING":  # type: ignore[valid-type]
            return f"{a} {b} {c} {list(d)}"

    function = Group("T:").many
    types = [function.pvdb[f"T:many:{name}"].data_type for name in "abcd"]
    double, string = ChannelType.DOUBLE, ChannelType.STRING
    assert types == [double, string, double, double]
    assert call(function, a=2, b="x") == "2.0 x 1.0 [1.5, 2.5]"


def test_names_prefix_separator_and_macros() -> None:
    class Group(PVGroup):
        @pvfunction(
            names={"low": "LO{n}", "process": "GO", "retval": "OUT", "status": "STAT"},
            attr_separator="-",
            macros={"n": "1"},
        )
        async def one(self, low: int, high: int) -> int:
            return low + high

        @pvfunction(prefix="P_")
        async def two(self, x: int) -> int:
            return x

    group = Group("T:")
    assert list(group.pvdb) == [
        "T:one-LO1",
        "T:one-high",
        "T:one-STAT",
        "T:one-OUT",
        "T:one-GO",
        "T:P_x",
        "T:P_Status",
        "T:P_Retval",
        "T:P_Process",
    ]
    assert call(group.one, low=1, high=2) == 3


def test_arguments_may_be_called_as_what_a_group_has() -> None:
    class Group(PVGroup):
        @pvfunction
        async def show(self, name: str = "n", prefix: int = 2, status: int = 3) -> str:
            return f"{name} {prefix} {status}"

    group = Group("T:")
    assert list(group.pvdb)[:4] == [
        "T:show:name",
        "T:show:prefix",
        "T:show:status",
        "T:show:Status",
    ]
    assert call(group.show, name_="m", status_=4) == "m 2 4"
    assert group.show.name == "Group.show"


def test_a_function_that_returns_nothing_has_no_retval() -> None:
    seen: list[float] = []

    class Group(PVGroup):
        @pvfunction
        async def note(self, x: float) -> None:
            seen.append(x)

    group = Group("T:")
    assert list(group.pvdb) == ["T:note:x", "T:note:Status", "T:note:Process"]
    call(group.note, x=1.5)
    assert (seen, state(group.note)) == ([1.5], GOOD)


def test_what_a_function_raises_is_told_and_is_over_with_the_next_call() -> None:
    class Group(PVGroup):
        @pvfunction(default=-1)
        async def root(self, x: float = -4.0) -> float:
            if x < 0:
                raise ValueError(f"{x} has no root, whatever is tried, and this is a long story")
            return float(x**0.5)

    function = Group("T:").root
    with pytest.raises(ValueError, match="no root"):
        call(function)
    text = "ValueError: -4.0 has no root, whatever is tried, and this is a long story"
    assert state(function) == (text, AlarmStatus.WRITE, AlarmSeverity.MAJOR_ALARM)
    # All PVs of a function share its alarm.
    assert {pv.severity for pv in function.pvdb.values()} == {AlarmSeverity.MAJOR_ALARM}
    assert function.retval.value == -1
    assert call(function, x=4) == 2
    assert state(function) == GOOD


def test_a_result_that_does_not_fit_is_a_failure_like_any_other() -> None:
    class Group(PVGroup):
        @pvfunction
        async def wrong(self) -> int:
            return "text"  # type: ignore[return-value]

    function = Group("T:").wrong
    with pytest.raises(ValueError, match="text"):
        call(function)
    assert function.status.value.startswith("ConversionError: ")
    assert function.process.severity == AlarmSeverity.MAJOR_ALARM


def test_functions_and_groups_have_alarms_of_their_own() -> None:
    class Group(PVGroup):
        @pvfunction
        async def one(self) -> int:
            raise OSError("gone")

        @pvfunction(alarm_group="mine")
        async def two(self) -> int:
            return 1

    group, other = Group("T:"), Group("U:")
    with pytest.raises(OSError, match="gone"):
        call(group.one)
    assert group.two.process.severity == other.one.process.severity == AlarmSeverity.NO_ALARM
    assert group.two.alarms["mine"] is group.two.process.alarm


def test_one_call_at_a_time() -> None:
    running: list[int] = []
    began, gate = asyncio.Event(), asyncio.Event()

    class Group(PVGroup):
        @pvfunction
        async def slow(self, x: int) -> int:
            running.append(x)
            assert len(running) == 1
            began.set()
            await gate.wait()
            running.remove(x)
            return x

    async def scenario() -> None:
        function = Group("T:").slow
        prepare = function.process.pvspec.restore
        await prepare(function, function.process, SimpleNamespace(library=asyncio))
        calls = [asyncio.create_task(function.process.write(1)) for _ in range(3)]
        await began.wait()
        assert not any(each.done() for each in calls)
        gate.set()
        await asyncio.gather(*calls)
        assert function.status.value == "Success"

    asyncio.run(scenario())
    assert not running


def test_a_subclass_keeps_and_replaces_functions() -> None:
    class Base(PVGroup):
        @pvfunction
        async def one(self) -> int:
            return 1

        @pvfunction
        async def two(self) -> int:
            return 2

    class Derived(Base):
        @pvfunction
        async def two(self) -> int:
            return 22

    derived, base = Derived("T:"), Base("T:")
    assert [call(derived.one), call(derived.two), call(base.two)] == [1, 22, 2]


async def _starred(self: Any, *numbers: int) -> int: ...  # type: ignore[empty-body]
async def _bare(self: Any, x) -> int: ...  # type: ignore[empty-body,no-untyped-def]
async def _no_result(self: Any, x: int): ...  # type: ignore[no-untyped-def]
async def _unknown(self: Any, x: "Nowhere") -> int: ...  # type: ignore[empty-body,name-defined] # noqa: F821
def _plain(self: Any, x: int) -> int: ...  # type: ignore[empty-body]


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (_starred, "numbers cannot be PVs"),
        (_bare, "annotate x"),
        (_no_result, "annotate what it returns"),
        (_unknown, "Nowhere"),
        (_plain, "must be 'async def'"),
    ],
)
def test_what_cannot_be_a_pvfunction_is_refused_with_the_reason(function: Any, why: str) -> None:
    with pytest.raises(DefinitionError, match=why) as wrong:
        pvfunction(function)
    assert function.__name__ in str(wrong.value)


def test_names_of_arguments_that_are_not_there_are_refused() -> None:
    with pytest.raises(DefinitionError, match="no argument hi, lo"):

        @pvfunction(names={"lo": "LO", "hi": "HI", "high": "H"})
        async def f(self: Any, low: int, high: int) -> int:
            return low
