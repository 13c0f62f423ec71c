"""Tasks, threads, events and signals: the same meaning on all three libraries."""

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

from ioc_ops.errors import ConfigurationError
from ioc_ops.server.drivers import load_driver
from ioc_ops.server.drivers.layer import Driver, Event

NOTE: ContextVar[str] = ContextVar("NOTE", default="nobody's")

Main = Callable[[], Coroutine[Any, Any, None]]


@pytest.fixture
def run(driver: Driver) -> Callable[[Main], None]:
    """Run an ``async def main()`` to its end."""

    def run(main: Main) -> None:
        async def status() -> int:
            await main()
            return 0

        assert driver.run(status) == 0

    return run


Run = Callable[[Main], None]


# --- run ------------------------------------------------------------------------------------


def test_run_returns_what_main_returns(driver: Driver) -> None:
    async def main() -> int:
        await driver.sleep(0)
        return 75

    assert driver.run(main) == 75


@pytest.mark.parametrize("kind", [ConfigurationError, ZeroDivisionError, SystemExit])
def test_run_raises_what_main_raises(driver: Driver, kind: type[BaseException]) -> None:
    async def for_ever() -> None:
        await driver.sleep(3600)

    async def main() -> int:
        driver.spawn(for_ever(), "for ever")
        await driver.sleep(0)
        raise kind("in vain")

    with pytest.raises(kind, match="in vain"):
        driver.run(main)


def test_layer(driver: Driver, library: str) -> None:
    assert (driver.name, driver.library.__name__) == (library, library)
    assert abs(driver.monotonic() - time.monotonic()) < 10


def test_tasks_that_still_run_are_ended(driver: Driver) -> None:
    ended = []

    async def for_ever(began: Event) -> None:
        began.set()
        try:
            await driver.library.sleep(3600)
        finally:
            ended.append(True)

    async def main() -> int:
        began = driver.Event()
        driver.spawn(for_ever(began), "one")
        assert await began.wait(10)
        driver.spawn(for_ever(began), "two, which may never begin")
        return 0

    assert driver.run(main) == 0
    assert ended


# --- spawn, cancel_tasks, call_soon ------------------------------------------------------------


def test_a_task_that_fails_leaves_the_others_alone(driver: Driver, run: Run) -> None:
    async def main() -> None:
        done = driver.Event()

        async def fail() -> None:
            raise ValueError("no good")

        async def succeed() -> None:
            await driver.sleep(0)
            done.set()

        driver.spawn(fail(), "fails")
        driver.spawn(succeed(), "succeeds")
        assert await done.wait(10)

    run(main)
    gc.collect()  # asyncio tells of the task when it is no more: here, and not in another test


def test_spawn_in_the_context_of_the_caller(driver: Driver, run: Run) -> None:
    async def main() -> None:
        seen: list[str] = []
        done = driver.Event()

        async def look(last: bool) -> None:
            seen.append(NOTE.get())
            NOTE.set("changed in the task")
            await driver.sleep(0)
            if last:
                done.set()

        def spawn_last() -> None:
            driver.spawn(look(True), "three")

        NOTE.set("first")
        driver.spawn(look(False), "one")
        NOTE.set("second")
        driver.spawn(look(False), "two")
        NOTE.set("third")
        # A circuit that is flushed at the end of the tick spawns, too.
        driver.call_soon(spawn_last)
        NOTE.set("fourth")
        assert await done.wait(10)
        assert sorted(seen) == ["first", "second", "third"]
        assert NOTE.get() == "fourth"

    run(main)


def test_call_soon_keeps_the_order(driver: Driver, run: Run) -> None:
    async def main() -> None:
        called: list[int] = []
        done = driver.Event()
        for number in range(50):
            driver.call_soon(lambda number=number: called.append(number))  # type: ignore[misc]
        driver.call_soon(done.set)
        assert called == []
        assert await done.wait(10)
        assert called == list(range(50))

    run(main)


def test_what_call_soon_calls_may_raise_and_call_soon(driver: Driver, run: Run) -> None:
    async def main() -> None:
        done = driver.Event()

        def again() -> None:
            driver.call_soon(done.set)
            raise ValueError("no good")

        driver.call_soon(again)
        assert await done.wait(10)

    run(main)


def test_cancel_tasks(driver: Driver, run: Run) -> None:
    async def main() -> None:
        ended: list[str] = []
        begun = [driver.Event(), driver.Event()]

        async def work(name: str, began: Event) -> None:
            began.set()
            try:
                await driver.sleep(3600)
            finally:
                ended.append(name)

        driver.spawn(work("one", begun[0]), "one")
        driver.spawn(work("two", begun[1]), "two")
        for event in begun:
            assert await event.wait(10)
        await driver.cancel_tasks()
        assert sorted(ended) == ["one", "two"]
        await driver.cancel_tasks()  # with nothing to do

    run(main)


