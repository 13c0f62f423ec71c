"""asyncio, on uvloop when that is installed (``pip install ioc-ops[fast]``)."""

import asyncio
import contextlib
import logging
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from concurrent.futures import Future
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from ioc_ops.server.drivers.asyncio_protocols import Connection, Datagrams, Receive
from ioc_ops.server.drivers.layer import Listener, UdpEndpoint
from ioc_ops.server.drivers.patience import slices
from ioc_ops.server.drivers.process import ProcessFrame
from ioc_ops.server.drivers.refusals import AT_ONCE, BACKLOG, Refusals
from ioc_ops.server.drivers.threads import Event, ThreadsafeQueue, WorkerThreads

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit, Transport

__all__ = ["AsyncioDriver", "make_driver"]

log = logging.getLogger("ioc_ops.server")

_T = TypeVar("_T")
# From 3.12 on a task may begin at once: a putter that never waits costs no trip of the loop.
_EAGER: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}


class AsyncioDriver:
    """One event loop of asyncio or uvloop."""

    name = "asyncio"
    library: ModuleType = asyncio

    def __init__(self) -> None:
        """Makes no loop yet."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads = WorkerThreads()
        self._frame = ProcessFrame()
        self._connections: set[Connection] = set()

    def run(self, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
        try:
            import uvloop

            factory: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
        except ImportError:
            factory = None
        with self._frame, asyncio.Runner(loop_factory=factory) as runner:
            try:
                return runner.run(self._life(main))
            finally:
                self._threads.close()

    async def _life(self, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
        refusals = Refusals(log, "Channel Access")
        asyncio.get_running_loop().set_exception_handler(refusals.handle)
        try:
            return await self._frame.after(main)
        finally:
            await self.cancel_tasks()
            # Close waits until all is sent, and a client that does not read keeps it waiting.
            for connection in list(self._connections):
                connection.transport.abort()
            await asyncio.sleep(0)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait_future(self, future: "Future[Any]", seconds: float | None = None) -> None:
        """As ``WaitFuture`` says."""
        woken = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wake(future: "Future[Any]") -> None:
            # A thread that took its time may come when the loop is closed.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(woken.set)

        future.add_done_callback(wake)
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            pass
        finally:
            future.cancel()

    def Event(self) -> Event:  # noqa: N802
        return Event(self.wait_future)

    def ThreadsafeQueue(self) -> ThreadsafeQueue:  # noqa: N802
        return ThreadsafeQueue(self.wait_future)

    async def run_in_thread(self, function: Callable[..., _T], *arguments: Any) -> _T:
        return await self._threads.run(self.wait_future, function, *arguments)

    def monotonic(self) -> float:
        return time.monotonic()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.Task(work, loop=asyncio.get_running_loop(), name=name, **_EAGER)
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return task

    def task_count(self) -> int:
        return len(self._tasks)

    async def cancel_tasks(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await _join(tasks, 0.5)

    async def gather(self, work: Iterable[Awaitable[None]], seconds: float) -> bool:
        tasks = [asyncio.ensure_future(item) for item in work]
        late = await _join(tasks, seconds)
        for task in late:
            task.cancel()
        await _join(late, 0.1)
        return not late

    def call_soon(self, function: Callable[[], None]) -> object:
        return asyncio.get_running_loop().call_soon(function)

    def on_signals(self, function: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        # Not by add_signal_handler: uvloop leaves its handler behind when the loop is closed.
        self._frame.on_signals(lambda: loop.call_soon_threadsafe(function))

    async def listen_tcp(
        self, sock: socket.socket, make_circuit: "Callable[[Transport, str], Circuit]"
    ) -> Listener:
        loop = asyncio.get_running_loop()

        def make_connection() -> Connection:
            return Connection(make_circuit, self._connections)

        server = await loop.create_server(make_connection, sock=sock, backlog=AT_ONCE)
        sock.listen(BACKLOG)
        return server

    async def open_udp(self, sock: socket.socket, receive: Receive) -> UdpEndpoint:
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_datagram_endpoint(
            lambda: Datagrams(sock, receive), sock=sock
        )
        return protocol


async def _join(
    tasks: "Collection[asyncio.Future[None]]", seconds: float
) -> "Collection[asyncio.Future[None]]":
    """Wait for all to end; those that did not."""
    for some in slices(seconds):
        if not tasks:
            break
        _, tasks = await asyncio.wait(tasks, timeout=some)
    return tasks


def make_driver() -> AsyncioDriver:
    """A driver for one run."""
    return AsyncioDriver()
