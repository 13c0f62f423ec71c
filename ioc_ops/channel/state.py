"""What a PV is: a value of one DBR type, its time, its alarm, and who wants to hear of it.

Three forms of a value:

* what a user writes and reads (``value``): numbers, text, lists, arrays;
* *stored*: verified, in the shape the wire needs (arrays big-endian and contiguous);
* *payload*: bytes of one DBR type and count, made once for everybody and dropped when the
  value, its alarm or its metadata change.
"""

import time
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from ioc_ops.ca import EPICS_EPOCH, AccessRights, ChannelType, EventMask, Extras, TimeStamp
from ioc_ops.ca.dbr import LAYOUTS, NATIVE_SIZES, Family, payload_size
from ioc_ops.ca.payload import SCALAR_TIME, pack_prefix, pack_string
from ioc_ops.channel.alarm import Alarm, AlarmSeverity, AlarmStatus
from ioc_ops.channel.metadata import NO_ALARM

__all__ = [
    "PROCESSED",
    "STORED",
    "ChannelState",
    "Feed",
    "Payload",
    "Value",
    "clock",
    "pack_scalar_time",
    "unix_ns",
]

Value = Any
"""What a PV of some type takes and gives: the one place where the type is the PV's own."""

Payload = bytes | memoryview
"""Bytes for the wire; a large array is a view of itself."""

_VALUE_LOG = int(EventMask.VALUE | EventMask.LOG)
_ALARM = int(EventMask.ALARM)
PROCESSED = 1 << 16
"""Posted when a PV was written, whatever has changed; beyond the masks that clients can send."""
STORED = 1 << 17
"""Posted instead where a value was stored by other ways: a getter, a restore, the record."""
_NS = 1_000_000_000

clock = time.time_ns
_MOST_PAYLOADS = 16
_WORTH_A_VIEW = 0x10000


class Feed(Protocol):
    """A subscriber: told that the PV has news, it asks the PV for the payload."""

    mask: int

    def post(self) -> None: ...


