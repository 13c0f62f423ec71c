"""Connections over plain non-blocking sockets, for libraries without asyncio's transports.

A library adds two things: how to wait until a socket can be read, and written.
"""

import socket
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from ioc_ops.channel import Payload

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit, Transport

__all__ = ["HIGH_WATER", "Kernel", "SocketConnection", "UdpSocket"]

HIGH_WATER = 0x40000
_RECEIVE = 0x40000
_MOST_DATAGRAM = 0x10000
_JOIN_BELOW = 0x10000


class _Flag(Protocol):
    def set(self) -> None: ...

    def clear(self) -> None: ...

    async def wait(self) -> object: ...


class Kernel(Protocol):
    """What a library waits with."""

    async def wait_readable(self, sock: socket.socket) -> None: ...

    async def wait_writable(self, sock: socket.socket) -> None: ...

    def flag(self) -> _Flag:
        """An event of the library, set and cleared in the loop's thread only."""


class SocketConnection:
    """Carries bytes between a socket and a circuit; ``read`` and ``write_rest`` are its tasks."""

    def __init__(
        self,
        sock: socket.socket,
        kernel: Kernel,
        make_circuit: "Callable[[Transport, str], Circuit]",
    ) -> None:
        """Take over a connected, non-blocking socket."""
        self._sock = sock
        self._kernel = kernel
        self._rest: deque[memoryview] = deque()
        self._held = 0
        self._closing = False
        self._full = False
        self._may_read = kernel.flag()
        self._may_read.set()
        self._has_rest = kernel.flag()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        host, port = sock.getpeername()[:2]
        self._circuit = make_circuit(self, f"{host}:{port}")

    async def read(self) -> None:
        """Feed the circuit until the client has gone or the circuit is closed."""
        circuit, sock = self._circuit, self._sock
        try:
            while not self._closing:
                await self._may_read.wait()
                await self._kernel.wait_readable(sock)
                try:
                    data = sock.recv(_RECEIVE)
                except BlockingIOError:
                    continue
                if not data:
                    break
                outbox = circuit.context.outbox
                outbox.scheduled = True  # whatever this causes leaves at the end of it
                try:
                    circuit.receive(data)
                finally:
                    outbox.flush()
        except OSError:
            pass  # the client is gone
        finally:
            circuit.closed()
            self._closing = True
            self._has_rest.set()

    async def write_rest(self) -> None:
        """Send what the socket did not take at once."""
        try:
            while self._held or not self._closing:
                await self._has_rest.wait()
                if self._held:
                    await self._kernel.wait_writable(self._sock)
                    self._send()
                if not self._held and not self._closing:
                    self._has_rest.clear()
        except OSError:
            self._closing = True
        finally:
            self._sock.close()

    def write(self, chunks: list[Payload]) -> bool:
        small: list[Payload] = []
        for chunk in chunks:
            if len(chunk) < _JOIN_BELOW:
                small.append(chunk)
                continue
            self._hold(b"".join(small))
            small = []
            self._hold(chunk)
        self._hold(b"".join(small))
        try:
            self._send()
        except OSError:
            self.close()  # the reader sees it too
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
        while rest:
            try:
                sent = self._sock.send(rest[0])
            except BlockingIOError:
                break
            self._held -= sent
            if sent == len(rest[0]):
                rest.popleft()
            else:
                rest[0] = rest[0][sent:]
        if self._full and self._held <= HIGH_WATER // 4:
            self._full = False
            self._circuit.drained()

    def pause_reading(self) -> None:
        self._may_read.clear()

    def resume_reading(self) -> None:
        self._may_read.set()

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._may_read.set()
            self._has_rest.set()
            try:
                self._sock.shutdown(socket.SHUT_RD)  # wakes the reader
            except OSError:
                pass


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
        self._wait: Callable[[socket.socket], Awaitable[None]] = kernel.wait_readable
        self._receive = receive

    async def read(self) -> None:
        """Answer datagrams until the task is cancelled."""
        sock = self._sock
        while True:
            await self._wait(sock)
            try:
                data, address = sock.recvfrom(_MOST_DATAGRAM)
                answer = self._receive(data, address)
                if answer is not None:
                    sock.sendto(answer, address)
            except OSError:
                if sock.fileno() < 0:
                    return  # closed
                # Not readable after all, or a client that is gone before its answer came.

    def send(self, datagram: bytes, address: tuple[str, int]) -> None:
        try:
            self._sock.sendto(datagram, address)
        except BlockingIOError:
            pass

    def close(self) -> None:
        self._sock.close()
