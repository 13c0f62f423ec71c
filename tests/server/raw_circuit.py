"""A Channel Access client of bare sockets: what it sends and does not read is up to the test."""

import socket
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ioc_ops.ca import (
    DO_REPLY,
    ChannelType,
    Command,
    Eca,
    Extras,
    Message,
    SearchRequest,
    pack_header,
    pack_search_request,
    parse,
    parse_search_replies,
    unpack_payload,
)
from ioc_ops.ca.dbr import LAYOUTS, NATIVE_DTYPES

HOST = "127.0.0.1"
TIMEOUT = 20.0  # seconds; nothing waits that long when all is well
_LIMIT = 0x8000000


class Event(NamedTuple):
    """What a read or a monitor brought."""

    status: int
    extras: Extras
    values: list[Any]

    @property
    def value(self) -> Any:
        return self.values[0]


class Channel(NamedTuple):
    """A PV as this circuit knows it."""

    sid: int
    native: ChannelType
    count: int
    rights: int


class RawCircuit:
    """One TCP connection; every wait ends after `TIMEOUT` seconds with TimeoutError."""

    def __init__(self, port: int, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect((HOST, port))
        self.bytes_received = 0
        self._buffer = bytearray()
        self._numbers = iter(range(1, 1 << 30))
        self._kept: list[Message] = []
        self.send(Command.VERSION, 0, 13, 0, 0)

    def __enter__(self) -> "RawCircuit":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    # -- messages -----------------------------------------------------------------------

    def send(
        self, command: int, data_type: int, count: int, p1: int, p2: int, payload: bytes = b""
    ) -> None:
        payload += bytes(-len(payload) % 8)
        header = pack_header(command, len(payload), data_type, count, p1, p2)
        self.socket.sendall(header + payload)

    def receive(self) -> Message:
        """The next message; raises EOFError when the server has closed."""
        while (found := parse(bytes(self._buffer), 0, _LIMIT)) is None:
            data = self.socket.recv(0x100000)
            if not data:
                raise EOFError("the server has closed the circuit")
            self.bytes_received += len(data)
            self._buffer += data
        message, end = found
        del self._buffer[:end]
        return message

    def wait_for(self, wanted: Callable[[Message], bool]) -> Message:
        """The next message that is wanted; others are kept for whoever waits for them."""
        for i, message in enumerate(self._kept):
            if wanted(message):
                return self._kept.pop(i)
        while not wanted(message := self.receive()):
            self._kept.append(message)
        return message

    def answer(self, command: Command, p1: int | None = None, p2: int | None = None) -> Message:
        """The next message of a command, with these parameters where they are given."""

        def wanted(message: Message) -> bool:
            header = message.header
            return (
                header.command == command
                and p1 in (None, header.parameter1)
                and p2 in (None, header.parameter2)
            )

        return self.wait_for(wanted)

    # -- requests -----------------------------------------------------------------------

    def create(self, name: str) -> Channel | None:
        """Connect to a PV; None when the server has no such PV."""
        cid = next(self._numbers)
        self.send(Command.CREATE_CHAN, 0, 0, cid, 13, name.encode() + b"\0")
        replies = (Command.CREATE_CHAN, Command.CREATE_CH_FAIL)
        header = self.wait_for(
            lambda m: m.header.command in replies and m.header.parameter1 == cid
        ).header
        if header.command == Command.CREATE_CH_FAIL:
            return None
        rights = self.answer(Command.ACCESS_RIGHTS, cid).header.parameter2
        return Channel(header.parameter2, ChannelType(header.data_type), header.count, rights)

    def connect(self, name: str) -> Channel:
        """Connect to a PV that is there."""
        channel = self.create(name)
        assert channel is not None, f"no PV {name}"
        return channel

    def get(self, channel: Channel, data_type: int | None = None, count: int = 0) -> Event:
        """Read with READ_NOTIFY; by default with status and time."""
        ioid = next(self._numbers)
        kind = channel.native + 14 if data_type is None else data_type
        self.send(Command.READ_NOTIFY, kind, count, channel.sid, ioid)
        return decoded(self.answer(Command.READ_NOTIFY, p2=ioid))

    def start_put(self, channel: Channel, *values: Any) -> int:
        """Send WRITE_NOTIFY; `put_status` waits for its answer."""
        ioid = next(self._numbers)
        payload = np.array(values, NATIVE_DTYPES[channel.native]).tobytes()
        self.send(Command.WRITE_NOTIFY, channel.native, len(values), channel.sid, ioid, payload)
        return ioid

    def put_status(self, ioid: int) -> Eca:
        return Eca(self.answer(Command.WRITE_NOTIFY, p2=ioid).header.parameter1)

    def put(self, channel: Channel, *values: Any) -> Eca:
        """Write and wait for the completion."""
        return self.put_status(self.start_put(channel, *values))

    def monitor(self, channel: Channel, mask: int = 7, data_type: int | None = None) -> int:
        """Subscribe; the number of the subscription."""
        number = next(self._numbers)
        kind = channel.native + 14 if data_type is None else data_type
        payload = bytes(12) + mask.to_bytes(2, "big") + bytes(2)
        self.send(Command.EVENT_ADD, kind, 0, channel.sid, number, payload)
        return number

    def event(self, subscription: int) -> Event:
        """The next event of a subscription."""
        return decoded(self.answer(Command.EVENT_ADD, p2=subscription))

    def events_until(self, subscription: int, enough: Callable[[Event], bool]) -> Iterator[Event]:
        """Events up to the first that is enough."""
        while True:
            event = self.event(subscription)
            yield event
            if enough(event):
                return

    def search(self, name: str) -> int | None:
        """Search over TCP: the port of the server, None when it has no such PV."""
        cid = next(self._numbers)
        self.send(Command.SEARCH, DO_REPLY, 13, cid, cid, name.encode() + b"\0")
        replies = (Command.SEARCH, Command.NOT_FOUND)
        header = self.wait_for(
            lambda m: m.header.command in replies and m.header.parameter2 == cid
        ).header
        return header.data_type if header.command == Command.SEARCH else None

    def echo(self) -> None:
        """A round trip: all that was sent before has been dealt with."""
        self.send(Command.ECHO, 0, 0, 0, 0)
        self.answer(Command.ECHO)


def decoded(message: Message) -> Event:
    """Status, what goes beside the elements, and the elements of a reply."""
    header = message.header
    extras, raw = unpack_payload(header.data_type, header.count, message.payload)
    values = np.frombuffer(raw, NATIVE_DTYPES[LAYOUTS[header.data_type].native]).tolist()
    return Event(
        header.parameter1, extras, [v.decode() if isinstance(v, bytes) else v for v in values]
    )


def search(
    *names: str, port: int, address: str = HOST, answers: int = 1, timeout: float = TIMEOUT
) -> dict[str, int]:
    """Search over UDP: the TCP port by name, once so many datagrams have come."""
    found: dict[str, int] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.bind((HOST, 0))
        sock.settimeout(timeout)
        requests = [SearchRequest(name.encode(), cid) for cid, name in enumerate(names)]
        sock.sendto(pack_search_request(requests), (address, port))
        for _ in range(answers):
            for cid, tcp_port in parse_search_replies(sock.recv(0x10000)):
                found[names[cid]] = tcp_port
    return found
