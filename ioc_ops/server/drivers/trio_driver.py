"""trio (``pip install ioc-ops[trio]``)."""

import contextlib
import math
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextvars import Context, copy_context
from types import ModuleType
from typing import Any

import trio
import trio.lowlevel

from ioc_ops.server.drivers.sockets_driver import SocketsDriver, call
from ioc_ops.server.drivers.tasks import Job

__all__ = ["TrioDriver", "make_driver"]


class TrioDriver(SocketsDriver):
    """One run of trio."""

    name = "trio"
    library: ModuleType = trio

    def __init__(self) -> None:
        """Starts nothing yet."""
        super().__init__()
        self._soon: deque[tuple[Context, Callable[[], None]]] = deque()

    def run_library(self, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
        async def inside() -> int:
            self._token = trio.lowlevel.current_trio_token()
            self._called = trio.Event()
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                nursery.start_soon(self._call_soon)
                status = await main()
                nursery.cancel_scope.cancel()
            return status

        try:
            return trio.run(inside)
        except BaseExceptionGroup as group:
            # The nursery is the driver's business: whoever called run gets what main raised.
            problem: BaseException = group
            while isinstance(problem, BaseExceptionGroup):
                problem = problem.exceptions[0]
            raise problem from None

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)

    async def wait_readable(self, sock: socket.socket) -> None:
        await trio.lowlevel.wait_readable(sock)

    async def wait_writable(self, sock: socket.socket) -> None:
        await trio.lowlevel.wait_writable(sock)

    async def wait_future(self, future: "Future[Any]", seconds: float | None = None) -> None:
        woken = trio.Event()
        token = self._token

        def wake(future: "Future[Any]") -> None:
            # A thread that took its time may come when the run is over.
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(woken.set)

        future.add_done_callback(wake)
        try:
            with trio.move_on_after(math.inf if seconds is None else seconds):
                await woken.wait()
        finally:
            future.cancel()

    def start(self, work: Awaitable[None], name: str, ended: Callable[[], None]) -> Job:
        job = Job(work, name, ended)
        scope = trio.CancelScope()
        job.stop = scope.cancel

        async def run() -> None:
            with scope:
                await job.run()

        self._nursery.start_soon(run, name=name)
        return job

    def call_soon(self, function: Callable[[], None]) -> None:
        self._soon.append((copy_context(), function))
        self._called.set()

    def call_from_signal(self, function: Callable[[], None]) -> None:
        self._token.run_sync_soon(self.call_soon, function)

    async def _call_soon(self) -> None:
        # Not by run_sync_soon: that costs two system calls and has the context of nobody.
        while True:
            await self._called.wait()
            self._called = trio.Event()
            for _ in range(len(self._soon)):
                call(*self._soon.popleft())


def make_driver() -> TrioDriver:
    """A driver for one run."""
    return TrioDriver()
