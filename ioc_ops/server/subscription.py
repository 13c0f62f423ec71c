"""Subscriptions of one circuit to one PV that want the same thing: encoded and sent as one."""

from typing import TYPE_CHECKING

from ioc_ops.ca import Command, Eca, pack_header, payload_size
from ioc_ops.channel import ChannelData, Payload
from ioc_ops.errors import ConversionError

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit

__all__ = ["LARGE", "OUTPUT_LIMIT", "CircuitFeed", "FeedKey"]

_EVENT = int(Command.EVENT_ADD)
_NORMAL = int(Eca.NORMAL)
OUTPUT_LIMIT = 0x100000
"""Bytes that may wait in a circuit; one message above it still passes, so that any array can."""

LARGE = 0x10000
"""From this size on a payload is handed to the transport by itself instead of copied."""

FeedKey = tuple[ChannelData, int, int, int]
"""PV, DBR type, count, and batch with mask: subscriptions that agree on these share a feed."""


class CircuitFeed:
    """All subscriptions of a circuit to one PV with equal DBR type, count and mask."""

    __slots__ = (
        "asked",
        "channel",
        "circuit",
        "count",
        "data_type",
        "heads",
        "key",
        "mask",
        "readable",
        "shown",
        "size",
        "subscribers",
    )

    def __init__(
        self,
        circuit: "Circuit",
        channel: ChannelData,
        data_type: int,
        count: int,
        mask: int,
        key: FeedKey,
    ) -> None:
        self.key = key  # under which the circuit knows this feed
        self.circuit = circuit
        self.channel = channel
        self.data_type = data_type
        self.count = count
        self.asked = mask
        self.mask = mask
        self.readable = True
        self.subscribers: tuple[int, ...] = ()
        # Headers of all subscribers for a payload of this size and count, and an empty
        # last one, so that payload.join(heads) is the whole event for everybody.
        self.heads: tuple[bytes, ...] = ()
        self.size = self.shown = -1

    def allow(self, readable: bool) -> None:
        """Whether the client may read; while it may not, no change of the PV is an event."""
        self.readable = readable
        self.mask = self.asked if readable else 0

    def add(self, subscription: int) -> None:
        """One more subscriber."""
        self.subscribers += (subscription,)
        self.size = -1

    def remove(self, subscription: int) -> None:
        """One subscriber less; its headers are made anew at the next event."""
        at = self.subscribers.index(subscription)
        self.subscribers = self.subscribers[:at] + self.subscribers[at + 1 :]
        self.size = -1

    def post(self) -> None:
        """The PV has news: queue them, or remember to when the circuit has room again."""
        circuit = self.circuit
        if circuit.room <= 0 or circuit.events_off:
            if self in circuit.pending:
                circuit.counters.events_replaced += len(self.subscribers)
            else:
                circuit.pending[self] = None
            return
        if self.readable:
            # As _payload() says, without the call: every event comes this way.
            status = _NORMAL
            try:
                payload, count = self.channel.payload(self.data_type, self.count)
            except ConversionError:
                payload, count, status = self._zeros(Eca.GETFAIL)
        else:
            payload, count, status = self._zeros(Eca.NORDACCESS)
        size = len(payload)
        if size != self.size or count != self.shown or status != _NORMAL:
            self._make_heads(size, count, status)
        heads = self.heads
        number = len(heads) - 1
        circuit.counters.events_sent += number
        if size < LARGE and isinstance(payload, bytes):
            data = payload.join(heads)
            circuit.out.append(data)
            circuit.room -= len(data)
        else:
            for head in heads[:-1]:
                circuit.out.append(head)
                circuit.out.append(payload)
            circuit.room -= number * size
        if not circuit.dirty:
            circuit.mark_dirty()

    def post_first(self, subscription: int) -> None:
        """The event that every new subscription gets at once, unless a filter drops it."""
        if self.readable and getattr(self.channel, "silent", False):
            return
        circuit = self.circuit
        if circuit.room <= 0 or circuit.events_off:
            circuit.pending[self] = None
            return
        payload, count, status = self._payload()
        head = pack_header(_EVENT, len(payload), self.data_type, count, status, subscription)
        circuit.out.append(head)
        circuit.out.append(payload)
        circuit.room -= len(payload) + 16
        circuit.counters.events_sent += 1

    def _payload(self) -> tuple[Payload, int, int]:
        """Payload, count and status; a value that has no form in this type reads as zeros."""
        if not self.readable:
            return self._zeros(Eca.NORDACCESS)
        try:
            payload, count = self.channel.payload(self.data_type, self.count)
        except ConversionError:
            return self._zeros(Eca.GETFAIL)
        return payload, count, _NORMAL

    def _zeros(self, status: Eca) -> tuple[Payload, int, int]:
        size = payload_size(self.data_type, self.count)
        return bytes(size + -size % 8), self.count, int(status)

    def _make_heads(self, size: int, count: int, status: int) -> None:
        heads = [
            pack_header(_EVENT, size, self.data_type, count, status, subscription)
            for subscription in self.subscribers
        ]
        self.heads = (*heads, b"")
        # Headers that tell of an error serve once.
        self.size, self.shown = (size, count) if status == _NORMAL else (-1, -1)
