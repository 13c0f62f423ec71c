"""Records that set off others, or themselves: FLNK, and HIGH of a bo."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar, copy_context
from typing import Any

from ioc_ops.ca import Eca
from ioc_ops.channel import ChannelData, View
from ioc_ops.records import Field, process
from ioc_ops.server.context import Context
from ioc_ops.server.drivers.layer import Driver, Task
from ioc_ops.server.puts import PutQueue

__all__ = ["Processing"]

_chain: ContextVar[tuple[ChannelData, ...]] = ContextVar("ioc_ops.chain", default=())
"""Records whose forward links have led here; as in EPICS Base none is entered twice."""


class _Step:
    """Work on a record that waits in line with the writes to it."""

    def __init__(
        self,
        record: ChannelData,
        work: Callable[[ChannelData], Awaitable[None]],
        chain: tuple[ChannelData, ...] = (),
        begin: Callable[[ChannelData], None] | None = None,
    ) -> None:
        self.name = record.name
        self._record = record
        self._work = work
        self._chain = chain
        self._begin = begin

    async def put(self, stored: object) -> None:
        if self._begin is not None:
            self._begin(self._record)
        _chain.set(self._chain)  # each put has a context of its own
        await self._work(self._record)


class Processing:
    """The surroundings of the records of an IOC that runs."""

    def __init__(self, context: Context, driver: Driver) -> None:
        """Set off nothing yet."""
        self._context = context
        self._driver = driver
        self._base = copy_context()
        self._timers: dict[ChannelData, Task] = {}
        self._forwarded: set[ChannelData] = set()  # and not begun
        context.removed.append(self._end_timer)

    def forward(self, record: ChannelData, link: str) -> None:
        """Process the PV that ``link`` names, in line with what it has to do already."""
        words = link.split()
        found: Any = self._context.find(words[0]) if words and self._context.running else None
        if found is None:
            return
        pv = found.pv if isinstance(found, View) else found
        target: ChannelData = pv.record if isinstance(pv, Field) else pv
        chain = (*_chain.get(), record)
        if target not in chain and target not in self._forwarded:
            self._forwarded.add(target)
            step = _Step(target, process, chain, self._forwarded.discard)
            # Later: now the record is about to tell its other subscribers.
            self._driver.call_soon(lambda: self._do(target, step))

    def fall_back(self, record: ChannelData, seconds: float) -> None:
        """Write 0 after ``seconds``, and not while the record is busy."""
        self._end_timer(record)
        if self._context.running:
            work = self._wait(record, seconds)
            self._timers[record] = self._base.copy().run(self._driver.spawn, work, record.name)

    async def _wait(self, record: ChannelData, seconds: float) -> None:
        await self._driver.sleep(seconds)
        while record.puts is not None:
            await self._driver.sleep(seconds)
        del self._timers[record]
        self._do(record, _Step(record, _write_zero))

    def _end_timer(self, record: ChannelData) -> None:
        timer = self._timers.pop(record, None)
        if timer is not None:
            timer.cancel()

    def _do(self, record: ChannelData, step: _Step) -> None:
        queue = record.puts or PutQueue(record, self._context.counters, self._context.spawn)
        queue.add(step, None, _ignore)


async def _write_zero(record: ChannelData) -> None:
    await record.write(0)


def _ignore(status: Eca) -> None:
    pass  # the queue has logged and counted what went wrong
