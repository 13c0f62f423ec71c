"""Which PVs a named configuration holds, and in which order they are loaded."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ioc_ops.autosave.formats import is_sav_name, read_request
from ioc_ops.autosave.targets import Target, find_targets
from ioc_ops.channel import ChannelData
from ioc_ops.errors import AutosaveError, ConfigurationError
from ioc_ops.group import PVGroup, PvpropertyData

__all__ = ["Choice", "Selection", "Selector", "requested", "select"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the author of an IOC has said about it: names, a save set, or all that is saved."""

    #: PVs, fields and patterns, with the IOC's prefix or without; None if there are none.
    pvs: tuple[str, ...] | None = None
    #: None for every PV that is saved in any set.
    save_set: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """The PVs of a configuration."""

    #: By the name under which they stand in a file, which is without ``.VAL``.
    channels: Mapping[str, ChannelData]
    #: What was asked for and is not served, or matches nothing.
    unserved: tuple[str, ...] = ()
    #: What was asked for and cannot be set by a client.
    read_only: tuple[str, ...] = ()
    #: What no file can hold, and that this is so, in words.
    unfit: tuple[str, ...] = ()

    @property
    def troubles(self) -> list[str]:
        """All that is not as somebody may think, in words."""
        unserved = [f"no PV {name} is served" for name in self.unserved]
        read_only = [f"{name} is read only, left out" for name in self.read_only]
        return [*unserved, *read_only, *self.unfit]


class Selector:
    """The selection of a running IOC, to which PVs may come and from which they may go."""

    def __init__(
        self, root: PVGroup, choice: Choice, excluded: Callable[[ChannelData], bool]
    ) -> None:
        """Arguments as for `select`."""
        self._root, self._choice, self._excluded = root, choice, excluded
        self._found: Selection | None = None
        self._pvs = 0
        root.pvdb.removed.append(self._forget)

    def _forget(self, gone: ChannelData) -> None:
        self._found = None

    def selection(self) -> Selection:
        """What there is now; looked for only if PVs have come or gone since."""
        pvs = len(self._root.pvdb)
        if self._found is None or pvs != self._pvs:
            self._found, self._pvs = select(self._root, self._choice, self._excluded), pvs
        return self._found


def select(root: PVGroup, choice: Choice, excluded: Callable[[ChannelData], bool]) -> Selection:
    """Find the PVs that a configuration of an IOC holds.

    Args:
        root: the IOC.
        choice: which ones.
        excluded: tells of a PV that it can be part of no configuration.
    """
    if choice.pvs is None:
        targets = targets_of_set(find_targets(root), choice.save_set)
        # What is saved and not for clients to set, a count of starts, is no setting.
        found = {target.name: target.channel for target in targets}
        settable = {
            name: channel
            for name, channel in found.items()
            if _marked_by_the_author(channel) and not (channel.read_only or excluded(channel))
        }
        return _selection(settable)
    named: dict[str, ChannelData] = {}
    unserved: list[str] = []
    for text in choice.pvs:
        matches = _matching(root, text)
        named |= {name: channel for name, channel in matches.items() if name not in named}
        if not matches:
            unserved.append(text)
    read_only = [name for name, channel in named.items() if channel.read_only]
    settable = {n: c for n, c in named.items() if not (c.read_only or excluded(c))}
    return _selection(settable, tuple(unserved), tuple(read_only))


def targets_of_set(targets: Mapping[str, Target], save_set: str | None) -> Iterable[Target]:
    """The targets that are in a save set; all for None."""
    if save_set is None:
        return targets.values()
    return [target for target in targets.values() if save_set in target.sets]


def _marked_by_the_author(channel: ChannelData) -> bool:
    """Not so what helpers save of themselves: the periods of status PVs, say."""
    spec = getattr(getattr(channel, "record", channel), "pvspec", None)
    mark = getattr(spec, "autosave", None)
    return not (mark is True or isinstance(mark, tuple))


def requested(file: Path, macros: Mapping[str, str]) -> list[str]:
    """The names in a request file, each once; waits for the disk.

    Raises:
        ConfigurationError: it cannot be read, or a line makes no sense.
    """
    try:
        return list(dict.fromkeys(pv.key for pv in read_request(file, macros)))
    except AutosaveError as error:
        raise ConfigurationError(f"configurations: {error}") from error


def _matching(root: PVGroup, text: str) -> dict[str, ChannelData]:
    """PVs and fields by their names; a pattern stands for PVs, those that are read only aside."""
    for name in (text, root.prefix + text):
        channel = _find(root, name)
        if channel is not None:
            return {name: channel}
    return {
        name: channel
        for name, channel in root.pvdb.items()
        if not channel.read_only
        and (fnmatchcase(name, text) or fnmatchcase(name.removeprefix(root.prefix), text))
    }


def _find(root: PVGroup, name: str) -> ChannelData | None:
    if name in root.pvdb:
        return root.pvdb[name]
    base, _, field = name.rpartition(".")
    record = root.pvdb.get(base)
    if field == "VAL" or not isinstance(record, PvpropertyData):
        return record
    return record.fields.get(field)


def _selection(
    channels: Mapping[str, ChannelData],
    unserved: tuple[str, ...] = (),
    read_only: tuple[str, ...] = (),
) -> Selection:
    plain = {name.removesuffix(".VAL") or name: channel for name, channel in channels.items()}
    why = "is left out: a file of synApps cannot have such a name"
    unfit = tuple([f"{name} {why}" for name in plain if not is_sav_name(name)])
    fit = {name: channel for name, channel in plain.items() if is_sav_name(name)}
    return Selection(fit, unserved, read_only, unfit)
