"""The PVs of a group by name: a dictionary that says which PVs come and go."""

from collections.abc import Callable, Iterable
from typing import Any, Self

from ioc_ops.channel import ChannelData
from ioc_ops.group.types import PvpropertyData

__all__ = ["LivePVs"]


class LivePVs(dict[str, PvpropertyData]):
    """PVs by name; may be changed while an IOC serves them.

    ``added`` are functions to be called with each PV that is put in, ``removed`` with each that
    is taken out or replaced, both when that is done. They must not raise. ``aliases`` are the
    names under which a PV stands besides its own, and that.
    """

    __slots__ = ("added", "aliases", "removed")

    def __init__(self) -> None:
        """Empty."""
        super().__init__()
        self.added: list[Callable[[ChannelData], None]] = []
        self.removed: list[Callable[[ChannelData], None]] = []
        self.aliases: dict[str, str] = {}

    def add_alias(self, alias: str, name: str) -> None:
        """Let the PV of this name stand under another one as well; nobody is told, then or later.

        Its comings and goings are those of the PV, which are told once.
        """
        super().__setitem__(alias, self[name])
        self.aliases[alias] = name

    def _tell(self, gone: Iterable[PvpropertyData]) -> None:
        for channel in gone:
            for tell in self.removed:
                tell(channel)

    def __setitem__(self, name: str, channel: PvpropertyData) -> None:
        if name in self.aliases and self[name] is not channel:
            del self[name]  # the PV that had this name as well stays under its own
        if not (self.added or self.removed):
            super().__setitem__(name, channel)
            return
        before = self.get(name)
        super().__setitem__(name, channel)
        if before is channel:
            return
        if before is not None:
            self._tell([before])
        for tell in self.added:
            tell(channel)

    def setdefault(self, name: str, *default: Any) -> Any:
        """As of any dictionary."""
        if name not in self and default:
            self[name] = default[0]
        return self[name]

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def pop(self, name: str, *default: Any) -> Any:
        """As of any dictionary."""
        known = name in self and self.aliases.pop(name, None) is None
        channel = super().pop(name, *default)
        if known:
            self._tell([channel])
        return channel

    def popitem(self) -> tuple[str, PvpropertyData]:
        """As of any dictionary."""
        name, channel = super().popitem()
        if self.aliases.pop(name, None) is None:
            self._tell([channel])
        return name, channel

    def clear(self) -> None:
        """As of any dictionary."""
        gone = [channel for name, channel in self.items() if name not in self.aliases]
        super().clear()
        self.aliases.clear()
        self._tell(gone)

    def update(self, *others: Any, **named: PvpropertyData) -> None:
        """As of any dictionary."""
        for name, channel in dict(*others, **named).items():
            self[name] = channel

    def __ior__(self, other: Any) -> Self:  # type: ignore[override,misc]
        self.update(other)
        return self
