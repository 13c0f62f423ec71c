"""What a driver offers: to hooks (AsyncLibraryLayer) and to the server (Driver)."""

import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit, Transport

__all__ = ["AsyncLibraryLayer", "Driver", "Listener", "Task", "ThreadsafeQueue", "UdpEndpoint"]

_T = TypeVar("_T")


class ThreadsafeQueue(Protocol):
    """An unbounded queue between threads and tasks."""

    def put(self, value: Any) -> None:
        """From any thread."""

    def get(self) -> Any:
        """From a thread: waits."""

    async def async_put(self, value: Any) -> None: ...

    async def async_get(self) -> Any: ...


class Event(Protocol):
    """A flag to wait for; ``set`` may be called from any thread."""

    def set(self) -> None: ...

    def clear(self) -> None: ...

    def is_set(self) -> bool: ...

    async def wait(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109
        """Wait until set, or for ``timeout`` seconds; whether it is set."""


class AsyncLibraryLayer(Protocol):
    """``async_lib`` of the hooks: the same whatever library the IOC runs on."""

    name: str
    library: ModuleType
    """asyncio, trio or curio itself."""

    async def sleep(self, seconds: float) -> None: ...

    def Event(self) -> Event: ...  # noqa: N802 - the name that users know

    def ThreadsafeQueue(self) -> ThreadsafeQueue: ...  # noqa: N802

    async def run_in_thread(self, function: Callable[..., _T], *arguments: Any) -> _T:
        """Call a function that blocks, without blocking the IOC."""

    def monotonic(self) -> float:
        """Seconds of a clock that only goes forward."""


class Task(Protocol):
    """Work that was started."""

    def cancel(self) -> object:
        """End it where it waits; nothing when it has ended."""


class Listener(Protocol):
    """A TCP socket that accepts."""

    def close(self) -> None: ...


class UdpEndpoint(Protocol):
    """A bound UDP socket."""

    def send(self, datagram: bytes, address: tuple[str, int]) -> None:
        """Send at once. Raises OSError when that cannot be done; it is not tried again."""

    def close(self) -> None: ...


class Driver(AsyncLibraryLayer, Protocol):
    """All that the server asks of an async library."""

    def run(self, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
        """Run ``main`` to its end in a loop of its own."""

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> Task:
        """Start a task."""

    def task_count(self) -> int:
        """How many spawned tasks run; from any thread."""

    async def cancel_tasks(self) -> None:
        """Cancel all spawned tasks and wait for them."""

    async def gather(self, work: Iterable[Awaitable[None]], seconds: float) -> bool:
        """Await all at once for at most that many seconds; whether all are through."""

    def call_soon(self, function: Callable[[], None]) -> object:
        """Call at the end of this tick."""

    def on_signals(self, function: Callable[[], None]) -> None:
        """Call at SIGTERM, SIGINT and SIGHUP."""

    async def listen_tcp(
        self, sock: socket.socket, make_circuit: "Callable[[Transport, str], Circuit]"
    ) -> Listener:
        """Accept on a bound socket, feeding a circuit for each connection."""

    async def open_udp(
        self, sock: socket.socket, receive: Callable[[bytes, tuple[str, int]], bytes | None]
    ) -> UdpEndpoint:
        """Call ``receive`` with each datagram and sender; what it returns is sent back."""
