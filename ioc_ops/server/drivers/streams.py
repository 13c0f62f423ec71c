"""Connections over plain non-blocking sockets, for libraries without asyncio's transports.

A socket is closed by the tasks that wait on it, when the last of them has ended, and by nobody
else: a descriptor that is closed while somebody waits on it is never heard of again, or worse,
is heard of as the next socket that gets its number.
"""

import contextlib
import logging
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from ioc_ops.channel import Payload
from ioc_ops.server.drivers.refusals import Refusals
from ioc_ops.server.drivers.tasks import Job
from ioc_ops.server.drivers.threads import Event

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit, Transport

__all__ = ["HIGH_WATER", "Kernel", "SocketConnection", "SocketListener", "UdpSocket"]

log = logging.getLogger("ioc_ops.server")

HIGH_WATER = 0x40000
"""Bytes that a connection holds before it asks for a pause; at a quarter it asks for more."""

_RECEIVE = 0x40000
_MOST_DATAGRAM = 0x10000
_JOIN_BELOW = 0x10000
_DATAGRAMS_AT_ONCE = 64
_NO_DESCRIPTOR_LEFT = 0.1  # seconds before accepting is tried again


class Kernel(Protocol):
    """What a library waits and works with."""

    def start(self, work: Awaitable[None], name: str, ended: Callable[[], None]) -> Job: ...

    async def wait_readable(self, sock: socket.socket) -> None: ...

    async def wait_writable(self, sock: socket.socket) -> None: ...

    async def sleep(self, seconds: float) -> None: ...

    def Event(self) -> Event: ...  # noqa: N802 - the name that users know


class SocketConnection:
    """Carries bytes between a socket and a circuit."""

    def __init__(
        self,
        sock: socket.socket,
        kernel: Kernel,
        make_circuit: "Callable[[Transport, str], Circuit]",
    ) -> None:
        """Take over a connected, non-blocking socket. Raises OSError: the client is gone."""
        self._sock = sock
        self._kernel = kernel
        self._rest: deque[memoryview] = deque()
        self._held = 0
        self._closing = False
        self._full = False
        self._may_read = kernel.Event()
        self._may_read.set()
        self._has_rest = kernel.Event()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        host, port = sock.getpeername()[:2]
        self._circuit = make_circuit(self, f"{host}:{port}")
        self._users = 2
        kernel.start(self._read(), f"read {host}:{port}", self._release)
        kernel.start(self._write_rest(), f"write {host}:{port}", self._release)

    def _release(self) -> None:
        self._users -= 1
        if self._users:
            self._circuit.closed()
        else:
            self._sock.close()

    async def _read(self) -> None:
        """Feed the circuit until the client has gone or the circuit is closed."""
        circuit, sock, wait_readable = self._circuit, self._sock, self._kernel.wait_readable
        outbox = circuit.context.outbox
        try:
            while not self._closing:
                await self._may_read.wait()
                await wait_readable(sock)
                if not self._may_read.is_set():
                    continue  # paused meanwhile
                try:
                    data = sock.recv(_RECEIVE)
                except BlockingIOError:
                    continue
                if not data:
                    break
                outbox.scheduled = True  # whatever this causes leaves at the end of it
                try:
                    circuit.receive(data)
                finally:
                    outbox.flush()
        except OSError:
            pass  # the client is gone
        finally:
            self.close()

    async def _write_rest(self) -> None:
        """Send what the socket did not take at once."""
        try:
            while self._held or not self._closing:
                if not self._held:
                    self._has_rest.clear()
                    await self._has_rest.wait()
                    continue
                await self._kernel.wait_writable(self._sock)
                self._send()
                if self._full and self._held <= HIGH_WATER // 4:
                    self._full = False
                    self._circuit.drained()
        finally:
            self.close()

    def write(self, chunks: list[Payload]) -> bool:
        small: list[Payload] = []
        for chunk in chunks:
            if len(chunk) < _JOIN_BELOW:
                small.append(chunk)
                continue
            # Large ones go by themselves: joining would copy them.
            self._hold(b"".join(small))
            small = []
            self._hold(chunk)
        self._hold(small[0] if len(small) == 1 else b"".join(small))
        self._send()
        if self._held:
            self._has_rest.set()
        self._full = self._held > HIGH_WATER
        return not self._full

    def _hold(self, data: Payload) -> None:
        if data:
            self._rest.append(memoryview(data))
            self._held += len(data)

    def _send(self) -> None:
        rest = self._rest
        try:
            while rest:
                sent = self._sock.send(rest[0])
                self._held -= sent
                if sent == len(rest[0]):
                    rest.popleft()
                else:
                    rest[0] = rest[0][sent:]
        except BlockingIOError:
            pass
        except OSError:  # the client is gone: the reader finds out and tells the circuit
            rest.clear()
            self._held = 0
            self.close()

    def pause_reading(self) -> None:
        self._may_read.clear()

    def resume_reading(self) -> None:
        self._may_read.set()

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._may_read.set()
            self._has_rest.set()
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RD)  # wakes the reader


