"""trio (``pip install ioc-ops[trio]``)."""

import contextlib
import queue
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import trio
import trio.lowlevel

from ioc_ops.server.drivers.layer import Listener, UdpEndpoint
from ioc_ops.server.drivers.streams import SocketConnection, UdpSocket

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit, Transport

__all__ = ["TrioDriver", "make_driver"]

_T = TypeVar("_T")


class _Flag:
    """trio.Event cannot be cleared; this one can."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def set(self) -> None:
        self._event.set()

    def clear(self) -> None:
        if self._event.is_set():
            self._event = trio.Event()

    async def wait(self) -> None:
        await self._event.wait()


class _Kernel:
    async def wait_readable(self, sock: socket.socket) -> None:
        await trio.lowlevel.wait_readable(sock)

    async def wait_writable(self, sock: socket.socket) -> None:
        await trio.lowlevel.wait_writable(sock)

    def flag(self) -> _Flag:
        return _Flag()


class _Event:
    """An event that any thread may set, and whose wait has a timeout."""

    def __init__(self) -> None:
        self._flag = _Flag()
        self._is_set = False
        self._token = trio.lowlevel.current_trio_token()

    def set(self) -> None:
        self._is_set = True
        self._token.run_sync_soon(self._flag.set)

    def clear(self) -> None:
        self._is_set = False
        self._flag.clear()

    def is_set(self) -> bool:
        return self._is_set

    async def wait(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - users' API
        with trio.move_on_after(float("inf") if timeout is None else timeout):
            await self._flag.wait()
        return self._is_set


class _ThreadsafeQueue:
    """Put and get from threads and tasks alike."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._wake = _Flag()
        self._token = trio.lowlevel.current_trio_token()

    def put(self, value: Any) -> None:
        self._queue.put(value)
        self._token.run_sync_soon(self._wake.set)

    def get(self) -> Any:
        return self._queue.get()

    async def async_put(self, value: Any) -> None:
        self._queue.put(value)
        self._wake.set()

    async def async_get(self) -> Any:
        while True:
            self._wake.clear()
            with contextlib.suppress(queue.Empty):
                return self._queue.get_nowait()
            await self._wake.wait()


class _Closing:
    """Ends the task that accepts."""

    def __init__(self, scope: trio.CancelScope) -> None:
        self._scope = scope

    def close(self) -> None:
        self._scope.cancel()


class TrioDriver:
    """One run of trio."""

    name = "trio"
    library: ModuleType = trio

    def __init__(self) -> None:
        """Starts nothing yet."""
        self._scopes: set[trio.CancelScope] = set()
        self._kernel = _Kernel()

    def run(self, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
        async def inside() -> int:
            self._token = trio.lowlevel.current_trio_token()
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                status = await main()
                nursery.cancel_scope.cancel()
            return status

        return trio.run(inside, strict_exception_groups=False)

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)

    def Event(self) -> _Event:  # noqa: N802
        return _Event()

    def ThreadsafeQueue(self) -> _ThreadsafeQueue:  # noqa: N802
        return _ThreadsafeQueue()

    async def run_in_thread(self, function: Callable[..., _T], *arguments: Any) -> _T:
        return await trio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True)

    def monotonic(self) -> float:
        return time.monotonic()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> object:
        scope = trio.CancelScope()
        self._scopes.add(scope)

        async def run() -> None:
            try:
                with scope:
                    await work
            finally:
                work.close()
                self._scopes.discard(scope)

        self._nursery.start_soon(run, name=name)
        return scope

    async def cancel_tasks(self) -> None:
        for scope in list(self._scopes):
            scope.cancel()
        with trio.move_on_after(0.5):
            while self._scopes:
                await trio.lowlevel.checkpoint()

    async def gather(self, work: Iterable[Awaitable[None]], seconds: float) -> bool:
        async def wait_for(item: Awaitable[None]) -> None:
            await item

        with trio.move_on_after(seconds) as scope:
            async with trio.open_nursery() as nursery:
                for item in work:
                    nursery.start_soon(wait_for, item)
        return not scope.cancelled_caught

    def call_soon(self, function: Callable[[], None]) -> object:
        self._token.run_sync_soon(function)
        return None

    def on_signals(self, function: Callable[[], None]) -> None:
        async def watch() -> None:
            # Outside of the main thread whoever runs us is in charge of the signals.
            with (
                contextlib.suppress(RuntimeError),
                trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received,
            ):
                async for _ in received:
                    function()

        self._nursery.start_soon(watch)

    async def listen_tcp(
        self, sock: socket.socket, make_circuit: "Callable[[Transport, str], Circuit]"
    ) -> Listener:
        scope = trio.CancelScope()

        async def accept() -> None:
            with scope:
                while True:
                    await trio.lowlevel.wait_readable(sock)
                    try:
                        accepted, _ = sock.accept()
                    except OSError:
                        await trio.sleep(0.01)  # gone again, or no descriptor is left
                        continue
                    accepted.setblocking(False)
                    connection = SocketConnection(accepted, self._kernel, make_circuit)
                    self._nursery.start_soon(connection.read)
                    self._nursery.start_soon(connection.write_rest)

        self._nursery.start_soon(accept)
        return _Closing(scope)

    async def open_udp(
        self, sock: socket.socket, receive: Callable[[bytes, tuple[str, int]], bytes | None]
    ) -> UdpEndpoint:
        endpoint = UdpSocket(sock, self._kernel, receive)

        async def read() -> None:
            with contextlib.suppress(trio.ClosedResourceError):
                await endpoint.read()

        self._nursery.start_soon(read)
        return endpoint


def make_driver() -> TrioDriver:
    """A driver for one run."""
    return TrioDriver()
