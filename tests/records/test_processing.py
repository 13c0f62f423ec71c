"""What forward links and momentary outputs do in an IOC of ours: hooks, restores, PVs that go."""

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from ioc_ops.group import PVGroup, PVSpec, pvproperty
from ioc_ops.server import current_context, run
from ioc_ops.server.drivers import load_driver

Live = Callable[[Callable[[Any], Awaitable[None]]], None]


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


async def end_at_once() -> int:
    return 0


@pytest.fixture(scope="module", autouse=True)
def first_loop() -> None:
    # libuv opens a pipe with the first loop of a process and keeps it: not a leak of a test.
    load_driver("asyncio").run(end_at_once)


@pytest.fixture
def group() -> Linked:
    return Linked("L:")


@pytest.fixture
def live(group: Linked) -> Iterator[Live]:
    """Run the IOC until a script is through; what the script raises fails the test."""

    def run_it(script: Callable[[Any], Awaitable[None]]) -> None:
        problems: list[Exception] = []

        async def startup_hook(async_lib: Any) -> None:
            try:
                await script(async_lib)
            except Exception as problem:
                problems.append(problem)
            finally:
                current_context().request_stop()

        run(group.pvdb, startup_hook=startup_hook)
        for problem in problems:
            raise problem

    yield run_it
    gc.unfreeze()


async def until(condition: Callable[[], object]) -> None:
    """Raises TimeoutError after 5 s."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - hooks set no event
            await asyncio.sleep(0.001)


async def settle() -> None:
    """What was set off has been done."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("link", ["L:b", "L:b.PROC", "L:b.VAL", "L:b PP MS", 'L:b.{"ts":{}}'])
def test_the_putter_of_the_next_record_runs(group: Linked, live: Live, link: str) -> None:
    async def script(async_lib: Any) -> None:
        await group.a.fields["FLNK"].write(link)
        await group.a.write(5.0)
        await until(lambda: group.seen)

    live(script)
    assert group.seen == [("b", 2.0)]


def test_an_input_is_read_and_a_plain_pv_is_written(group: Linked, live: Live) -> None:
    async def script(async_lib: Any) -> None:
        await group.a.fields["FLNK"].write("L:asked")
        await group.asked.fields["FLNK"].write("L:plain")
        await group.a.write(5.0)
        await until(lambda: group.seen)

    live(script)
    assert (group.asked.value, group.seen) == (1, [("plain", 3)])


def test_a_client_that_reads_processes_nothing(group: Linked, live: Live) -> None:
    async def script(async_lib: Any) -> None:
        await group.asked.fields["FLNK"].write("L:b")
        await group.asked.read()
        await settle()

    live(script)
    assert group.seen == []


@pytest.mark.parametrize("link", ["", " ", "elsewhere", "L:a", "L:a.PROC", "1", "@asyn(P)"])
def test_other_links_do_nothing(group: Linked, live: Live, link: str) -> None:
    async def script(async_lib: Any) -> None:
        await group.a.fields["FLNK"].write(link)
        for _ in range(3):
            await group.a.write(5.0)
            await settle()

    live(script)
    assert group.seen == []


def test_a_record_that_fails_is_its_own_trouble(
    group: Linked, live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    async def script(async_lib: Any) -> None:
        await group.a.fields["FLNK"].write("L:gate")
        await group.a.write(5.0)
        await until(lambda: group.gate.alarm.severity)
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
        await asyncio.sleep(0.05)
        assert (group.seen, group.button.raw_value) == ([], 1)
        await group.a.write(5.0)  # the fields are in force all the same
        await until(lambda: group.seen)

    live(script)
    assert group.seen == [("b", 2.0)]


def test_the_putter_hears_of_the_fall_and_disp_does_not_hinder_it(
    group: Linked, live: Live
) -> None:
    async def script(async_lib: Any) -> None:
        await group.button.fields["HIGH"].write(0.01)
        await group.button.write("On")
        await group.button.fields["DISP"].write(1)
        await until(lambda: group.button.raw_value == 0)

    live(script)
    assert group.seen == [("button", "On"), ("button", "Off")]


def test_a_button_that_is_taken_out_does_not_fall_back(group: Linked, live: Live) -> None:
    async def script(async_lib: Any) -> None:
        pv: Any = group.add_pv("late", PVSpec(value=False, record="bo"))
        await pv.fields["HIGH"].write(0.01)
        await pv.write(1)
        group.remove_pv("late")
        await asyncio.sleep(0.05)
        assert pv.raw_value == 1

    live(script)


def test_without_an_ioc_nothing_follows(group: Linked) -> None:
    async def script() -> None:
        await group.a.fields["FLNK"].write("L:b")
        await group.button.fields["HIGH"].write(0.01)
        await group.a.write(5.0)
        await group.button.write(1)
        await settle()

    asyncio.run(script())
    assert group.seen == [("button", "On")]
