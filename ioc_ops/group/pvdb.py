"""The PVs of a group by name: a dictionary that says when a PV is taken out of it."""

from collections.abc import Callable, Iterable
from typing import Any, Self

from ioc_ops.channel import ChannelData
from ioc_ops.group.types import PvpropertyData

__all__ = ["LivePVs"]


class LivePVs(dict[str, PvpropertyData]):
    """PVs by name; may be changed while an IOC serves them.

    ``removed`` are functions to be called with each PV that is taken out or replaced. A PV that
    is put in needs no notice: clients' searches look here.
    """

    __slots__ = ("removed",)

    def __init__(self) -> None:
        """Empty."""
        super().__init__()
        self.removed: list[Callable[[ChannelData], None]] = []

    def _tell(self, gone: Iterable[PvpropertyData]) -> None:
        for channel in gone:
            for tell in self.removed:
                tell(channel)

    def __setitem__(self, name: str, channel: PvpropertyData) -> None:
        before = self.get(name) if self.removed else None
        super().__setitem__(name, channel)
        if before is not None and before is not channel:
            self._tell([before])

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def pop(self, name: str, *default: Any) -> Any:
        """As of any dictionary."""
        known = name in self
        channel = super().pop(name, *default)
        if known:
            self._tell([channel])
        return channel

    def popitem(self) -> tuple[str, PvpropertyData]:
        """As of any dictionary."""
        name, channel = super().popitem()
        self._tell([channel])
        return name, channel

    def clear(self) -> None:
        """As of any dictionary."""
        gone = list(self.values())
        super().clear()
        self._tell(gone)

    def update(self, *others: Any, **named: PvpropertyData) -> None:
        """As of any dictionary."""
        for name, channel in dict(*others, **named).items():
            self[name] = channel

    def __ior__(self, other: Any) -> Self:  # type: ignore[override,misc]
        self.update(other)
        return self
