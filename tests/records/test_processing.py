"""What forward links and momentary outputs do in an IOC of ours: hooks, restores, PVs that go."""

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Any

import pytest
from ioc_in_process import LIBRARIES, Script, prepare, run_live, until

from ioc_ops.group import PVGroup, PVSpec, pvproperty
from ioc_ops.server import current_context

Live = Callable[[Script], None]


class Linked(PVGroup):
    """Notes what its putters are given."""

    a = pvproperty(value=1.0, record="ao")
    b = pvproperty(value=2.0, record="ao")
    asked = pvproperty(value=0, record="longin")
    plain = pvproperty(value=3)
    button = pvproperty(value=False, record="bo")
    gate = pvproperty(value=0, record="longout")

    def __init__(self, prefix: str) -> None:
        super().__init__(prefix)
        self.seen: list[Any] = []

    @b.putter
    async def b(self, instance: Any, value: float) -> None:
        self.seen.append(("b", value))

    @asked.getter
    async def asked(self, instance: Any) -> int:
        return int(instance.value) + 1

    @plain.putter
    async def plain(self, instance: Any, value: int) -> None:
        self.seen.append(("plain", value))

    @button.putter
    async def button(self, instance: Any, value: str) -> None:
        self.seen.append(("button", value))

    @gate.putter
    async def gate(self, instance: Any, value: int) -> None:
        raise RuntimeError("by design")


@pytest.fixture(params=LIBRARIES, scope="module")
def library(request: pytest.FixtureRequest) -> str:
    return prepare(request.param)


@pytest.fixture
def group() -> Linked:
    return Linked("L:")


@pytest.fixture
def live(library: str, group: Linked) -> Live:
    """Run the IOC until a script is through; what the script raises fails the test."""
    return lambda script: run_live(library, group.pvdb, script)


async def settle(async_lib: Any) -> None:
    """What was set off has been done."""
    await async_lib.sleep(0.02)


@pytest.mark.parametrize("link", ["L:b", "L:b.PROC", "L:b.VAL", "L:b PP MS", 'L:b.{"ts":{}}'])
def test_the_putter_of_the_next_record_runs(group: Linked, live: Live, link: str) -> None:
    async def script(async_lib: Any) -> None:
        await group.a.fields["FLNK"].write(link)
        await group.a.write(5.0)
        await until(async_lib, lambda: group.seen)

    live(script)
    assert group.seen == [("b", 2.0)]


def test_an_input_is_read_and_a_plain_pv_is_written(group: Linked, live: Live) -> None:
    async def script(async_lib: Any) -> None:
        await group.a.fields["FLNK"].write("L:asked")
        await group.asked.fields["FLNK"].write("L:plain")
        await group.a.write(5.0)
        await until(async_lib, lambda: group.seen)

    live(script)
    assert (group.asked.value, group.seen) == (1, [("plain", 3)])


def test_a_client_that_reads_processes_nothing(group: Linked, live: Live) -> None:
    async def script(async_lib: Any) -> None:
        await group.asked.fields["FLNK"].write("L:b")
        await group.asked.read()
        await settle(async_lib)

    live(script)
    assert group.seen == []


@pytest.mark.parametrize("link", ["", " ", "elsewhere", "L:a", "L:a.PROC", "1", "@asyn(P)"])
def test_other_links_do_nothing(group: Linked, live: Live, link: str) -> None:
    async def script(async_lib: Any) -> None:
        await group.a.fields["FLNK"].write(link)
        for _ in range(3):
            await group.a.write(5.0)
            await settle(async_lib)

    live(script)
    assert group.seen == []


def test_a_record_that_fails_is_its_own_trouble(
    group: Linked, live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    async def script(async_lib: Any) -> None:
        await group.a.fields["FLNK"].write("L:gate")
        await group.a.write(5.0)
        await until(async_lib, lambda: group.gate.alarm.severity)
        assert current_context().counters.hook_failures["putter"] == 1

    with caplog.at_level(logging.CRITICAL, "ioc_ops.put"):
        live(script)
    assert (group.a.value, group.a.alarm.severity) == (5.0, 0)


def test_a_restored_value_sets_off_nothing(group: Linked, live: Live) -> None:
    async def script(async_lib: Any) -> None:
        group.a.fields["FLNK"].restore("L:b")
        group.button.fields["HIGH"].restore(0.01)
        group.a.restore(4.0)
        group.button.restore(1)
        await async_lib.sleep(0.05)
        assert (group.seen, group.button.raw_value) == ([], 1)
        await group.a.write(5.0)  # the fields are in force all the same
        await until(async_lib, lambda: group.seen)

    live(script)
    assert group.seen == [("b", 2.0)]


def test_the_putter_hears_of_the_fall_and_disp_does_not_hinder_it(
    group: Linked, live: Live
) -> None:
    async def script(async_lib: Any) -> None:
        await group.button.fields["HIGH"].write(0.01)
        await group.button.write("On")
        await group.button.fields["DISP"].write(1)
        await until(async_lib, lambda: group.button.raw_value == 0)

    live(script)
    assert group.seen == [("button", "On"), ("button", "Off")]


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf])
def test_a_time_that_is_none_holds_for_ever(group: Linked, live: Live, seconds: float) -> None:
    async def script(async_lib: Any) -> None:
        await group.button.fields["HIGH"].write(seconds)
        await group.button.write("On")
        await settle(async_lib)
        assert group.button.raw_value == 1
        await group.button.fields["HIGH"].write(0.01)
        await group.button.write("On")
        await until(async_lib, lambda: group.button.raw_value == 0)

    live(script)


def test_a_button_that_is_taken_out_does_not_fall_back(group: Linked, live: Live) -> None:
    async def script(async_lib: Any) -> None:
        pv: Any = group.add_pv("late", PVSpec(value=False, record="bo"))
        await pv.fields["HIGH"].write(0.01)
        await pv.write(1)
        group.remove_pv("late")
        await async_lib.sleep(0.05)
        assert pv.raw_value == 1

    live(script)


def test_without_an_ioc_nothing_follows(group: Linked) -> None:
    async def script() -> None:
        await group.a.fields["FLNK"].write("L:b")
        await group.button.fields["HIGH"].write(0.01)
        await group.a.write(5.0)
        await group.button.write(1)
        await asyncio.sleep(0.02)

    asyncio.run(script())
    assert group.seen == [("button", "On")]
