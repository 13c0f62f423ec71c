"""Which PVs a save set has: those tagged for it, and those that its request file names."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ioc_ops.autosave.files.thread import Clock, StorageThread
from ioc_ops.autosave.formats import RequestedPV, read_request
from ioc_ops.autosave.tag import MAIN_SET
from ioc_ops.autosave.targets import Target, target_of_name, target_of_pv, targets_of
from ioc_ops.channel import ChannelData
from ioc_ops.errors import AutosaveError, ConfigurationError
from ioc_ops.group import PVGroup

__all__ = ["Members", "RequestFile", "check_sets"]

# Of very many PVs with one trouble an error names these.
_NAMED_PVS = 5


@dataclass(frozen=True, slots=True)
class RequestFile:
    """A request file of synApps that names PVs of this IOC."""

    file: str | os.PathLike[str]
    #: None: those of the group, and ``P`` for the prefix of the IOC.
    macros: Mapping[str, str] | None
    search_path: Sequence[Path]

    async def read(
        self, macros: Mapping[str, str], clock: Clock, limit: float
    ) -> list[RequestedPV]:
        """What it names, within ``limit`` seconds.

        Args:
            macros: unless it has its own.
            clock: the async library.
            limit: seconds.

        Raises:
            ConfigurationError: it cannot be found, or a line makes no sense.
            AutosaveError: storage does not answer in time.
        """
        given = macros if self.macros is None else self.macros
        thread = StorageThread("autosave-request")
        reading = thread.submit(partial(read_request, str(self.file), given, self.search_path))
        thread.close()
        if not await reading.wait(clock, limit):
            raise AutosaveError(f"{self.file} cannot be read within {limit:g} s")
        try:
            return reading.result()
        except AutosaveError as error:
            raise ConfigurationError(f"autosave: {error}") from error


@dataclass(frozen=True, slots=True)
class Members:
    """The PVs of one save set, by the name under which they are saved."""

    set_name: str
    targets: dict[str, Target]
    #: What the request file names, by the name under which it is saved.
    requested: Mapping[str, RequestedPV]
    #: Whose restored value goes through the putter when the IOC starts.
    to_put: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        root: PVGroup,
        set_name: str,
        tagged: Mapping[str, Target],
        requested: Sequence[RequestedPV] = (),
    ) -> "Members":
        """Those of a set, in the order of definition, then in that of the request file.

        Args:
            root: the group tree.
            set_name: of the set.
            tagged: what `find_targets` has found in the tree.
            requested: what the request file of the set names.
        """
        by_name = {each.key: each for each in requested}
        targets = {name: target for name, target in tagged.items() if set_name in target.sets}
        for name in by_name:
            target = targets.get(name) or target_of_name(root, name, [set_name])
            if target is not None:
                targets[name] = target
        to_put = frozenset(name for name, target in targets.items() if target.put_on_restore)
        return cls(set_name, targets, by_name, to_put)

    @property
    def channels(self) -> dict[str, ChannelData]:
        """The PVs and fields themselves."""
        return {name: target.channel for name, target in self.targets.items()}

    @property
    def aliases(self) -> dict[str, str]:
        """Names in files of caproto, and the names that they stand for."""
        return {t.alias: name for name, t in self.targets.items() if t.alias is not None}

    @property
    def unknown(self) -> list[RequestedPV]:
        """What the request file names and the IOC does not have."""
        return [each for name, each in self.requested.items() if name not in self.targets]

    def of_pv(self, channel: ChannelData) -> list[Target]:
        """What belongs to the set of one PV that comes or has gone while the IOC runs."""
        found = [t for t in targets_of(channel) if self.set_name in t.sets]
        known = {target.name for target in found}
        named = (target_of_pv(channel, name, [self.set_name]) for name in self.requested)
        return found + [t for t in named if t is not None and t.name not in known]


def check_sets(tagged: Mapping[str, Target], names: Sequence[str]) -> None:
    """See that every tagged PV has a set that saves it, and that no two sets have one name.

    Raises:
        ConfigurationError: not so; names PVs and sets.
    """
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ConfigurationError(
            f"autosave: two save sets are called {min(twice) or 'AutosaveHelper'!r}; "
            "give one of them save_set='another name'"
        )
    lost: dict[str, list[str]] = {}
    for target in tagged.values():
        for name in target.sets:
            if name not in names:
                lost.setdefault(name, []).append(target.name)
    for name, pvs in lost.items():
        shown = ", ".join(pvs[:_NAMED_PVS]) + (", ..." if len(pvs) > _NAMED_PVS else "")
        have = ", ".join(repr(each) for each in names if each != MAIN_SET) or "none"
        if name == MAIN_SET:
            raise ConfigurationError(
                f"autosave: nothing saves {shown}: add autosave = SubGroup(AutosaveHelper), "
                f"or name a save set ({have}) in autosaved()"
            )
        raise ConfigurationError(
            f"autosave: {shown}: there is no save set {name!r}, but {have}; "
            f"add {name} = SubGroup(SaveSet)"
        )
