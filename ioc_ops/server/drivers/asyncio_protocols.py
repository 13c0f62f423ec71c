"""Sockets of asyncio and uvloop: protocols between them and circuits or searches."""

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from ioc_ops.channel import Payload

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit, Transport

__all__ = ["Connection", "Datagrams", "Receive"]

Receive = Callable[[bytes, tuple[str, int]], bytes | None]
"""Takes a datagram and where it came from; gives the answer, if any."""

_HIGH_WATER = 0x40000
_JOIN_BELOW = 0x10000


class Connection(asyncio.Protocol):
    """Carries bytes between a socket and a circuit."""

    transport: asyncio.Transport
    circuit: "Circuit"

    def __init__(
        self,
        make_circuit: "Callable[[Transport, str], Circuit]",
        connections: "set[Connection]",
    ) -> None:
        self._make_circuit = make_circuit
        self._connections = connections
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self.transport = transport
        self._connections.add(self)
        transport.set_write_buffer_limits(high=_HIGH_WATER)
        sock = transport.get_extra_info("socket")
        # Not every loop does so by itself, and Nagle with delayed ACK costs 40 ms a request.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # A client that is gone already has no name any more.
        host, port = (transport.get_extra_info("peername") or ("?", 0))[:2]
        self.circuit = self._make_circuit(self, f"{host}:{port}")

    def data_received(self, data: bytes) -> None:
        circuit = self.circuit
        outbox = circuit.context.outbox
        outbox.scheduled = True  # whatever this causes leaves at the end of it
        try:
            circuit.receive(data)
        finally:
            outbox.flush()

    def connection_lost(self, problem: Exception | None) -> None:
        self._connections.discard(self)
        self.circuit.closed()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self.circuit.drained()

    def write(self, chunks: list[Payload]) -> bool:
        write = self.transport.write
        if len(chunks) == 1:
            write(chunks[0])
            return not self._full
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
            write(b"".join(small))
        return not self._full

    def pause_reading(self) -> None:
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def close(self) -> None:
        self.transport.close()


class Datagrams(asyncio.DatagramProtocol):
    transport: asyncio.DatagramTransport

    def __init__(self, sock: socket.socket, receive: Receive) -> None:
        self._sock = sock
        self._receive = receive

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str | Any, int]) -> None:
        answer = self._receive(data, address)
        if answer is not None:
            self.transport.sendto(answer, address)

    def error_received(self, problem: Exception) -> None:
        """A client is gone before its answer came: nothing to do."""

    def send(self, datagram: bytes, address: tuple[str, int]) -> None:
        # The transport would tell nobody, or error_received, which knows of no address.
        self._sock.sendto(datagram, address)

    def close(self) -> None:
        self.transport.close()
