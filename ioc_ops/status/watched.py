"""A PV whose updates are kept until somebody looks at them; and which PV a name means."""

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from ioc_ops.ca.dbr import NATIVE_DTYPES
from ioc_ops.channel import (
    AlarmSeverity,
    ChannelByte,
    ChannelData,
    ChannelNumeric,
    EventMask,
)
from ioc_ops.errors import ConfigurationError
from ioc_ops.group import PVGroup
from ioc_ops.status.window import Batch, digested

__all__ = ["MOST_WAITING", "Taken", "Watched", "find", "is_pattern", "numbers_of", "why_not"]

_INVALID = int(AlarmSeverity.INVALID_ALARM)
_MASK = int(EventMask.VALUE | EventMask.LOG)

# Elements that may wait: from the first on somebody is called to look at them, beyond the second
# (or one array) they are skipped.
_MANY = 0x8000
MOST_WAITING = 0x40000

Numbers = float | NDArray[np.generic]


def numbers_of(channel: ChannelData) -> Numbers:
    """The value of a PV: a number, or its elements as they are stored, uncopied."""
    if channel.max_length == 1 and not isinstance(channel, ChannelByte):
        value: float = channel.value
        return value
    payload = channel.wire(channel.data_type, channel.length)
    return np.frombuffer(payload, NATIVE_DTYPES[channel.data_type])


class Taken:
    """What has come since the look before; ``digest`` it in a worker thread."""

    __slots__ = ("_invalid", "_now", "_skipped", "_updates", "_values")

    def __init__(
        self, values: list[Numbers], now: Numbers | None, updates: int, invalid: int, skipped: int
    ) -> None:
        self._values = values
        self._now = now
        self._updates, self._invalid, self._skipped = updates, invalid, skipped

    def digest(self) -> Batch:
        """The updates as a batch."""
        return digested(
            self._values, updates=self._updates, invalid=self._invalid, skipped=self._skipped
        )

    @property
    def updates(self) -> int:
        """How many."""
        return self._updates

    def held(self, before: Batch | None) -> Batch | None:
        """The value that the PV had when this was taken; None while it is INVALID.

        Args:
            before: what it was at the look before, where there was no update since.
        """
        if self._now is None:
            return None
        return digested([self._now]) if before is None else before


class Watched:
    """Subscribed to a PV as a Feed: takes note of each update that a monitor would get.

    The cost for the writer is that of appending to a list.
    """

    __slots__ = (
        "_gone", "_hurry", "_invalid", "_skipped", "_updates", "_values", "_waiting", "channel",
    )  # fmt: skip

    mask = _MASK

    def __init__(self, channel: ChannelData, hurry: Callable[[], None]) -> None:
        """Watch from now on.

        Args:
            channel: the PV.
            hurry: called when many values wait.
        """
        self.channel = channel
        self._gone = False
        self._hurry = hurry
        self._values: list[Numbers] = []
        self._updates = self._invalid = self._skipped = self._waiting = 0
        channel.subscribe(self)

    def post(self) -> None:
        """The PV has news."""
        self._updates += 1
        channel = self.channel
        if channel.alarm.severity == _INVALID:
            self._invalid += 1
            return
        size = channel.length
        if self._waiting and self._waiting + size > MOST_WAITING:
            self._skipped += 1
            return
        self._values.append(numbers_of(channel))
        before = self._waiting
        self._waiting = before + size
        if before < _MANY <= self._waiting:
            self._hurry()

    def take(self) -> Taken:
        """What has come; from here on anew."""
        channel = self.channel
        silent = self._gone or channel.alarm.severity == _INVALID
        now = None if silent else numbers_of(channel)
        taken = Taken(self._values, now, self._updates, self._invalid, self._skipped)
        self._values = []
        self._updates = self._invalid = self._skipped = self._waiting = 0
        return taken

    def follow(self, channel: ChannelData | None) -> None:
        """Watch another PV, which has the place of this one now; None: it is gone."""
        if channel is self.channel and not self._gone:
            return
        self.end()
        self._gone = channel is None
        if channel is not None:
            self.channel = channel
            channel.subscribe(self)

    def end(self) -> None:
        """Watch no more."""
        if not self._gone:
            self.channel.unsubscribe(self)


def why_not(channel: ChannelData) -> str:
    """Why there can be no statistics of a PV; empty when there can."""
    if isinstance(channel, (ChannelNumeric, ChannelByte)):
        return ""
    return f"it holds {channel.data_type.name}, not numbers"


def is_pattern(text: str) -> bool:
    """Whether ``text`` may mean several PVs."""
    return any(c in text for c in "*?[")


def find(
    text: str,
    group: PVGroup | None,
    lookup: Callable[[str], ChannelData | None],
    pvdb: Mapping[str, ChannelData],
) -> Iterator[tuple[str, ChannelData]]:
    """The PVs that ``text`` means, each with its name below the prefix of ``group``.

    Args:
        text: attribute of the group or of one it is part of, PV name, the same without the prefix
            of the group, or a pattern (``*``, ``?``, ``[...]``) of attributes and PV names; a
            pattern means those PVs alone that hold numbers.
        group: whose attributes count; None for none.
        lookup: a PV or field by its full name.
        pvdb: all PVs, for patterns.

    Raises:
        ConfigurationError: there is no such PV, or it holds no numbers.
    """
    prefix = "" if group is None else group.prefix
    if is_pattern(text):
        attributes = {} if group is None else group.attr_to_pvname
        named = {name for attr, name in attributes.items() if fnmatchcase(attr, text)}
        found = [
            (name.removeprefix(prefix), channel)
            for name, channel in list(pvdb.items())
            if name == channel.name
            and (
                name in named
                or fnmatchcase(name, text)
                or (name.startswith(prefix) and fnmatchcase(name.removeprefix(prefix), text))
            )
            and not why_not(channel)
        ]
        if not found:
            raise ConfigurationError(f"no PV with numbers matches {text!r}")
        yield from found
        return
    channel = _exactly(text, group, lookup) or lookup(text) or lookup(prefix + text)
    if channel is None:
        raise ConfigurationError(f"there is no PV or attribute {text!r}")
    if reason := why_not(channel):
        raise ConfigurationError(f"no statistics of {channel.name}: {reason}")
    yield channel.name.removeprefix(prefix), channel


def _exactly(
    text: str, group: PVGroup | None, lookup: Callable[[str], ChannelData | None]
) -> ChannelData | None:
    while group is not None:
        if text in group.attr_to_pvname:
            return lookup(group.attr_to_pvname[text])
        group = group.parent
    return None
