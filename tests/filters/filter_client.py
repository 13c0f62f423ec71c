"""A Channel Access client of one socket that speaks to any server, ours or EPICS Base's."""

import socket
from typing import Any, NamedTuple

import numpy as np

from ioc_ops.ca import (
    ChannelType,
    Command,
    EventMask,
    Extras,
    Message,
    pack_header,
    parse,
    unpack_payload,
)
from ioc_ops.ca.dbr import LAYOUTS, NATIVE_DTYPES

HOST = "127.0.0.1"
TIMEOUT = 20.0
LIMIT = 1 << 28
USUAL = int(EventMask.VALUE | EventMask.ALARM)


class Reading(NamedTuple):
    """A reply or an event."""

    status: int
    values: list[Any]
    extras: Extras

    @property
    def shown(self) -> tuple[list[Any], int, int]:
        """What does not depend on when it was: the values and their alarm."""
        return self.values, self.extras.status, self.extras.severity


class Channel(NamedTuple):
    sid: int
    native: ChannelType
    count: int


def decoded(message: Message) -> Reading:
    header = message.header
    if not message.payload:
        return Reading(header.parameter1, [], Extras())
    extras, raw = unpack_payload(header.data_type, header.count, message.payload)
    values = np.frombuffer(raw, NATIVE_DTYPES[LAYOUTS[header.data_type].native]).tolist()
    # EPICS Base leaves bytes of something else behind the terminator.
    values = [v.split(b"\0")[0].decode() if isinstance(v, bytes) else v for v in values]
    return Reading(header.parameter1, values, extras)


class Client:
    """Every wait ends with TimeoutError."""

    def __init__(self, port: int, minor: int = 13) -> None:
        self.minor = minor
        self._socket = socket.create_connection((HOST, port), TIMEOUT)
        self._buffer = b""
        self._next = 0
        self._kept: list[Message] = []
        self._send(Command.VERSION, 0, minor, 0, 0)

    def close(self) -> None:
        self._socket.close()

    def _number(self) -> int:
        self._next += 1
        return self._next

    def _send(
        self, command: int, data_type: int, count: int, p1: int, p2: int, payload: bytes = b""
    ) -> None:
        payload += bytes(-len(payload) % 8)
        head = pack_header(command, len(payload), data_type, count, p1, p2)
        self._socket.sendall(head + payload)

    def _receive(self) -> Message:
        while (found := parse(self._buffer, 0, LIMIT)) is None:
            data = self._socket.recv(0x100000)
            if not data:
                raise EOFError("the server has closed the circuit")
            self._buffer += data
        message, end = found
        self._buffer = self._buffer[end:]
        return message

    def wait_for(self, commands: tuple[Command, ...], p1: int | None, p2: int | None) -> Message:
        """The next message of these; what else comes is kept."""

        def wanted(message: Message) -> bool:
            header = message.header
            return (
                header.command in commands
                and p1 in (None, header.parameter1)
                and p2 in (None, header.parameter2)
            )

        for i, message in enumerate(self._kept):
            if wanted(message):
                return self._kept.pop(i)
        while not wanted(message := self._receive()):
            self._kept.append(message)
        return message

    def create(self, *names: str) -> list[Channel | None]:
        """Connect to channels, None for those that the server refuses."""
        cids = [self._number() for _ in names]
        for cid, name in zip(cids, names, strict=True):
            payload = name.encode() + b"\0"
            self._send(Command.CREATE_CHAN, 0, 0, cid, self.minor, payload)
        channels: list[Channel | None] = []
        for cid in cids:
            answers = (Command.CREATE_CHAN, Command.CREATE_CH_FAIL)
            header = self.wait_for(answers, cid, None).header
            if header.command == Command.CREATE_CHAN:
                native = ChannelType(header.data_type)
                channels.append(Channel(header.parameter2, native, header.count))
            else:
                channels.append(None)
        return channels

    def connect(self, name: str) -> Channel:
        """Connect to a channel that is there."""
        (channel,) = self.create(name)
        assert channel is not None, f"no channel {name}"
        return channel

    def clear(self, channel: Channel) -> None:
        """Leave a channel, and wait until the server has."""
        self._send(Command.CLEAR_CHANNEL, 0, 0, channel.sid, 0)
        self.wait_for((Command.CLEAR_CHANNEL,), channel.sid, None)

    def search(self, name: str) -> bool:
        """Whether the server knows a name."""
        cid = self._number()
        self._send(Command.SEARCH, 10, 13, cid, cid, name.encode() + b"\0")
        found = self.wait_for((Command.SEARCH, Command.NOT_FOUND), None, cid)
        return found.header.command == Command.SEARCH

    def get(self, channel: Channel, data_type: int | None = None, count: int = 0) -> Reading:
        """READ_NOTIFY; by default with alarm and time, and as many elements as there are."""
        return decoded(self.get_message(channel, data_type, count))

    def get_message(
        self, channel: Channel, data_type: int | None = None, count: int = 0
    ) -> Message:
        ioid = self._number()
        kind = channel.native + 14 if data_type is None else data_type
        self._send(Command.READ_NOTIFY, kind, count, channel.sid, ioid)
        return self.wait_for((Command.READ_NOTIFY, Command.ERROR), None, None)

    def put(self, channel: Channel, *values: Any, native: ChannelType | None = None) -> int:
        """Write and wait for the completion; its status."""
        ioid = self._number()
        kind = channel.native if native is None else native
        payload = np.array(values, NATIVE_DTYPES[kind]).tobytes()
        self._send(Command.WRITE_NOTIFY, kind, len(values), channel.sid, ioid, payload)
        return self.wait_for((Command.WRITE_NOTIFY,), None, ioid).header.parameter1

    def monitor(
        self,
        channel: Channel,
        mask: int = USUAL,
        count: int = 0,
        data_type: int | None = None,
    ) -> int:
        """Subscribe with alarm and time; the number of the subscription."""
        number = self._number()
        payload = bytes(12) + mask.to_bytes(2, "big") + bytes(2)
        kind = channel.native + 14 if data_type is None else data_type
        self._send(Command.EVENT_ADD, kind, count, channel.sid, number, payload)
        return number

    def event(self, subscription: int) -> Reading:
        """The next event of a subscription."""
        return decoded(self.wait_for((Command.EVENT_ADD,), None, subscription))

    def seen(self, subscription: int) -> list[Reading]:
        """The events that have come with what was waited for."""
        mine = [
            m
            for m in self._kept
            if m.header.command == Command.EVENT_ADD and m.header.parameter2 == subscription
        ]
        self._kept = [m for m in self._kept if m not in mine]
        return [decoded(m) for m in mine]

    def echo(self) -> None:
        """A round trip."""
        self._send(Command.ECHO, 0, 0, 0, 0)
        self.wait_for((Command.ECHO,), None, None)


class Pair(NamedTuple):
    """One client of EPICS Base, and one of ours."""

    base: Client
    ours: Client
