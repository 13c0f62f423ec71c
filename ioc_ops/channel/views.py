"""A PV as one client's channel shows it: through filters, or as a long string.

A view stands where a circuit expects a PV. Reads and events come from the PV through the
filters; writes, access rights, hooks and alarms are the PV's own (as in EPICS Base, where
filters do not touch ``dbPutField``).
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ioc_ops.ca import ChannelType, FilterCall
from ioc_ops.channel.data import ChannelData
from ioc_ops.channel.filters import Filter, Shape, States, Step, Update, make_filter
from ioc_ops.channel.frames import freeze
from ioc_ops.channel.longtext import decode_long, long_capacity, show_long
from ioc_ops.channel.state import Payload, Value, clock

__all__ = ["View", "make_view"]


class _Subscriber(Protocol):
    """A feed that asks its ``channel`` for payloads, as all feeds of circuits do."""

    mask: int
    channel: Any

    def post(self) -> None: ...


def make_view(
    channel: ChannelData,
    name: str,
    *,
    long_string: bool = False,
    filters: Sequence[FilterCall] = (),
    states: States | None = None,
) -> "View":
    """What a channel name with modifiers stands for.

    Args:
        channel: the PV or field.
        name: the whole name, as the client has it.
        long_string: ``$`` was asked for.
        filters: in the order of the name.
        states: of the IOC, for ``sync``.

    Raises:
        ConversionError: the PV is no text, or a filter is unknown or set wrongly.
    """
    found = [make_filter(call.name, call.options, states or {}) for call in filters]
    return View(channel, name, long_string, found)


class View:
    """A PV behind filters; all that is not said here is the PV's."""

    __slots__ = ("_filters", "_long", "_reader", "_shape", "encoded", "name", "pv")

    def __init__(
        self, pv: ChannelData, name: str, long_string: bool, filters: Sequence[Filter]
    ) -> None:
        self.pv = pv
        self.name = name
        # Stays empty: a read through filters is none that can be answered from memory.
        self.encoded: dict[int, tuple[Payload, int]] = {}
        self._long = long_string
        shape: Shape = (ChannelType.CHAR, long_capacity(pv)) if long_string else pv.shown_as
        self._filters: list[Filter] = []
        for each in sorted(filters, key=lambda f: f.late):  # early ones first, else as named
            through = each.shape(shape)
            if through is not None:
                shape = through
                self._filters.append(each)
        self._shape = shape
        self._reader = self.start()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.pv, name)

    def __repr__(self) -> str:
        return f"<View {self.name}>"

    @property
    def shown_as(self) -> Shape:
        """Native type and largest count that a client is told when it connects."""
        return self._shape

    @property
    def varies_in_length(self) -> bool:
        """Whether a payload for count 0 changes its size with the value."""
        return True

    # -- writing: the PV's --------------------------------------------------------------

    def decode(self, data_type: int, count: int, payload: Payload) -> Value:
        """Stored form of what a client wrote. Raises ConversionError."""
        if self._long:
            return decode_long(self.pv, data_type, count, payload)
        return self.pv.decode(data_type, count, payload)

    # -- reading ------------------------------------------------------------------------

    def payload(self, data_type: int, count: int) -> tuple[Payload, int]:
        """What a read of now gives; as ``ChannelData.payload``. Raises ConversionError."""
        update = self._reader(self.snapshot(0, reading=True))
        # No filter drops a read.
        frame = self.pv if update is None else update.frame
        return frame.payload(data_type, count)

    def snapshot(self, events: int, *, reading: bool = False) -> Update:
        """The PV as it is, ready for the filters."""
        frame = freeze(self.pv)
        if self._long:
            frame = show_long(frame)
        return Update(frame, events, reading, clock())

    def start(self) -> Step:
        """The filters in their order, at their beginning."""
        steps = [each.start() for each in self._filters]

        def through_all(update: Update) -> Update | None:
            current: Update | None = update
            for step in steps:
                if current is None:
                    return None
                current = step(current)
            return current

        return through_all

    # -- monitoring ---------------------------------------------------------------------

    def subscribe(self, feed: _Subscriber) -> None:
        """Post the events that pass the filters on a feed from now on."""
        feed.channel = _Stream(self, feed)

    @property
    def stateful(self) -> bool:
        """Whether a filter may drop events, and so must know them."""
        return any(not each.late for each in self._filters)


class _Stream:
    """The events of one subscription on their way through filters of its own.

    It is what the subscriber asks for payloads: the newest that has passed, whenever it asks.
    """

    __slots__ = ("_events", "_feed", "_frame", "_kinds", "_step", "mask", "view")

    def __init__(self, view: View, feed: _Subscriber) -> None:
        self.view = view
        self.mask = feed.mask
        self._feed: _Subscriber | None = feed
        self._step = view.start()
        self._events = 0
        self._frame: ChannelData | None = None
        # A PV tells its feeds that there is news, not which. One feed for each kind, asked
        # before the stream is, lets plain subscriptions go without an argument more.
        kinds = [1 << bit for bit in range(4) if view.stateful and feed.mask >> bit & 1]
        self._kinds = [_Kind(kind, self.note) for kind in kinds]
        for own in self._kinds:
            view.pv.subscribe(own)
        view.pv.subscribe(self)
        self._pass(self.mask)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.view, name)

    @property
    def silent(self) -> bool:
        """Whether no event has passed yet: then there is no first event either."""
        return self._frame is None

    def note(self, kind: int) -> None:
        """The next update is of this kind too."""
        self._events |= kind

    def post(self) -> None:
        """The PV has news: let it through the filters, and on to the subscriber."""
        events, self._events = self._events or self.mask, 0
        feed = self._feed
        # A feed without mask belongs to a client that may not read at the moment.
        if self._pass(events) and feed is not None and feed.mask:
            feed.post()

    def _pass(self, events: int) -> bool:
        update = self._step(self.view.snapshot(events))
        if update is not None:
            self._frame = update.frame
        return update is not None

    def payload(self, data_type: int, count: int) -> tuple[Payload, int]:
        """What has passed last. Raises ConversionError."""
        frame = self._frame
        # Asked too early (rights that came back): what a read gives.
        return (frame or self.view).payload(data_type, count)

    def unsubscribe(self, feed: _Subscriber) -> None:
        """The subscriber leaves: nothing of this stays in the PV."""
        for own in self._kinds:
            self.view.pv.unsubscribe(own)
        self._kinds = []  # they point here: what is kept of arrays goes now, not some time
        self.view.pv.unsubscribe(self)
        if self._feed is not None:
            self._feed.channel = self.view
            self._feed = None


class _Kind:
    """Tells a stream that its next update has events of one kind."""

    __slots__ = ("_note", "mask")

    def __init__(self, mask: int, note: Callable[[int], None]) -> None:
        self.mask = mask
        self._note = note

    def post(self) -> None:
        self._note(self.mask)
