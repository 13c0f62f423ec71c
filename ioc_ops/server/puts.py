"""Writes of clients to a PV with hooks: one after the other, in the order they arrived."""

import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, Protocol

from ioc_ops.ca import Eca
from ioc_ops.channel import ChannelData, Value
from ioc_ops.errors import ChannelError, IocOpsError
from ioc_ops.server.access import PutTrap
from ioc_ops.server.counters import Counters

__all__ = ["MOST_PUTS", "PutQueue"]

log = logging.getLogger("ioc_ops.put")

MOST_PUTS = 10_000
"""Writes that may wait for one PV, of all clients; those of clients that have gone count, too."""

_MOST_BYTES = 0x10000000

Spawn = Callable[[Coroutine[Any, Any, None], str], object]


class Puttable(Protocol):
    """A PV, or what stands for one in its queue."""

    name: str

    async def put(self, stored: Value) -> None:
        """Write. Raises ChannelError where the PV refuses, anything where a hook fails."""


_Put = tuple[Puttable, Value, Callable[[Eca], None], PutTrap | None, int, float]


class PutQueue:
    """The writes that wait for the putter of one PV. Empty most of the time, then dropped.

    Views of the PV and fields that act on it have no queue but this.
    """

    __slots__ = ("_base", "_bytes", "_counters", "_owner", "_spawn", "_waiting")

    def __init__(self, owner: ChannelData, counters: Counters, spawn: Spawn) -> None:
        self._owner = owner
        self._counters = counters
        self._spawn = spawn
        # Each putter starts from here: what one sets in a ContextVar is not the next one's.
        self._base = copy_context()
        self._waiting: deque[_Put] = deque()
        self._bytes = 0

    @property
    def full(self) -> bool:
        """Whether clients send writes faster than the putter takes them, and for long."""
        return len(self._waiting) >= MOST_PUTS or self._bytes >= _MOST_BYTES

    def add(
        self,
        channel: Puttable,
        stored: Value,
        done: Callable[[Eca], None],
        trap: PutTrap | None = None,
        size: int = 0,
    ) -> None:
        """Write ``stored`` to ``channel`` after all that came before, log it, call ``done``."""
        self._waiting.append((channel, stored, done, trap, size, time.monotonic()))
        self._bytes += size
        if self._owner.puts is None:
            self._owner.puts = self
            self._next()

    def _next(self) -> None:
        # A copy, for a task that begins at once is still inside of this one when it ends.
        self._base.copy().run(self._spawn, self._first(), self._waiting[0][0].name)

    async def _first(self) -> None:
        """Apply what waits longest, in a task of its own; then see to what waits behind it."""
        more = False
        try:
            channel, stored, done, trap, size, began = self._waiting.popleft()
            self._bytes -= size
            if trap is not None:
                trap.begin()
            status = await self._apply(channel, stored)
            if trap is not None and status == Eca.NORMAL:
                trap.applied()
            self._counters.write_latency.add(channel.name, time.monotonic() - began)
            done(status)
            more = bool(self._waiting)
        finally:
            if not more:
                self._owner.puts = None
        if more:
            self._next()

    async def _apply(self, channel: Puttable, stored: Value) -> Eca:
        try:
            await channel.put(stored)
        except ChannelError as problem:
            said = str(problem).removeprefix(f"{channel.name}: ")
            log.info("%s: write refused: %s", channel.name, said)
            return Eca.PUTFAIL
        except IocOpsError as problem:
            self._counters.hook_failures["putter"] += 1
            log.error("%s: write failed: %s", channel.name, problem)
            return Eca.PUTFAIL
        except Exception:
            self._counters.hook_failures["putter"] += 1
            log.exception("%s: the putter failed", channel.name)
            return Eca.PUTFAIL
        return Eca.NORMAL
