"""What the tests of PVs share: a subscriber that remembers, and values as clients send them."""

from typing import Any

import numpy as np

from ioc_ops.ca import ChannelType, EventMask
from ioc_ops.ca.dbr import NATIVE_DTYPES
from ioc_ops.channel import ChannelData

ANY_EVENT = EventMask.VALUE | EventMask.LOG | EventMask.ALARM | EventMask.PROPERTY


class Recorder:
    """A subscription that keeps the value of the PV at each event it is told of."""

    def __init__(self, channel: ChannelData, mask: int = ANY_EVENT) -> None:
        self.mask = int(mask)
        self.values: list[Any] = []
        self._channel = channel
        channel.subscribe(self)

    def post(self) -> None:
        self.values.append(self._channel.value)

    def cancel(self) -> None:
        self._channel.unsubscribe(self)


def sent(native: ChannelType, *values: Any) -> tuple[int, int, bytes]:
    """DBR type, count and payload of a client's write."""
    body = np.array(values, NATIVE_DTYPES[native]).tobytes()
    return int(native), len(values), body + bytes(-len(body) % 8)


def received(channel: ChannelData, data_type: ChannelType, count: int = 0) -> list[Any]:
    """The elements that a client reads as a plain native type."""
    payload, shown = channel.payload(data_type, count)
    values = np.frombuffer(bytes(payload), NATIVE_DTYPES[data_type])[:shown]
    return [v.decode() if isinstance(v, bytes) else v for v in values.tolist()]
