"""A raw client that asks either server the same things."""

import struct
from typing import Any

import numpy as np
from raw_circuit import Channel, Event, RawCircuit

from ioc_ops.ca import ChannelType, Command, Eca, Message, unpack_payload
from ioc_ops.ca.dbr import LAYOUTS, NATIVE_DTYPES

CTRL = 28
TIME = 14
STSACK = 37
CLASS_NAME = 38


def decoded(message: Message) -> Event:
    """As in raw_circuit; texts end at their terminator, and may be no UTF-8."""
    header = message.header
    extras, raw = unpack_payload(header.data_type, header.count, message.payload)
    native = LAYOUTS[header.data_type].native
    if native == ChannelType.STRING:
        texts = [raw[i : i + 40].split(b"\0")[0].decode("latin-1") for i in range(0, len(raw), 40)]
        return Event(header.parameter1, extras, texts)
    values = np.frombuffer(raw, NATIVE_DTYPES[native]).tolist()
    return Event(header.parameter1, extras, values)


class RecordClient(RawCircuit):
    """One circuit, on which channels are kept by name."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.socket.settimeout(20.0)  # a server may be starved of its processor
        self.known: dict[str, Channel] = {}

    def open(self, name: str) -> Channel:
        if name not in self.known:
            self.known[name] = self.connect(name)
        return self.known[name]

    def read(self, name: str, data_type: int | None = None, count: int = 0) -> Event:
        """Read with READ_NOTIFY; by default with status and time."""
        channel = self.open(name)
        ioid = next(self._numbers)
        kind = channel.native + TIME if data_type is None else data_type
        self.send(Command.READ_NOTIFY, kind, count, channel.sid, ioid)
        return decoded(self.answer(Command.READ_NOTIFY, p2=ioid))

    def value(self, name: str) -> Any:
        """The value in its native type; a list of several."""
        values = self.read(name).values
        return values[0] if len(values) == 1 else values

    def text(self, name: str) -> str:
        """The value as a string."""
        return str(self.read(name, ChannelType.STRING, 1).values[0])

    def control(self, name: str) -> Event:
        """With units, precision, limits or states."""
        return self.read(name, self.open(name).native + CTRL)

    def write(self, name: str, *values: Any) -> Eca:
        """Write texts as STRING, numbers in the native type; the status of the completion."""
        channel = self.open(name)
        kind = ChannelType.STRING if isinstance(values[0], str) else channel.native
        if kind == ChannelType.STRING:
            payload = b"".join([str(v).encode().ljust(40, b"\0") for v in values])
        else:
            code = "_hfHBid"[kind]
            numbers = [float(v) if code in "fd" else int(v) for v in values]
            payload = struct.pack(f">{len(values)}{code}", *numbers)
        return self.write_raw(name, kind, len(values), payload)

    def write_raw(self, name: str, data_type: int, count: int, payload: bytes) -> Eca:
        """Write elements of any DBR type."""
        ioid = next(self._numbers)
        self.send(Command.WRITE_NOTIFY, data_type, count, self.open(name).sid, ioid, payload)
        return Eca(self.answer(Command.WRITE_NOTIFY, p2=ioid).header.parameter1)

    def subscribe(self, name: str, mask: int, data_type: int | None = None) -> int:
        """The number of a subscription; its first event has been taken."""
        number = self.monitor(self.open(name), mask, data_type)
        self.next_event(number)
        return number

    def next_event(self, subscription: int) -> Event:
        return decoded(self.answer(Command.EVENT_ADD, p2=subscription))

    def pending(self, *subscriptions: int) -> list[Event]:
        """The events that have come by now, those of all requests before included."""
        self.echo()
        taken = [
            message
            for message in self._kept
            if message.header.command == Command.EVENT_ADD
            and message.header.parameter2 in subscriptions
        ]
        self._kept = [message for message in self._kept if message not in taken]
        return [decoded(message) for message in taken]
