"""A client of raw sockets that says exactly what a test wants, and shows replies for comparison."""

import socket
import struct
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ioc_ops.ca import LAYOUTS, MINOR_VERSION, Command, Eca, Family, pack_header
from ioc_ops.ca.dbr import NATIVE_DTYPES
from ioc_ops.ca.header import EXTENDED, HEADER
from ioc_ops.ca.payload import unpack_payload

TIMEOUT = 20.0  # seconds; a server may be starved of its processor
Raw = tuple[int, int, int, int, int, int, bytes]
"""Command, size, data type, count, parameters 1 and 2, payload."""

Shown = tuple[object, ...]
"""A reply as it is compared: without ids of the server's choice, clocks and texts for people."""


def request(
    command: int, data_type: int = 0, count: int = 0, p1: int = 0, p2: int = 0, payload: bytes = b""
) -> bytes:
    payload += bytes(-len(payload) % 8)
    return pack_header(command, len(payload), data_type, count, p1, p2) + payload


class Connection:
    """One TCP connection to a server, with its version said."""

    def __init__(self, port: int, *, minor: int = MINOR_VERSION) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._fences = 0
        self.closed = False
        self.sids: dict[int, str] = {}
        self.send(request(Command.VERSION, 0, minor))

    def close(self) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            self.closed = True

    def open(self, name: str, cid: int = 7) -> int:
        """Create a channel; its id on this server."""
        self.send(
            request(Command.CREATE_CHAN, p1=cid, p2=MINOR_VERSION, payload=name.encode() + b"\0")
        )
        while True:
            message = self._next()
            assert message is not None, f"{name}: closed"
            assert message[0] != Command.CREATE_CH_FAIL, f"{name}: no such PV"
            if message[0] == Command.CREATE_CHAN:
                self.sids[message[5]] = name
                return message[5]

    def exchange(self, data: bytes, awaited: Iterable[int] = ()) -> list[Raw]:
        """Send, and take all replies up to a fence.

        Replies of the commands ``awaited`` do not come in the order of the requests: they (or
        an ERROR) are waited for before the fence is sent.
        """
        self.send(data)
        found: list[Raw] = []
        for command in awaited:
            while not self.closed:
                message = self._next()
                if message is None:
                    break
                found.append(message)
                if message[0] in (command, Command.ERROR):
                    break
        self._fences += 1
        fence = 0x0FE4CE00 + self._fences
        self.send(request(Command.ECHO, p1=fence))
        while (message := self._next()) is not None:
            if message[0] == Command.ECHO and message[4] == fence:
                return found
            found.append(message)
        self.closed = True
        return found

    def until(self, wanted: Callable[[Raw], bool]) -> list[Raw]:
        """Take replies up to one that is wanted."""
        found: list[Raw] = []
        while (message := self._next()) is not None:
            found.append(message)
            if wanted(message):
                break
        return found

    def _holds(self, size: int) -> bool:
        """Wait for so many bytes; False when the server has closed before."""
        while len(self._buffer) < size:
            try:
                more = self._socket.recv(1 << 20)
            except ConnectionResetError:
                more = b""
            if not more:
                return False
            self._buffer += more
        return True

    def _next(self) -> Raw | None:
        # Nothing is taken out before all is there: a wait that ends early loses no bytes.
        begin = HEADER.size
        if not self._holds(begin):
            return None
        command, size, data_type, count, p1, p2 = HEADER.unpack_from(self._buffer)
        if size == 0xFFFF:
            begin += EXTENDED.size
            if not self._holds(begin):
                return None
            size, count = EXTENDED.unpack_from(self._buffer, HEADER.size)
        if not self._holds(begin + size):
            return None
        payload, self._buffer = self._buffer[begin : begin + size], self._buffer[begin + size :]
        return command, size, data_type, count, p1, p2, payload


# --- how replies are compared ---------------------------------------------------------------


def shown(message: Raw, connection: Connection) -> Shown:
    """A reply without what two servers may choose each for themselves."""
    command, size, data_type, count, p1, p2, payload = message
    sid = connection.sids
    name = Command(command).name
    if command == Command.ERROR:
        about = list(HEADER.unpack_from(payload))
        if about[1] == 0xFFFF:
            about[1], about[3] = EXTENDED.unpack_from(payload, HEADER.size)
        about[4] = sid.get(about[4], about[4])
        return (name, p1, Eca(p2).name, tuple(about))
    if command == Command.CREATE_CHAN:
        return (name, data_type, count, p1)
    if command in (Command.EVENT_ADD, Command.READ_NOTIFY, Command.WRITE_NOTIFY):
        if command == Command.EVENT_ADD and not size:
            return (name, "end", data_type, count, sid.get(p1, p1), p2)
        head: Shown = (name, Eca(p1).name, data_type, count, p2)
        return (*head, *value(data_type, count, payload)) if size else head
    if command == Command.READ:
        return (name, data_type, count, p1, p2, *value(data_type, count, payload))
    if command == Command.CLEAR_CHANNEL:
        return (name, sid.get(p1, p1), p2)
    return (name, data_type, count, p1, p2, payload)


def value(data_type: int, count: int, payload: bytes) -> Shown:
    """Payload size, what stands beside the elements (but the time), and the elements."""
    extras, raw = unpack_payload(data_type, count, payload)
    layout = LAYOUTS[data_type]
    said: list[object] = [len(payload)]
    if layout.family not in (Family.PLAIN, Family.CLASS_NAME):
        said += [("alarm", extras.status, extras.severity)]
    if layout.family == Family.STSACK:
        said += [("acknowledge", extras.ackt, extras.acks)]
    if layout.family in (Family.GR, Family.CTRL) and layout.native != 0:
        said += [extras.states] if layout.native == 3 else [extras.units, extras.precision]
        said += [tuple(map(repr, extras.limits))]
    if layout.native == 0:
        elements: list[Any] = [raw[i : i + 40].split(b"\0")[0] for i in range(0, len(raw), 40)]
    else:
        elements = [repr(n) for n in np.frombuffer(raw, NATIVE_DTYPES[layout.native]).tolist()]
    if layout.family == Family.CLASS_NAME:
        elements = elements[:1]  # the reference sends what was in its buffer behind the first
    return (*said, elements)


def pack(data_type: int, *elements: float | bytes) -> bytes:
    """Elements of a native type, as a client sends them."""
    if data_type == 0:
        return b"".join(bytes(element).ljust(40, b"\0") for element in elements)
    code = "_hfHBid"[data_type]
    return struct.pack(f">{len(elements)}{code}", *elements)
