"""Everything of a driver that can be written over a few calls of an async library."""

import logging
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import Future
from contextvars import Context
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from ioc_ops.server.drivers.layer import Listener, UdpEndpoint
from ioc_ops.server.drivers.process import ProcessFrame
from ioc_ops.server.drivers.streams import SocketListener, UdpSocket
from ioc_ops.server.drivers.tasks import Job, TaskGroup
from ioc_ops.server.drivers.threads import Event, ThreadsafeQueue, WorkerThreads

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit, Transport

__all__ = ["SocketsDriver", "call"]

log = logging.getLogger("ioc_ops.server")

_T = TypeVar("_T")


def call(context: Context, function: Callable[[], _T]) -> _T | None:
    """Call in a context; what it raises is logged."""
    try:
        return context.run(function)
    except Exception:
        log.exception("%r failed", function)
        return None


class SocketsDriver(ABC):
    """A driver over plain sockets. A library adds the abstract methods."""

    name: str
    library: ModuleType

    def __init__(self) -> None:
        """Starts nothing yet."""
        self._tasks = TaskGroup(self.start, self.Event)
        self._threads = WorkerThreads()
        self._frame = ProcessFrame()

    # -- what a library adds ----------------------------------------------------------------

    @abstractmethod
    def run_library(self, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
        """Run ``main`` to its end, cancel what was started and wait for that."""

    @abstractmethod
    def start(self, work: Awaitable[None], name: str, ended: Callable[[], None]) -> Job:
        """Run a job in a task of its own, in a copy of the caller's context."""

    @abstractmethod
    def call_soon(self, function: Callable[[], None]) -> None:
        """Call at the end of this tick, in a copy of the caller's context."""

    @abstractmethod
    def call_from_signal(self, function: Callable[[], None]) -> None:
        """Call in the loop; safe in a signal handler."""

    @abstractmethod
    async def wait_future(self, future: "Future[Any]", seconds: float | None = None) -> None:
        """As ``WaitFuture`` says."""

    @abstractmethod
    async def wait_readable(self, sock: socket.socket) -> None: ...

    @abstractmethod
    async def wait_writable(self, sock: socket.socket) -> None: ...

    @abstractmethod
    async def sleep(self, seconds: float) -> None: ...

    # -- what follows from it ---------------------------------------------------------------

    def run(self, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
        with self._frame:
            try:
                return self.run_library(lambda: self._frame.after(main))
            finally:
                self._threads.close()

    def monotonic(self) -> float:
        return time.monotonic()

    def Event(self) -> Event:  # noqa: N802
        return Event(self.wait_future)

    def ThreadsafeQueue(self) -> ThreadsafeQueue:  # noqa: N802
        return ThreadsafeQueue(self.wait_future)

    async def run_in_thread(self, function: Callable[..., _T], *arguments: Any) -> _T:
        return await self._threads.run(self.wait_future, function, *arguments)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> Job:
        return self._tasks.spawn(work, name)

    def task_count(self) -> int:
        return len(self._tasks)

    async def cancel_tasks(self) -> None:
        self._tasks.cancel()
        await self._tasks.join(0.5)

    async def gather(self, work: Iterable[Awaitable[None]], seconds: float) -> bool:
        tasks = TaskGroup(self.start, self.Event)
        for item in work:
            tasks.spawn(item, "gather")
        if await tasks.join(seconds):
            return True
        tasks.cancel()
        await tasks.join(0.1)
        return False

    def on_signals(self, function: Callable[[], None]) -> None:
        self._frame.on_signals(lambda: self.call_from_signal(function))

    async def listen_tcp(
        self, sock: socket.socket, make_circuit: "Callable[[Transport, str], Circuit]"
    ) -> Listener:
        return SocketListener(sock, self, make_circuit)

    async def open_udp(
        self, sock: socket.socket, receive: Callable[[bytes, tuple[str, int]], bytes | None]
    ) -> UdpEndpoint:
        return UdpSocket(sock, self, receive)
