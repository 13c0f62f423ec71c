"""The saved state of an IOC: values by PV name, without files and without I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ioc_ops.autosave.values import EnumValue, Value, same
from ioc_ops.channel import ChannelData, ChannelEnum
from ioc_ops.errors import AutosaveError

__all__ = ["CarriedValue", "Snapshot", "SnapshotDiff", "collect", "current_value"]


@dataclass(frozen=True, slots=True)
class CarriedValue:
    """The last value of a PV that was saved once and is not served now."""

    value: Value
    #: Unix time, in whole seconds, at which the PV was first found missing.
    since: int


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One saved state. Compare two with `SnapshotDiff.between`, which is exact to the bit."""

    values: Mapping[str, Value]
    #: Values of PVs that were missing when this was saved, kept for their return.
    carried: Mapping[str, CarriedValue] = field(default_factory=dict)
    #: PVs whose entry in the file is in no known form, and why.
    unreadable: Mapping[str, str] = field(default_factory=dict)
    #: Unix time of saving, to the microsecond; None where the format does not tell.
    saved_at: float | None = None
    #: Counts the saves over restarts, whatever the clock says; 0 where the format does not tell.
    serial: int = 0
    #: Which IOC saved it, for people: the prefix of its PVs.
    ioc: str = ""

    def find(self, name: str) -> Value | None:
        """The value to restore for a PV: the saved one, else the one carried forward."""
        value = self.values.get(name)
        if value is None and (carried := self.carried.get(name)) is not None:
            return carried.value
        return value

    def renamed(self, names: Mapping[str, str]) -> "Snapshot":
        """The same state with other names for some PVs."""
        return replace(
            self,
            values={names.get(name, name): value for name, value in self.values.items()},
            carried={names.get(name, name): value for name, value in self.carried.items()},
            unreadable={names.get(name, name): why for name, why in self.unreadable.items()},
        )


@dataclass(frozen=True, slots=True)
class SnapshotDiff:
    """What differs between two states, by PV name in the order of the newer one."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    @classmethod
    def between(cls, old: Snapshot, new: Snapshot) -> "SnapshotDiff":
        """Compare the values of two states; times, serials and carried values do not count."""
        return cls(
            added=tuple(name for name in new.values if name not in old.values),
            removed=tuple(name for name in old.values if name not in new.values),
            changed=tuple(
                name
                for name, value in new.values.items()
                if name in old.values and not same(value, old.values[name])
            ),
        )


def collect(channels: Iterable[ChannelData], *, saved_at: float | None = None) -> Snapshot:
    """The present state of some PVs. One that cannot be saved is listed as unreadable."""
    values: dict[str, Value] = {}
    unreadable: dict[str, str] = {}
    for channel in channels:
        try:
            values[channel.name] = current_value(channel)
        except AutosaveError as error:
            unreadable[channel.name] = str(error)
    return Snapshot(values, unreadable=unreadable, saved_at=saved_at)


def current_value(channel: ChannelData) -> Value:
    """The value of a PV, in a form that later changes of the PV do not touch.

    Raises:
        AutosaveError: the value is of a type that cannot be saved.
    """
    value: object = channel.value
    if isinstance(channel, ChannelEnum):
        # An index without a name has no state text: its PV names fewer states.
        return EnumValue(channel.raw_value, value if isinstance(value, str) else "")
    if isinstance(value, bool | int | float | str | bytes):
        return value
    if isinstance(value, np.ndarray):
        # What nobody may write to needs no copy; images would be copied for nothing.
        return value.copy() if value.flags.writeable else value
    if isinstance(value, list | tuple):
        return list(value)
    raise AutosaveError(f"a value of type {type(value).__name__} cannot be saved")