def test_cancel_tasks_that_have_not_begun(driver: Driver, run: Run) -> None:
    """They end without a complaint that nobody awaited them."""

    async def main() -> None:
        through: list[bool] = []

        async def work() -> None:
            await driver.sleep(0.01)
            through.append(True)

        for _ in range(3):
            driver.spawn(work(), "work")
        await driver.cancel_tasks()
        await driver.sleep(0.02)
        assert through == []

    run(main)


# --- gather ---------------------------------------------------------------------------------


def test_gather_runs_side_by_side(driver: Driver, run: Run) -> None:
    async def main() -> None:
        here, there = driver.Event(), driver.Event()

        async def meet(mine: Event, other: Event) -> None:
            mine.set()
            assert await other.wait(10)

        assert await driver.gather([meet(here, there), meet(there, here)], 10)
        assert await driver.gather([], 10)

    run(main)


def test_gather_cancels_what_is_late(driver: Driver, run: Run) -> None:
    async def main() -> None:
        events: list[str] = []

        async def quick() -> None:
            await driver.sleep(0)
            events.append("quick")

        async def late() -> None:
            try:
                await driver.sleep(3600)
            finally:
                events.append("late was cancelled")

        began = driver.monotonic()
        assert not await driver.gather([late(), quick()], 0.3)
        assert driver.monotonic() - began < 20
        assert events == ["quick", "late was cancelled"]

    run(main)


