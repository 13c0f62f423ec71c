"""asyncio, on uvloop when that is installed (``pip install ioc-ops[fast]``)."""

import asyncio
import contextlib
import queue
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ioc_ops.channel import Payload
from ioc_ops.server.drivers.layer import Listener, UdpEndpoint

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit, Transport

__all__ = ["AsyncioDriver", "make_driver"]

_T = TypeVar("_T")
_HIGH_WATER = 0x40000
_JOIN_BELOW = 0x10000
# From 3.12 on a task may begin at once: a putter that never waits costs no trip of the loop.
_EAGER: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}


class _Event:
    """asyncio.Event that any thread may set, and whose wait has a timeout."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def set(self) -> None:
        self._loop.call_soon_threadsafe(self._event.set)

    def clear(self) -> None:
        self._event.clear()

    def is_set(self) -> bool:
        return self._event.is_set()

    async def wait(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - users' API
        try:
            async with asyncio.timeout(timeout):
                return await self._event.wait()
        except TimeoutError:
            return False


class _ThreadsafeQueue:
    """Put and get from threads and tasks alike."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._wake = asyncio.Event()

    def put(self, value: Any) -> None:
        self._queue.put(value)
        self._loop.call_soon_threadsafe(self._wake.set)

    def get(self) -> Any:
        return self._queue.get()

    async def async_put(self, value: Any) -> None:
        self._queue.put(value)
        self._wake.set()

    async def async_get(self) -> Any:
        while True:
            with contextlib.suppress(queue.Empty):
                return self._queue.get_nowait()
            self._wake.clear()
            # Somebody may have put between the look and the clear.
            with contextlib.suppress(queue.Empty):
                return self._queue.get_nowait()
            await self._wake.wait()


class _Connection(asyncio.Protocol):
    """Carries bytes between a socket and a circuit."""

    transport: asyncio.Transport
    circuit: "Circuit"

    def __init__(self, make_circuit: "Callable[[Transport, str], Circuit]") -> None:
        self._make_circuit = make_circuit
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self.transport = transport
        transport.set_write_buffer_limits(high=_HIGH_WATER)
        sock = transport.get_extra_info("socket")
        # Not every loop does so by itself, and Nagle with delayed ACK costs 40 ms a request.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        host, port = transport.get_extra_info("peername")[:2]
        self.circuit = self._make_circuit(self, f"{host}:{port}")

    def data_received(self, data: bytes) -> None:
        circuit = self.circuit
        outbox = circuit.context.outbox
        outbox.scheduled = True  # whatever this causes leaves at the end of it
        try:
            circuit.receive(data)
        finally:
            outbox.flush()

    def eof_received(self) -> None:
        return None

    def connection_lost(self, problem: Exception | None) -> None:
        self.circuit.closed()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self.circuit.drained()

    def write(self, chunks: list[Payload]) -> bool:
        write = self.transport.write
        small: list[Payload] = []
        for chunk in chunks:
            if len(chunk) < _JOIN_BELOW:
                small.append(chunk)
                continue
            # Large ones go by themselves: joining would copy them.
            write(b"".join(small))
            small = []
            write(chunk)
        if small:
            write(small[0] if len(small) == 1 else b"".join(small))
        return not self._full

    def pause_reading(self) -> None:
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def close(self) -> None:
        self.transport.close()


class _Udp(asyncio.DatagramProtocol):
    transport: asyncio.DatagramTransport

    def __init__(self, receive: Callable[[bytes, tuple[str, int]], bytes | None]) -> None:
        self._receive = receive

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.DatagramTransport", transport)
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str | Any, int]) -> None:
        answer = self._receive(data, address)
        if answer is not None:
            self.transport.sendto(answer, address)

    def error_received(self, problem: Exception) -> None:
        """A client is gone before its answer came: nothing to do."""

    def send(self, datagram: bytes, address: tuple[str, int]) -> None:
        self.transport.sendto(datagram, address)

    def close(self) -> None:
        self.transport.close()


class AsyncioDriver:
    """One event loop of asyncio or uvloop."""

    name = "asyncio"
    library: ModuleType = asyncio

    def __init__(self) -> None:
        """Makes no loop yet."""
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
        try:
            import uvloop

            factory: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
        except ImportError:
            factory = None
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(main())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def Event(self) -> _Event:  # noqa: N802
        return _Event()

    def ThreadsafeQueue(self) -> _ThreadsafeQueue:  # noqa: N802
        return _ThreadsafeQueue()

    async def run_in_thread(self, function: Callable[..., _T], *arguments: Any) -> _T:
        return await asyncio.to_thread(function, *arguments)

    def monotonic(self) -> float:
        return time.monotonic()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> object:
        task = asyncio.Task(work, loop=asyncio.get_running_loop(), name=name, **_EAGER)
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return task

    async def cancel_tasks(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=0.5)

    async def gather(self, work: Iterable[Awaitable[None]], seconds: float) -> bool:
        tasks = [asyncio.ensure_future(item) for item in work]
        if not tasks:
            return True
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=0.1)
        return not late

    def call_soon(self, function: Callable[[], None]) -> object:
        return asyncio.get_running_loop().call_soon(function)

    def on_signals(self, function: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        # Outside of the main thread whoever runs us is in charge of the signals.
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, function)

    async def listen_tcp(
        self, sock: socket.socket, make_circuit: "Callable[[Transport, str], Circuit]"
    ) -> Listener:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: _Connection(make_circuit), sock=sock, backlog=1024)

    async def open_udp(
        self, sock: socket.socket, receive: Callable[[bytes, tuple[str, int]], bytes | None]
    ) -> UdpEndpoint:
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_datagram_endpoint(lambda: _Udp(receive), sock=sock)
        return protocol


def make_driver() -> AsyncioDriver:
    """A driver for one run."""
    return AsyncioDriver()
