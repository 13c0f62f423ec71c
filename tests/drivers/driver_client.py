"""A Channel Access client of plain sockets: what it does not read stays unread."""

import socket
import struct
from typing import Self

HOST = "127.0.0.1"
TIMEOUT = 15.0  # seconds; nothing waits that long when all is well

VERSION, EVENT, READ, CREATE, WRITE = 0, 1, 15, 18, 19
STRING, LONG, DOUBLE = 0, 5, 6
VALUE_AND_ALARM = 5  # mask of a subscription
NORMAL = 1

Message = tuple[int, int, int, int, int, bytes]
"""Command, data type, count, parameter 1 and 2, payload."""


def pack(
    command: int, data_type: int, count: int, one: int, two: int, payload: bytes = b""
) -> bytes:
    payload += bytes(-len(payload) % 8)
    if len(payload) < 0xFFFF and count < 0xFFFF:
        head = struct.pack(">HHHHII", command, len(payload), data_type, count, one, two)
    else:
        head = struct.pack(">HHHHII", command, 0xFFFF, data_type, 0, one, two)
        head += struct.pack(">II", len(payload), count)
    return head + payload


class Client:
    """One circuit."""

    def __init__(self, port: int, receive_buffer: int = 0) -> None:
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect((HOST, port))
        self.stream = self.sock.makefile("rb")
        self.sids: dict[str, int] = {}
        self.ioid = 0
        self.sock.sendall(pack(VERSION, 0, 13, 0, 0))
        assert self.receive()[0] == VERSION

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.stream.close()
        self.sock.close()

    def receive(self) -> Message:
        """The next message; EOFError when the server has closed the circuit."""
        head = self.stream.read(16)
        if len(head) < 16:
            raise EOFError
        command, size, data_type, count, one, two = struct.unpack(">HHHHII", head)
        if size == 0xFFFF:
            size, count = struct.unpack(">II", self.stream.read(8))
        return command, data_type, count, one, two, self.stream.read(size)

    def expect(self, command: int) -> Message:
        """The next message with this command; others are dropped."""
        while (message := self.receive())[0] != command:
            pass
        return message

    def sid(self, pv: str) -> int:
        if pv not in self.sids:
            name = pv.encode() + b"\0"
            self.sock.sendall(pack(CREATE, 0, 0, len(self.sids) + 1, 13, name))
            self.sids[pv] = self.expect(CREATE)[4]
        return self.sids[pv]

    def ask(self, pv: str, data_type: int, count: int = 0) -> None:
        self.ioid += 1
        self.sock.sendall(pack(READ, data_type, count, self.sid(pv), self.ioid))

    def read(self, pv: str) -> float:
        """Value of a number."""
        self.ask(pv, DOUBLE, 1)
        _, _, _, status, _, payload = self.expect(READ)
        assert status == NORMAL
        value: float = struct.unpack_from(">d", payload)[0]
        return value

    def read_text(self, pv: str) -> str:
        self.ask(pv, STRING, 1)
        _, _, _, status, _, payload = self.expect(READ)
        assert status == NORMAL
        return payload.partition(b"\0")[0].decode()

    def read_array(self, pv: str) -> bytes:
        self.ask(pv, DOUBLE)
        _, _, _, status, _, payload = self.expect(READ)
        assert status == NORMAL
        return payload

    def put(self, pv: str, *values: float) -> int:
        """Send a put-callback; its ioid."""
        return self.put_bytes(pv, len(values), struct.pack(f">{len(values)}d", *values))

    def put_bytes(self, pv: str, count: int, payload: bytes) -> int:
        self.ioid += 1
        self.sock.sendall(pack(WRITE, DOUBLE, count, self.sid(pv), self.ioid, payload))
        return self.ioid

    def write(self, pv: str, *values: float) -> int:
        """Write and wait for the completion; its status."""
        ioid = self.put(pv, *values)
        _, _, _, status, completed, _ = self.expect(WRITE)
        assert completed == ioid
        return status

    def monitor(self, pv: str, data_type: int = DOUBLE, count: int = 0) -> None:
        mask = struct.pack(">fffHH", 0, 0, 0, VALUE_AND_ALARM, 0)
        self.sock.sendall(pack(EVENT, data_type, count, self.sid(pv), 1, mask))

    def event(self) -> float:
        """The value of the next event."""
        value: float = struct.unpack_from(">d", self.expect(EVENT)[5])[0]
        return value

    def event_text(self) -> str:
        return self.expect(EVENT)[5].partition(b"\0")[0].decode()
