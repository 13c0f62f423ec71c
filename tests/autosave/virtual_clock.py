"""An async library whose time passes when a test says so."""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Iterable
from itertools import count
from typing import TypeVar

from storage_threads import storage_is_at_work

T = TypeVar("T")

# Whatever can run does so before time passes, however slow the machine is: the loop has so many
# turns, and storage threads end their work, in real time of which this much is too much.
_TURNS = 20
_REAL_LIMIT = 20.0


class VirtualClock:
    """What a hook gets as ``async_lib``, as far as autosave uses it."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), future))
        await future

    def Event(self) -> asyncio.Event:  # noqa: N802
        return asyncio.Event()

    async def gather(self, work: Iterable[Awaitable[None]], seconds: float) -> bool:
        """As a driver does it: cancels what is not through in time."""
        tasks = {asyncio.ensure_future(item) for item in work}
        alarm = asyncio.ensure_future(self.sleep(seconds))
        late = set(tasks)
        while late and not alarm.done():
            await asyncio.wait([*late, alarm], return_when=asyncio.FIRST_COMPLETED)
            late = {task for task in tasks if not task.done()}
        for task in (alarm, *late):
            task.cancel()
        await asyncio.wait([alarm, *late], timeout=0.1)
        return not late

    async def advance(self, seconds: float) -> None:
        """Let time pass; who sleeps wakes up in order."""
        end = self.now + seconds
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._wake()
            await _settle()
        self.now = end

    async def until(self, awaitable: Awaitable[T]) -> T:
        """Let just as much time pass as something takes."""
        task = asyncio.ensure_future(awaitable)
        await _settle()
        while not task.done():
            if self._sleepers:
                self._wake()
            await _settle()
        return await task

    def _wake(self) -> None:
        then, _, future = heapq.heappop(self._sleepers)
        if not future.done():  # nobody waits for the end of a sleep that was cancelled
            self.now = then
            future.set_result(None)


async def _settle() -> None:
    """Return when nothing happens any more without time passing."""
    deadline = time.monotonic() + _REAL_LIMIT
    while True:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        if not storage_is_at_work():
            return
        assert time.monotonic() < deadline, "a storage thread does not come to an end"
        await asyncio.sleep(0.0005)
