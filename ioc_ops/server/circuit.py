"""One client's TCP connection, without the socket: bytes in, bytes out.

``receive`` goes through its bytes once. What can be answered at once is appended to ``out``;
what needs user code is handed to ``context.spawn`` as a coroutine. Nothing here waits.

How much a client can make us hold is bounded: ``room`` is what may still be queued for it.
At zero its requests stay unread (the driver stops reading) and its subscriptions remember
only that they have news: when there is room again each sends the PV's newest value. Likewise
what waits for user code: in number (``waiting``), and in bytes, sent or to be sent (``held``).
"""

import logging
from typing import TYPE_CHECKING, Protocol

from ioc_ops.ca import MINIMUM_MINOR, MINOR_VERSION, Command, Eca, pack_header
from ioc_ops.ca.header import EXTENDED, HEADER
from ioc_ops.channel import ChannelData, Payload
from ioc_ops.server.channels import ServerChannel
from ioc_ops.server.dispatch import HANDLERS
from ioc_ops.server.naming import NO_ID
from ioc_ops.server.reading import RepeatedRead, answer_repeated, repeated_read
from ioc_ops.server.subscription import LARGE, OUTPUT_LIMIT, CircuitFeed, FeedKey

if TYPE_CHECKING:
    from ioc_ops.server.context import Context

__all__ = ["MOST_WAITING", "OUTPUT_LIMIT", "Circuit", "Transport"]

log = logging.getLogger("ioc_ops.circuit")

MOST_WAITING = 1000
"""Requests of one circuit that may wait for user code before it is read no further."""

# So many wait whatever their size: that a client has gone is seen while it is read from alone,
# and one whose few requests hang in a hook is to be seen to go.
_FEW = 3
_MOST_ENTRIES = 4096
_unpack = HEADER.unpack_from
_pack = HEADER.pack
_unpack_extended = EXTENDED.unpack_from
_LAST_COMMAND = int(Command.SERVER_DISCONN)
_READ_NOTIFY = int(Command.READ_NOTIFY)
_ON_CHANNELS = (
    Command.EVENT_ADD,
    Command.EVENT_CANCEL,
    Command.READ,
    Command.READ_NOTIFY,
    Command.WRITE,
    Command.WRITE_NOTIFY,
)


class Transport(Protocol):
    """What a driver gives a circuit."""

    def write(self, chunks: list[Payload]) -> bool:
        """Take bytes to send; False when it holds more than it should and will call drained."""

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def close(self) -> None:
        """Send what is queued, then close."""


