"""Notices which PVs have changed since their value was last taken, at little cost."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ioc_ops.autosave.snapshot import current_value
from ioc_ops.autosave.values import Value
from ioc_ops.channel import PROCESSED, STORED, ChannelData, EventMask
from ioc_ops.errors import AutosaveError

__all__ = ["Watch"]

# PVs looked at in one go: below a millisecond.
_SLICE = 2000
# Changed PVs taken in one go, and elements of arrays copied in one go: likewise.
_TAKE_SLICE = 200
_TAKE_ELEMENTS = 100_000

_UNKNOWN: Any = object()
"""What no PV has."""


class _Watched:
    """A PV and how it was when its value was last taken."""

    __slots__ = ("channel", "name", "stored", "value")

    def __init__(self, name: str, channel: ChannelData) -> None:
        self.name = name
        self.channel = channel
        self.forget()

    def accept(self) -> None:
        self.stored = self.channel.stored
        self.value = self.channel.value

    def forget(self) -> None:
        self.stored = self.value = _UNKNOWN

    @property
    def changed(self) -> bool:
        # A write gives a PV another object, in its stored form where two states of an ENUM have
        # one name, in what a user sees where a state gets another name. Equal values written
        # anew are told apart later, by their text. The time does not serve: that of a field is
        # the time of its record.
        return self.channel.stored is not self.stored or self.channel.value is not self.value


class Watch:
    """The PVs of one helper; a Feed of them all, which notes that one of them has news.

    Which ones have changed is found by walking over them. Walks are iterators that yield between
    slices of work, so that whoever drives them can let the event loop run.
    """

    # Every way to store a value posts one of the first two.
    mask = PROCESSED | STORED | int(EventMask.PROPERTY)

    def __init__(self, channels: Mapping[str, ChannelData]) -> None:
        #: How often a PV had news ...
        self._heard = 1
        #: ... and how often before the last walk over all of them began.
        self._looked = 0
        self._watched = {name: _Watched(name, channel) for name, channel in channels.items()}
        self._order = list(self._watched.values())
        #: Values taken and not yet handed on; a walk that is abandoned half-way loses none.
        self.taken: list[tuple[str, Value]] = []
        #: PVs whose present value cannot be saved, and why.
        self.unsavable: dict[str, str] = {}
        for channel in channels.values():
            channel.subscribe(self)

    def post(self) -> None:
        """One of the PVs was written, or a state of it got another name."""
        self._heard += 1

    @property
    def news(self) -> bool:
        """Whether a PV may have changed since all were looked at."""
        return self._heard != self._looked

    def close(self) -> None:
        """Watch no longer."""
        for watched in self._order:
            watched.channel.unsubscribe(self)

    def add(self, name: str, channel: ChannelData) -> None:
        """One PV more; its value counts as a change until it is accepted."""
        self.remove(name)
        watched = self._watched[name] = _Watched(name, channel)
        self._order.append(watched)
        channel.subscribe(self)
        self.post()

    def remove(self, name: str) -> None:
        """One PV less; what was taken of it and not handed on is dropped."""
        watched = self._watched.pop(name, None)
        if watched is not None:
            watched.channel.unsubscribe(self)
            # A walk that is under way goes on over the list it began with.
            self._order = [each for each in self._order if each is not watched]
            self.taken = [(taken, value) for taken, value in self.taken if taken != name]
            self.unsavable.pop(name, None)

    def accept(self, names: Iterable[str]) -> None:
        """The present values of these PVs are known: only later ones are changes."""
        for name in names:
            self._watched[name].accept()

    def forget(self, names: Iterable[str]) -> None:
        """Whatever values these PVs have count as changes."""
        for name in names:
            self._watched[name].forget()
        self.post()

    def look(self) -> Iterator[bool]:
        """Yield False for each slice without a change, True for the first one with, and end."""
        heard = self._heard
        order = self._order
        for start in range(0, len(order), _SLICE):
            found = any(
                w.channel.stored is not w.stored or w.channel.value is not w.value
                for w in order[start : start + _SLICE]
            )
            yield found
            if found:
                return
        self._looked = heard

    def take(self) -> Iterator[None]:
        """Take the values of all changed PVs; yields after each slice of work."""
        taken = elements = 0
        heard = self._heard
        order = self._order
        for start in range(0, len(order), _SLICE):
            for watched in order[start : start + _SLICE]:
                if not watched.changed or self._watched.get(watched.name) is not watched:
                    continue
                elements += self._take(watched)
                taken += 1
                if taken >= _TAKE_SLICE or elements >= _TAKE_ELEMENTS:
                    taken = elements = 0
                    yield
            yield
        self._looked = heard

    def _take(self, watched: _Watched) -> int:
        """Returns the number of elements copied."""
        watched.accept()
        try:
            value = current_value(watched.channel)
        except AutosaveError as error:
            self.unsavable[watched.name] = str(error)
            return 0
        self.unsavable.pop(watched.name, None)
        self.taken.append((watched.name, value))
        return getattr(value, "size", 0)

    def hand_on(self) -> list[tuple[str, Value]]:
        """The values taken so far; they are the caller's from now on."""
        taken, self.taken = self.taken, []
        return taken

    def __len__(self) -> int:
        return len(self._order)