class ChannelState:
    """The value of a PV, all that goes with it, and how it reaches those who want it."""

    __slots__ = (
        "_asg",
        "_guard",
        "_stored",
        "_value",
        "alarm",
        "asl",
        "encoded",
        "feeds",
        "max_length",
        "name",
        "reported_record_type",
        "string_encoding",
        "time_ns",
    )

    data_type: ClassVar[ChannelType]
    read_only: ClassVar[bool] = False

    name: str
    encoded: dict[int, tuple[Payload, int]]
    feeds: tuple[Feed, ...]
    """Replaced, never changed: one may leave while another is told of an event."""
    asl: int
    """Access level, 0 or 1: a rule of level 0 does not apply to a PV of level 1."""

    def __init__(
        self,
        value: Value,
        *,
        name: str = "",
        alarm: Alarm | None = None,
        timestamp: float | tuple[int, int] | TimeStamp | None = None,
        max_length: int | None = None,
        string_encoding: str = "utf-8",
        reported_record_type: str = "caproto",
        max_subscription_backlog: int | None = None,
    ) -> None:
        """Make a PV.

        Args:
            value: initial value; it decides what ``max_length`` is when that is not given.
            name: full name of the PV.
            alarm: one to share with other PVs; each has its own otherwise.
            timestamp: Unix seconds, (EPICS seconds, nanoseconds) or TimeStamp; default now.
            max_length: largest number of elements; above 1 the PV is an array.
            string_encoding: of text on the wire.
            reported_record_type: what a client asking for CLASS_NAME is told.
            max_subscription_backlog: accepted for compatibility; a subscription here keeps
                its newest value under pressure and nothing else.
        """
        self.name = name
        self._asg = "DEFAULT"
        self.asl = 0
        self._guard: Callable[[], None] | None = None
        self.feeds = ()
        self.encoded = {}
        self.string_encoding = string_encoding
        self.reported_record_type = reported_record_type
        self.max_length = max_length or self._length_of(value)
        self.time_ns = clock() if timestamp is None else unix_ns(timestamp)
        self._value: Value = None
        self._stored: Value = self.convert(value)
        self._remember(value)
        self.alarm = Alarm(*self.alarm_of(self._stored)) if alarm is None else alarm
        self.alarm.attach(self)

    # -- what a user reads --------------------------------------------------------------

    @property
    def pvname(self) -> str:
        """Full name of the PV."""
        return self.name

    @property
    def value(self) -> Value:
        """The value as its user sees it; arrays come in native byte order."""
        if self._value is None:
            self._value = self.present(self._stored)
        return self._value

    @property
    def stored(self) -> Value:
        """The value as it is kept. Asking changes nothing, so that any thread may."""
        return self._stored

    @property
    def timestamp(self) -> float:
        """Unix seconds of the value."""
        return self.time_ns / 1e9

    @property
    def epics_timestamp(self) -> TimeStamp:
        """Time of the value, exact."""
        return TimeStamp.from_unix_ns(self.time_ns)

    @property
    def status(self) -> AlarmStatus:
        """What is wrong."""
        return AlarmStatus(self.alarm.status)

    @status.setter
    def status(self, status: AlarmStatus | int) -> None:
        self.alarm.change(status, self.alarm.severity)

    @property
    def severity(self) -> AlarmSeverity:
        """How bad it is."""
        return AlarmSeverity(self.alarm.severity)

    @severity.setter
    def severity(self, severity: AlarmSeverity | int) -> None:
        self.alarm.change(self.alarm.status, severity)

    @property
    def length(self) -> int:
        """Number of elements at present."""
        return self.count_of(self._stored)

    @property
    def is_array(self) -> bool:
        """Whether clients see more than one element."""
        return self.max_length > 1

    @property
    def asg(self) -> str:
        """Access group, in the words of EPICS access security; a change counts at once."""
        return self._asg

    @asg.setter
    def asg(self, asg: str) -> None:
        self._asg = asg
        if self._guard is not None:
            self._guard()

    def when_regrouped(self, guard: Callable[[], None]) -> None:
        """Call this when the access group has changed: for the server that applies the rules."""
        self._guard = guard

    def check_access(self, hostname: str, username: str) -> AccessRights:
        """What a client may do; override to decide by host and user."""
        return AccessRights.READ if self.read_only else AccessRights.READ_WRITE

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self.value!r}>"

    # -- what a native type has to say --------------------------------------------------

    def convert(self, value: Value) -> Value:
        """Stored form of what a user writes. Raises ConversionError."""
        raise NotImplementedError

    def decode(self, data_type: int, count: int, payload: Payload) -> Value:
        """Stored form of what a client wrote. Raises ConversionError."""
        raise NotImplementedError

    def present(self, stored: Value) -> Value:
        """What a user sees of a stored value."""
        return stored

    def check(self, stored: Value) -> Value:
        """What the limits make of a value. Raises LimitError where they refuse it."""
        return stored

    def alarm_of(self, stored: Value) -> tuple[int, int]:
        """Status and severity that a value has by itself."""
        return NO_ALARM

    def events_of(self, stored: Value) -> int:
        """Events that a new value is worth, by its deadbands."""
        return _VALUE_LOG

    def count_of(self, stored: Value) -> int:
        """Number of elements of a stored value."""
        return 1

    def count_as(self, native: ChannelType) -> int:
        """Number of elements that the value has when shown as elements of a native type."""
        return self.count_of(self._stored)

    def wire(self, native: ChannelType, count: int) -> Payload:
        """The first ``count`` elements, as elements of a native type. Raises ConversionError."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """The part of Extras that is this type's own: units, precision, limits, states."""
        return {}

    def _length_of(self, value: Value) -> int:
        return len(value) or 1 if isinstance(value, (list, tuple)) else 1

    def _remember(self, value: Value) -> None:
        """Keep what the user wrote where reading it back must give the same kind of thing."""
        self._value = None

    # -- payloads -----------------------------------------------------------------------

    def payload(self, data_type: int, count: int) -> tuple[Payload, int]:
        """Bytes for a client, padded to 8, and the number of elements they stand for.

        Args:
            data_type: DBR type 0 to 38.
            count: elements; 0 asks for as many as there are (CA 4.13); more than there are
                come as zeros (``read_reply`` in ``camessage.c``).

        Raises:
            ConversionError: the value has no form in this type.
        """
        key = data_type << 32 | count
        entry = self.encoded.get(key)
        if entry is not None:
            return entry
        entry = self._encode(data_type, count)
        # Counts are the client's choice: what it may keep alive here is bounded.
        if count <= self.max_length:
            if len(self.encoded) >= _MOST_PAYLOADS:
                self.encoded.clear()
            self.encoded[key] = entry
        return entry

    @property
    def varies_in_length(self) -> bool:
        """Whether a payload for count 0 changes its size with the value."""
        return self.max_length > 1

    @property
    def shown_as(self) -> tuple[ChannelType, int]:
        """Native type and largest count that a client is told when it connects."""
        return self.data_type, self.max_length

    def subscribe(self, feed: Feed) -> None:
        """Post events on a feed from now on."""
        self.feeds += (feed,)

    def unsubscribe(self, feed: Feed) -> None:
        """Forget a feed."""
        # Up to the feed alone: a client that leaves with very many begins with the oldest.
        for at, each in enumerate(self.feeds):
            if each is feed:
                self.feeds = self.feeds[:at] + self.feeds[at + 1 :]
                return

    def _encode(self, data_type: int, count: int) -> tuple[Payload, int]:
        layout = LAYOUTS[data_type]
        family = layout.family
        if family == Family.CLASS_NAME:
            shown = count or 1
            return pack_string(self.reported_record_type.encode()) + bytes(40 * (shown - 1)), shown
        have = self.count_as(layout.native)
        shown = count or have
        body = self.wire(layout.native, min(shown, have))
        if family == Family.PLAIN and len(body) == NATIVE_SIZES[layout.native] * shown:
            prefix = b""  # an array in its own type goes out as it is stored, uncopied
            if not len(body) & 7 and shown:
                return bytes(body) if len(body) < _WORTH_A_VIEW else body, shown
        else:
            prefix = pack_prefix(data_type, self.extras())
        room = payload_size(data_type, shown)
        room += -room % 8
        filler = bytes(room - len(prefix) - len(body))
        return b"".join((prefix, body, filler)), shown

    def extras(self) -> Extras:
        """All that goes beside the elements."""
        alarm = self.alarm
        seconds, nanoseconds = self._epics_time()
        return Extras(
            status=alarm.status,
            severity=alarm.severity,
            seconds=seconds,
            nanoseconds=nanoseconds,
            ackt=int(alarm.must_acknowledge_transient),
            acks=alarm.severity_to_acknowledge,
            **self.describe(),
        )

    def _epics_time(self) -> tuple[int, int]:
        seconds, nanoseconds = divmod(self.time_ns, _NS)
        return max(seconds - EPICS_EPOCH, 0), nanoseconds

    # -- changes ------------------------------------------------------------------------

    def assign(self, stored: Value) -> None:
        """Take a value that needs no hook: limits, alarm, store, monitors.

        Raises:
            LimitError: the control limits forbid it.
        """
        stored = self.check(stored)
        status, severity = self.alarm_of(stored)
        self.commit(stored, clock(), status, severity, PROCESSED)

    def commit(
        self, stored: Value, time_ns: int, status: int, severity: int, events: int = STORED
    ) -> None:
        """Store a verified value and tell the monitors, of other ``events`` in one go."""
        events |= self.events_of(stored)
        self._stored = stored
        self._value = None
        self.time_ns = time_ns
        alarm = self.alarm
        if (alarm.severity != severity or alarm.status != status) and alarm.change(
            status, severity, self
        ):
            events |= _ALARM
        if self.encoded:
            self.encoded.clear()
        for feed in self.feeds:
            if feed.mask & events:
                feed.post()

    def post(self, events: int) -> None:
        """Something beside the value has changed: drop the payloads, tell who wants to know."""
        self.encoded.clear()
        for feed in self.feeds:
            if feed.mask & events:
                feed.post()

    async def publish(self, flags: int) -> None:
        """Post events on the monitors without a change."""
        self.post(flags)


def unix_ns(timestamp: float | tuple[int, int] | TimeStamp) -> int:
    return TimeStamp.from_flexible_value(timestamp).unix_ns


# Used by the scalar types of the hot path, kept beside the layout that it must agree with.
def pack_scalar_time(channel: ChannelState, native: int, value: Value) -> bytes:
    """DBR_TIME payload of one element in the PV's own type."""
    seconds, nanoseconds = divmod(channel.time_ns, _NS)
    # A conditional costs less than max().
    seconds = seconds - EPICS_EPOCH if seconds > EPICS_EPOCH else 0
    alarm = channel.alarm
    return SCALAR_TIME[native].pack(alarm.status, alarm.severity, seconds, nanoseconds, value)