class Circuit:
    """State of one connection. Fed by a driver, tested by feeding it bytes."""

    __slots__ = (
        "_closed",
        "_entries",
        "_missing",
        "_paused",
        "_skip",
        "_unread",
        "channels",
        "client_host",
        "context",
        "counters",
        "dirty",
        "events_off",
        "feeds",
        "held",
        "host",
        "largest_answer",
        "minor",
        "next_sid",
        "out",
        "pending",
        "room",
        "sent",
        "subscription_count",
        "subscriptions_made",
        "transport",
        "user",
        "waiting",
    )

    def __init__(self, context: "Context", transport: Transport, host: str) -> None:
        """A connection from ``host`` ("address:port"); says its version at once."""
        self.context = context
        self.counters = context.counters
        self.sent = context.counters.messages_sent
        self.transport = transport
        self.host = host
        self.client_host = ""
        self.user = ""
        self.minor = 0
        self.largest_answer = context.max_payload
        self.channels: dict[int, ServerChannel] = {}
        self.next_sid = 1
        # Here and not in the PV: one large table takes less memory than many small ones.
        self.feeds: dict[FeedKey, CircuitFeed] = {}
        self.subscription_count = 0
        self.subscriptions_made = 0
        self.pending: dict[CircuitFeed, None] = {}
        self.events_off = False
        self.out: list[Payload] = []
        self.dirty = False
        self.room = OUTPUT_LIMIT
        self.waiting = 0
        self.held = 0
        self._entries: dict[bytes, RepeatedRead] = {}
        self._unread: list[bytes] = []
        self._missing = 0  # bytes still needed before parsing goes on
        self._skip = 0  # bytes of a refused message still to come
        self._paused = False
        self._closed = False
        self.out.append(_pack(Command.VERSION, 0, 0, MINOR_VERSION, 0, 0))
        self.sent[Command.VERSION] += 1
        self.mark_dirty()

    @property
    def congested(self) -> bool:
        """Whether the client reads more slowly than it is sent to."""
        return self.room <= 0

    # -- output -------------------------------------------------------------------------

    def mark_dirty(self) -> None:
        """There is output: be flushed at the end of this tick."""
        self.dirty = True
        self.context.outbox.add(self)

    def answer(
        self, command: int, data_type: int, payload: Payload, count: int, p1: int, p2: int
    ) -> None:
        """Queue one message."""
        self.out.append(pack_header(command, len(payload), data_type, count, p1, p2))
        self.sent[command] += 1
        if payload:
            self.out.append(payload)
        self.room -= len(payload) + 16
        if not self.dirty:
            self.mark_dirty()

    def error(
        self, request: tuple[int, int, int, int, int, int], status: Eca, cid: int, text: str
    ) -> None:
        """Queue ERROR: the header of the request, then a text (``vsend_err``, ``camessage.c``)."""
        content = pack_header(*request) + text.encode("utf-8", "replace")[:400] + b"\0"
        content += bytes(-len(content) % 8)
        self.answer(Command.ERROR, 0, content, 0, cid, status)

    def flush(self) -> None:
        """Hand all output to the transport in one go."""
        self.dirty = False
        if self._closed:
            return
        chunks, self.out = self.out, []
        if self.room > OUTPUT_LIMIT - LARGE:
            # Nothing large is among them: one copy costs less than a look at each.
            data = b"".join(chunks)
            self.counters.bytes_sent += len(data)
            chunks = [data]
        else:
            self.counters.bytes_sent += sum(map(len, chunks))
        if self.transport.write(chunks):
            self._make_room()
        else:
            self.room = 0
            self._regulate()

    def drained(self) -> None:
        """The transport has sent most of what it held."""
        if not self._closed:
            self._make_room()

    def _make_room(self) -> None:
        was_full = self.room <= 0
        self.room = OUTPUT_LIMIT
        if was_full:
            if not self.events_off:
                self.send_pending()
            self._proceed()
            self._regulate()

    def _regulate(self) -> None:
        """Read from the client only while its requests can be taken."""
        blocked = not self._may_parse()
        if blocked != self._paused and not self._closed:
            self._paused = blocked
            if blocked:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def send_pending(self) -> None:
        """Send the newest value of every subscription that has news."""
        pending, self.pending = self.pending, {}
        for feed in pending:
            feed.post()  # goes back into the new pending when room is used up again

    def _proceed(self) -> None:
        """Parse what was left unread for want of room."""
        if self._unread and self._missing <= 0 and self._may_parse():
            self._parse(self._take_unread())

    def _may_parse(self) -> bool:
        return self.room > 0 and not self.busy and not self._closed

    @property
    def busy(self) -> bool:
        """Whether so much waits for user code that no more is taken."""
        waiting = self.waiting
        return waiting > _FEW and (waiting >= MOST_WAITING or self.held >= OUTPUT_LIMIT)

    # -- input --------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Take bytes as they came from the socket."""
        if self._closed:
            return
        self.counters.bytes_received += len(data)
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        if self._unread:
            self._unread.append(data)
            self._missing -= len(data)
            self._proceed()
        elif self._may_parse():
            self._parse(data)
        elif data:
            self._unread.append(data)
        if not self._may_parse():
            self._regulate()

    def _take_unread(self) -> bytes:
        data = b"".join(self._unread)
        self._unread = []
        self._missing = 0
        return data

    def _parse(self, data: bytes) -> None:
        start, end, missing, reads = 0, len(data), 0, 0
        entries, add, room = self._entries, self.out.append, self.room
        largest = self.context.max_payload
        received = self.counters.messages_received
        while room > 0:
            if entries and end - start >= 16 and data[start + 1] == _READ_NOTIFY:
                begin = start
                start, room = answer_repeated(entries, data, start, room, add)
                reads += (start - begin) // 16
                if room <= 0:
                    break
            if end - start < 16:
                missing = 16 - (end - start)
                break
            command, size, data_type, count, parameter1, parameter2 = _unpack(data, start)
            body = start + 16
            if size == 0xFFFF:
                if end - body < 8:
                    missing = 8 - (end - body)
                    break
                size, count = _unpack_extended(data, body)
                body += 8
            stop = body + size
            self.room = room
            if size & 7 or command > _LAST_COMMAND:
                request = (command, size, data_type, count, parameter1, parameter2)
                self.error(request, Eca.INTERNAL, NO_ID, "no message of Channel Access")
                self.refuse(f"command {command} with {size} bytes")
                break
            if stop > end and size <= largest:
                missing = stop - end
                break
            if size > largest:
                # Known from the header: nothing of it is kept.
                request = (command, size, data_type, count, parameter1, parameter2)
                held = self.channels.get(parameter1) if command in _ON_CHANNELS else None
                cid = NO_ID if held is None else held.cid
                self.error(request, Eca.TOLARGE, cid, f"at most {largest} bytes")
                self._skip = max(stop - end, 0)
                start, room = min(stop, end), self.room
                continue
            received[command] += 1
            if self.minor < MINIMUM_MINOR and command:
                request = (command, size, data_type, count, parameter1, parameter2)
                self.error(request, Eca.DEFUNCT, NO_ID, f"version {self.minor} is too old")
                halt = False
            else:
                # A large payload is looked at where it is: a slice would copy it.
                payload = data[body:stop] if size < LARGE else memoryview(data)[body:stop]
                halt = HANDLERS[command](self, data_type, count, parameter1, parameter2, payload)
            start, room = stop, self.room
            if halt:
                break
        if reads:
            self.counters.reads += reads
            received[_READ_NOTIFY] += reads
            self.sent[_READ_NOTIFY] += reads
        if self._closed:
            return
        self.room = room
        if start < end:
            self._unread = [data[start:]]
            self._missing = missing
        if self.out and not self.dirty:
            self.mark_dirty()

    def remember(self, sid: int, channel: ChannelData, data_type: int, count: int) -> None:
        """Find this read by its bytes from now on, where every reply has one size."""
        found = repeated_read(sid, channel, data_type, count)
        if found is None:
            return
        if len(self._entries) >= _MOST_ENTRIES:
            self._entries.clear()
        request, entry = found
        self._entries[request] = entry

    def forget_reads(self) -> None:
        """A channel is gone or its rights have changed."""
        self._entries.clear()

    def refuse(self, what: str) -> None:
        """These bytes are no Channel Access: answer what came before, say so once and close."""
        self.flush()
        self.counters.protocol_errors += 1
        log.warning("%s sent what is no Channel Access (%s): circuit closed", self.host, what)
        self.closed()
        self.transport.close()

    def stop_reading(self) -> None:
        """The IOC stops: answer what was asked, take nothing more."""
        self.waiting += MOST_WAITING
        self._regulate()

    # -- user code and the end ----------------------------------------------------------

    def wait(self, size: int) -> None:
        """One request more waits for user code; it, or its answer, has so many bytes."""
        self.waiting += 1
        self.held += size

    def done(self, size: int) -> bool:
        """One request less that waits for user code; whether there is somebody to answer."""
        self.waiting -= 1
        held = self.held
        self.held -= size
        if self._closed:
            return False
        if self.waiting in (_FEW, MOST_WAITING // 2) or self.held < OUTPUT_LIMIT // 2 <= held:
            self._proceed()
            self._regulate()
        return True

    def drop(self, feed: CircuitFeed, subscription: int) -> None:
        """End one subscription."""
        self.subscription_count -= 1
        feed.remove(subscription)
        if not feed.subscribers:
            del self.feeds[feed.key]
            feed.channel.unsubscribe(feed)
            self.pending.pop(feed, None)

    def drop_all(self, server_channel: ServerChannel) -> None:
        """End the subscriptions of a channel."""
        held, server_channel.subscriptions = server_channel.subscriptions, None
        for subscription, feed in (held or {}).items():
            self.drop(feed, subscription)

    def closed(self) -> None:
        """The connection is gone: forget everything that points here."""
        if self._closed:
            return
        self._closed = True
        for feed in self.feeds.values():
            feed.channel.unsubscribe(feed)
        self.feeds.clear()
        self.subscription_count = 0
        self.channels.clear()
        self.pending.clear()
        self._entries.clear()
        self._unread = []
        self.out = []
        self.context.circuits.discard(self)