class SocketListener:
    """Accepts on a bound socket until it is closed."""

    def __init__(
        self,
        sock: socket.socket,
        kernel: Kernel,
        make_circuit: "Callable[[Transport, str], Circuit]",
    ) -> None:
        """Whoever bound the socket closes it when he likes: this works on a duplicate."""
        self._sock = sock.dup()
        self._kernel = kernel
        self._make_circuit = make_circuit
        self._refusals = Refusals(log, "Channel Access")
        self._job: Job = kernel.start(self._accept(), "accept", self._sock.close)

    async def _accept(self) -> None:
        while True:
            await self._kernel.wait_readable(self._sock)
            try:
                while True:
                    accepted, _ = self._sock.accept()
                    accepted.setblocking(False)
                    self._welcome(accepted)
            except (BlockingIOError, ConnectionError):
                pass  # all accepted, or one that is gone already
            except OSError as problem:
                self._refusals.tell(problem)
                await self._kernel.sleep(_NO_DESCRIPTOR_LEFT)

    def _welcome(self, accepted: socket.socket) -> None:
        try:
            SocketConnection(accepted, self._kernel, self._make_circuit)
        except OSError:
            accepted.close()  # the client is gone
        except Exception:
            log.exception("a connection failed")
            accepted.close()

    def close(self) -> None:
        self._job.cancel()


class UdpSocket:
    """A bound UDP socket and its reading task."""

    def __init__(
        self,
        sock: socket.socket,
        kernel: Kernel,
        receive: Callable[[bytes, tuple[str, int]], bytes | None],
    ) -> None:
        """Take over a bound, non-blocking socket."""
        self._sock = sock
        self._kernel = kernel
        self._receive = receive
        self._job: Job = kernel.start(self._read(), "UDP", sock.close)

    async def _read(self) -> None:
        """Answer datagrams until the task is cancelled."""
        while True:
            await self._kernel.wait_readable(self._sock)
            for _ in range(_DATAGRAMS_AT_ONCE):
                try:
                    data, address = self._sock.recvfrom(_MOST_DATAGRAM)
                except BlockingIOError:
                    break
                except OSError:
                    continue  # a client that is gone before its answer came
                self._answer(data, address)

    def _answer(self, data: bytes, address: tuple[str, int]) -> None:
        try:
            answer = self._receive(data, address)
            if answer is not None:
                self.send(answer, address)
        except OSError:
            pass  # no way to that client, or no room just now; it will search again
        except Exception:
            log.exception("a datagram of %s:%d failed", *address)

    def send(self, datagram: bytes, address: tuple[str, int]) -> None:
        self._sock.sendto(datagram, address)

    def close(self) -> None:
        self._job.cancel()