def test_gather_with_one_that_fails(
    driver: Driver, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        through: list[bool] = []

        async def fail() -> None:
            raise ValueError("no good")

        async def succeed() -> None:
            await driver.sleep(0)
            through.append(True)

        assert await driver.gather([fail(), succeed()], 10)
        assert through == [True]

    with caplog.at_level(logging.ERROR):
        run(main)
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["no good"]


# --- Event ----------------------------------------------------------------------------------


def test_event_in_the_loop(driver: Driver, run: Run) -> None:
    async def main() -> None:
        event = driver.Event()
        assert not event.is_set()
        assert not await event.wait(timeout=0.01)
        event.set()
        assert event.is_set()
        assert await event.wait()
        assert await event.wait(timeout=0)
        event.clear()
        assert not event.is_set()
        assert not await event.wait(timeout=0)

    run(main)


def test_event_set_by_a_thread_wakes_all(driver: Driver, run: Run) -> None:
    async def main() -> None:
        event = driver.Event()
        woken: list[bool] = []

        async def wait(timeout: float | None) -> None:  # noqa: ASYNC109
            woken.append(await event.wait(timeout))

        async def set_it() -> None:
            await driver.sleep(0)
            await driver.run_in_thread(event.set)

        assert await driver.gather([wait(None), wait(10), set_it()], 10)
        assert woken == [True, True]

    run(main)


def test_event_that_is_set_and_cleared_at_once(driver: Driver, run: Run) -> None:
    """Those who wait have been woken; those who come later wait; it stays clear."""

    async def main() -> None:
        event, waiting = driver.Event(), driver.Event()
        woken: list[bool] = []

        async def wait() -> None:
            waiting.set()
            woken.append(await event.wait())

        async def pulse() -> None:
            await waiting.wait()
            await driver.sleep(0)
            event.set()
            event.clear()

        assert await driver.gather([wait(), pulse()], 10)
        assert woken == [True]
        await driver.sleep(0)
        assert not event.is_set()

    run(main)


def test_waiting_that_is_over_leaves_nothing(driver: Driver, run: Run) -> None:
    """A wait that timed out or was cancelled is not in the way of a later one."""

    async def main() -> None:
        event = driver.Event()

        async def wait() -> None:
            await event.wait()

        driver.spawn(wait(), "wait")
        assert not await event.wait(0.01)
        await driver.cancel_tasks()
        driver.call_soon(event.set)
        assert await event.wait(10)

    run(main)


def test_many_are_woken_at_once(driver: Driver, run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """As when an IOC stops that has hundreds of clients."""

    async def main() -> None:
        events = [driver.Event() for _ in range(1000)]
        woken: list[bool] = []

        async def wait(event: Event) -> None:
            woken.append(await event.wait(20))

        async def set_all() -> None:
            await driver.sleep(0.01)
            for event in events:
                event.set()

        assert await driver.gather([*map(wait, events), set_all()], 30)
        assert woken == [True] * 1000

    run(main)
    assert caplog.records == []


# --- ThreadsafeQueue ------------------------------------------------------------------------


def test_queue_from_threads_to_a_task(driver: Driver, run: Run) -> None:
    async def main() -> None:
        queue = driver.ThreadsafeQueue()
        threads = [
            threading.Thread(target=lambda: [queue.put(number) for number in range(200)])
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        got = [await queue.async_get() for _ in range(600)]
        assert sorted(got) == sorted([*range(200)] * 3)
        for thread in threads:
            thread.join()

    run(main)


def test_queue_keeps_the_order_and_takes_none(driver: Driver, run: Run) -> None:
    async def main() -> None:
        queue = driver.ThreadsafeQueue()
        for value in (1, None, "two"):
            await queue.async_put(value)
        assert [await queue.async_get() for _ in range(3)] == [1, None, "two"]

    run(main)


def test_queue_from_a_task_to_a_thread(driver: Driver, run: Run) -> None:
    async def main() -> None:
        queue = driver.ThreadsafeQueue()
        got: list[int] = []

        def work() -> None:
            got.extend(queue.get() for _ in range(3))

        async def feed() -> None:
            for number in range(3):
                await queue.async_put(number)

        async def take() -> None:
            await driver.run_in_thread(work)

        assert await driver.gather([take(), feed()], 10)
        assert got == [0, 1, 2]

    run(main)


def test_queue_with_two_who_wait(driver: Driver, run: Run) -> None:
    async def main() -> None:
        queue = driver.ThreadsafeQueue()
        got: list[int] = []

        async def take() -> None:
            got.append(await queue.async_get())

        async def feed() -> None:
            await driver.sleep(0.01)
            queue.put(1)
            await driver.sleep(0.01)
            queue.put(2)

        assert await driver.gather([take(), take(), feed()], 10)
        assert sorted(got) == [1, 2]

    run(main)


# --- threads --------------------------------------------------------------------------------


def test_run_in_thread(driver: Driver, run: Run) -> None:
    def work(one: int, two: int) -> tuple[int, bool, str]:
        here = threading.current_thread() is threading.main_thread()
        return one + two, here, NOTE.get()

    def fail() -> None:
        raise KeyError("no good")

    async def main() -> None:
        NOTE.set("the caller's")
        assert await driver.run_in_thread(work, 1, 2) == (3, False, "the caller's")
        with pytest.raises(KeyError, match="no good"):
            await driver.run_in_thread(fail)

    run(main)


def test_calls_in_threads_run_side_by_side(driver: Driver, run: Run) -> None:
    """As many as a group of instruments that all hang may need, whatever the number of cores."""
    together = threading.Barrier(40)

    async def main() -> None:
        async def call() -> None:
            await driver.run_in_thread(together.wait, 20)

        assert await driver.gather([call() for _ in range(40)], 20)
        assert not together.broken

    run(main)


def test_more_calls_than_threads(driver: Driver, run: Run) -> None:
    async def main() -> None:
        results: list[int] = []

        async def call(number: int) -> None:
            results.append(await driver.run_in_thread(lambda: number))

        assert await driver.gather([call(number) for number in range(300)], 20)
        assert sorted(results) == list(range(300))

    run(main)


def test_a_thread_that_hangs_does_not_keep_the_loop(driver: Driver, run: Run) -> None:
    release, begun = threading.Event(), threading.Event()
    worker: list[threading.Thread] = []

    def hang() -> None:
        worker.append(threading.current_thread())
        begun.set()
        release.wait()

    async def main() -> None:
        async def call() -> None:
            await driver.run_in_thread(hang)

        driver.spawn(call(), "call")
        await driver.run_in_thread(begun.wait)
        await driver.cancel_tasks()

    began = time.monotonic()
    run(main)
    assert time.monotonic() - began < 20  # it would hang for ever
    release.set()  # its result interests nobody any more, and must not disturb
    worker[0].join(20)
    assert not worker[0].is_alive()


def test_threads_that_come_after_the_end(
    driver: Driver, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    kept: list[Any] = []

    async def main() -> None:
        kept.extend([driver.Event(), driver.ThreadsafeQueue()])

        async def wait(what: Coroutine[Any, Any, Any]) -> None:
            await what

        driver.spawn(wait(kept[0].wait()), "event")
        driver.spawn(wait(kept[1].async_get()), "queue")
        await driver.sleep(0.01)

    run(main)
    event, queue = kept
    event.set()
    queue.put(1)
    assert event.is_set()
    assert queue.get() == 1
    assert caplog.records == []


# --- signals --------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_signals(driver: Driver, run: Run, number: signal.Signals) -> None:
    before = [signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)]

    async def main() -> None:
        stop = driver.Event()
        driver.on_signals(stop.set)
        os.kill(os.getpid(), number)  # at once: nothing may be lost because a task starts later
        assert await stop.wait(10)

    run(main)
    assert [signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)] == before


def test_an_ioc_under_nohup_outlives_its_terminal(driver: Driver, run: Run) -> None:
    async def main() -> None:
        stop = driver.Event()
        driver.on_signals(stop.set)
        os.kill(os.getpid(), signal.SIGHUP)
        assert not await stop.wait(0.05)

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run(main)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_signal_while_the_loop_is_idle(driver: Driver, run: Run) -> None:
    async def main() -> None:
        stop = driver.Event()
        driver.on_signals(stop.set)
        timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM))
        timer.start()
        assert await stop.wait(10)
        timer.join()

    run(main)


def test_outside_of_the_main_thread(library: str) -> None:
    """Somebody else is in charge of the signals; everything else works."""
    results: list[int] = []

    def work() -> None:
        driver = load_driver(library)

        async def main() -> int:
            event = driver.Event()
            driver.on_signals(event.set)
            driver.call_soon(event.set)
            assert await event.wait(10)
            return await driver.run_in_thread(lambda: 7)

        results.append(driver.run(main))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    assert results == [7]
