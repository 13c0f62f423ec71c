"""An IOC without sockets, loop or clock: circuits are fed bytes, and say what they answer."""

import contextvars
from collections.abc import Callable, Coroutine, Generator
from typing import Any

import numpy as np
from hypothesis import settings

from ioc_ops.ca import (
    MINOR_VERSION,
    Command,
    EventMask,
    Message,
    pack_header,
    parse,
    unpack_payload,
)
from ioc_ops.ca.dbr import LAYOUTS, NATIVE_DTYPES
from ioc_ops.ca.header import EXTENDED, HEADER
from ioc_ops.channel import ChannelData, Payload
from ioc_ops.server.circuit import Circuit
from ioc_ops.server.context import Context

EVERYTHING = int(EventMask.VALUE | EventMask.LOG | EventMask.ALARM | EventMask.PROPERTY)

# The same examples in every run, on a slow machine as on a fast one.
fuzzing = settings(max_examples=150, deadline=None, derandomize=True, database=None)


# --- requests -------------------------------------------------------------------------------


def padded(payload: bytes) -> bytes:
    return payload + bytes(-len(payload) % 8)


def request(
    command: int, data_type: int = 0, count: int = 0, p1: int = 0, p2: int = 0, payload: bytes = b""
) -> bytes:
    payload = padded(payload)
    return pack_header(command, len(payload), data_type, count, p1, p2) + payload


def version(minor: int = MINOR_VERSION, priority: int = 0) -> bytes:
    return request(Command.VERSION, priority, minor)


def name_of(command: Command, name: str) -> bytes:
    return request(command, payload=name.encode() + b"\0")


def create(name: str, cid: int, minor: int = MINOR_VERSION) -> bytes:
    return request(Command.CREATE_CHAN, p1=cid, p2=minor, payload=name.encode() + b"\0")


def search(name: str, cid: int, reply: int = 5) -> bytes:
    payload = name.encode() + b"\0"
    return request(Command.SEARCH, reply, MINOR_VERSION, cid, cid, payload)


def clear(sid: int, cid: int) -> bytes:
    return request(Command.CLEAR_CHANNEL, p1=sid, p2=cid)


def echo() -> bytes:
    return request(Command.ECHO)


def read(sid: int, data_type: int, count: int = 1, ioid: int = 0) -> bytes:
    return request(Command.READ_NOTIFY, data_type, count, sid, ioid)


def write(
    sid: int, data_type: int, payload: bytes, count: int = 1, ioid: int = 0, *, notify: bool = True
) -> bytes:
    command = Command.WRITE_NOTIFY if notify else Command.WRITE
    return request(command, data_type, count, sid, ioid, payload)


def event(
    sid: int, subscription: int, data_type: int, count: int = 1, mask: int = EVERYTHING
) -> bytes:
    payload = bytes(12) + mask.to_bytes(2, "big") + bytes(2)
    return request(Command.EVENT_ADD, data_type, count, sid, subscription, payload)


def cancel(sid: int, subscription: int, data_type: int, count: int = 1) -> bytes:
    return request(Command.EVENT_CANCEL, data_type, count, sid, subscription)


def whole_messages(data: bytes) -> list[Message]:
    """The messages of an output, which must not be cut."""
    found, start = [], 0
    while (taken := parse(data, start, 1 << 31)) is not None:
        message, start = taken
        found.append(message)
    assert start == len(data), f"{data[start:]!r} is no whole message"
    return found


def values(message: Message) -> list[Any]:
    """The elements of a reply or event; text as bytes."""
    header = message.header
    _, raw = unpack_payload(header.data_type, header.count, message.payload)
    found: list[Any] = np.frombuffer(raw, NATIVE_DTYPES[LAYOUTS[header.data_type].native]).tolist()
    return found


# --- the driver's part ----------------------------------------------------------------------


class FakeTransport:
    """Keeps what it is given; a test says when it is full."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.writes = 0
        self.largest_write = 0
        self.full = False
        self.reading = True
        self.closed = False

    def write(self, chunks: list[Payload]) -> bool:
        assert not self.closed
        data = b"".join(chunks)
        self.sent += data
        self.writes += 1
        self.largest_write = max(self.largest_write, len(data))
        return not self.full

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def close(self) -> None:
        self.closed = True


class Pause:
    """What a hook awaits until the test lets it go on."""

    def __init__(self) -> None:
        self.over = False

    def __await__(self) -> Generator[None, None, None]:
        while not self.over:
            yield


def at_once(work: Coroutine[Any, Any, Any]) -> None:
    """Run what does not wait."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise AssertionError("it waits for something")


class Bench:
    """A context with a driver of lists."""

    def __init__(self, *channels: ChannelData, environment: dict[str, str] | None = None) -> None:
        self.pvdb = {channel.name: channel for channel in channels}
        self.context = Context(self.pvdb, environment=environment)
        self.soon: list[Callable[[], None]] = []
        self.tasks: list[Coroutine[Any, Any, None]] = []
        # In a copy, so that current_context() stays unset for the tests that come after.
        contextvars.copy_context().run(
            self.context.attach, self.soon.append, self._spawn, lambda: None
        )

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self.tasks.append(work)

    def tick(self) -> None:
        """The end of a turn of the loop: outputs leave."""
        while self.soon:
            self.soon.pop(0)()

    def run_tasks(self) -> None:
        """Run each task, and those that begin meanwhile, to its end or until it has to wait."""
        waiting = []
        while self.tasks:
            task = self.tasks.pop(0)
            try:
                task.send(None)
            except StopIteration:
                continue
            waiting.append(task)
        self.tasks = waiting
        self.tick()

    def close(self) -> None:
        for task in self.tasks:
            task.close()

    def connect(self, *names: str, host: str = "127.0.0.1:40000") -> "Client":
        """A client that has said its version and created channels; their sids are 1, 2, ..."""
        client = Client(self, host)
        client.ask(version() + b"".join(create(name, 100 + i) for i, name in enumerate(names)))
        return client


class Client:
    """One connection."""

    def __init__(self, bench: Bench, host: str = "127.0.0.1:40000") -> None:
        self.bench = bench
        self.transport = FakeTransport()
        self.circuit = Circuit(bench.context, self.transport, host)
        bench.context.circuits.add(self.circuit)
        self._seen = 0

    def feed(self, data: bytes) -> None:
        """Bytes arrive; nothing leaves yet."""
        self.circuit.receive(data)

    def replies(self) -> list[Message]:
        """What left since the last look."""
        self.bench.tick()
        data = bytes(self.transport.sent[self._seen :])
        self._seen = len(self.transport.sent)
        return whole_messages(data)

    def ask(self, data: bytes) -> list[Message]:
        """Send, and take what is answered at once."""
        self.feed(data)
        return self.replies()

    def ask_one(self, data: bytes) -> Message:
        [reply] = self.ask(data)
        return reply


def header_of(data: bytes) -> tuple[int, ...]:
    """Command, size, data type, count and parameters that a message begins with."""
    fields = list(HEADER.unpack_from(data))
    if fields[1] == 0xFFFF:
        fields[1], fields[3] = EXTENDED.unpack_from(data, HEADER.size)
    return tuple(fields)


def error_of(message: Message) -> tuple[int, int, tuple[int, ...]]:
    """Of an ERROR: the cid, the ECA status, and the header of the request it is about."""
    assert message.header.command == Command.ERROR
    return message.header.parameter1, message.header.parameter2, header_of(message.payload)
