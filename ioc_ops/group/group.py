"""PVGroup: PVs and groups of PVs under one prefix."""

import gc
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, ClassVar

from ioc_ops.channel import Alarm, Value, Watched
from ioc_ops.errors import DefinitionError
from ioc_ops.group.macros import Expanded, expand_macros
from ioc_ops.group.pvdb import LivePVs
from ioc_ops.group.pvproperty import pvproperty
from ioc_ops.group.pvspec import PVSpec
from ioc_ops.group.subgroup import SubGroup
from ioc_ops.group.types import PvpropertyData

__all__ = ["PVGroup"]

_RESERVED = frozenset(
    "alarms attr_pvdb attr_to_pvname groups log macros name parent prefix pvdb states".split()
)
"""What every group has of its own, and no PV can be called."""


_TABLES = ("type_map", "type_map_read_only", "default_values")
"""By these a group of caproto's chooses the classes of its PVs."""


class PVGroup:
    """Base of every IOC: declare PVs with ``pvproperty`` and groups with ``SubGroup``."""

    _pvs_: ClassVar[dict[str, pvproperty]] = {}
    _subgroups_: ClassVar[dict[str, SubGroup]] = {}
    _members_: ClassVar[tuple[str, ...]] = ()
    attr_separator: ClassVar[str] = ":"
    saves_marked: ClassVar[bool] = False
    """Whether a group of this class saves the PVs of its tree that are marked to be saved."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        # In the order of definition, bases first; what Python finds by name is what counts.
        names: dict[str, None] = {}
        for base in reversed(cls.__mro__):
            for name, member in vars(base).items():
                if isinstance(member, (pvproperty, SubGroup)) and not name.startswith("_"):
                    names[name] = None
        found = {name: getattr(cls, name, None) for name in names}
        for table in _TABLES:
            if isinstance(getattr(cls, table, None), Mapping):
                raise DefinitionError(
                    f"{cls.__name__}.{table} has no effect here: give each PV its class by dtype="
                )
        _refuse_twins(cls.__name__, found)
        for name in _RESERVED & found.keys():
            raise DefinitionError(
                f"{cls.__name__}.{name}: a PVGroup has an attribute {name}; "
                f"call the PV otherwise and give it name={name!r}"
            )
        cls._pvs_ = {n: m for n, m in found.items() if isinstance(m, pvproperty)}
        cls._subgroups_ = {n: m for n, m in found.items() if isinstance(m, SubGroup)}
        cls._members_ = tuple([n for n in names if n in cls._pvs_ or n in cls._subgroups_])

    def __init__(
        self,
        prefix: str = "",
        *,
        macros: Mapping[str, str] | None = None,
        parent: "PVGroup | None" = None,
        name: str | None = None,
    ) -> None:
        """Make the PVs of the group.

        Args:
            prefix: of all PV names, macros allowed.
            macros: values by name.
            parent: group that this one is part of.
            name: for logs; default the class.

        Raises:
            DefinitionError: a macro has no value, two PVs have one name, or a declaration is wrong.
        """
        self.macros: dict[str, str] = dict(macros or {})
        self.parent = parent
        self.prefix: str = expand_macros(prefix, self.macros)
        self.name = name or type(self).__name__
        if parent is None:
            self.log = logging.getLogger(f"{type(self).__module__}.{type(self).__name__}")
        else:
            self.log = parent.log.getChild(type(self).__name__)
        self.alarms: defaultdict[str, Alarm] = defaultdict(Alarm)
        self.states: dict[str, bool] = self._shared_states()
        self.pvdb = LivePVs()
        self.attr_pvdb: dict[str, PvpropertyData] = {}
        self.attr_to_pvname: dict[str, str] = {}
        self.groups: dict[str, PVGroup] = {}
        with _collector_off():
            for attr in self._members_:
                declared = self._pvs_.get(attr)
                if declared is None:
                    self._add_group(attr, self._subgroups_[attr].create(self, attr))
                else:
                    channel = self._make(attr, declared.pvspec)
                    self._add(attr, channel.name, channel)

    def _make(self, attr: str, spec: PVSpec) -> PvpropertyData:
        suffix = spec.name if spec.name is not None else attr
        channel = spec.create(self, str(self.prefix + expand_macros(suffix, self.macros)))
        cls = type(self)
        if channel.getter is None and cls.group_read is not PVGroup.group_read:
            channel.getter = self.group_read
        if spec.put is None and cls.group_write is not PVGroup.group_write:
            if isinstance(channel.putter, Watched):
                channel.putter.putter = self.group_write
            else:
                channel.putter = self.group_write
        return channel

    def _add(self, attr: str, pvname: str, channel: PvpropertyData) -> None:
        if pvname in self.pvdb:
            raise DefinitionError(f"{self.name}.{attr}: there is a PV {pvname} already")
        self.pvdb[pvname] = channel
        self.attr_pvdb[attr] = channel
        self.attr_to_pvname[attr] = pvname

    def _add_group(self, attr: str, group: "PVGroup") -> None:
        self.groups[attr] = group
        for inner, subgroup in group.groups.items():
            self.groups[f"{attr}.{inner}"] = subgroup
        for inner, channel in group.attr_pvdb.items():
            self._add(f"{attr}.{inner}", channel.name, channel)
        for alias, pvname in group.pvdb.aliases.items():
            if alias in self.pvdb:
                raise DefinitionError(f"{self.name}.{attr}: there is a PV {alias} already")
            self.pvdb.add_alias(alias, pvname)

    def add_alias(self, name: str, attr: str) -> None:
        """Serve a PV of this group under one more name, at any time, as an alias of EPICS Base.

        It is the same PV: value, alarm, fields and monitors. Its own name stays what it was.

        Args:
            name: behind the prefix of this group, macros allowed.
            attr: key of the PV in ``attr_pvdb``.

        Raises:
            DefinitionError: there is a PV of this name.
            KeyError: the group has no PV of this attribute.
        """
        pvname, alias = self.attr_to_pvname[attr], str(self.child_prefix(name))
        tree = [group for group, _ in self._path(attr)]
        for group in tree:
            if alias in group.pvdb:
                raise DefinitionError(f"{group.name}.{attr}: there is a PV {alias} already")
        for group in tree:
            group.pvdb.add_alias(alias, pvname)

    def add_pv(self, attr: str, declared: PVSpec | pvproperty) -> PvpropertyData:
        """One more PV, at any time: clients find it at their next search.

        Its hooks are those that the declaration names. In an IOC that runs, ``startup`` and
        ``scan`` start at once, after the ``restore`` hook where there is one. Call it in the
        loop's thread.

        Args:
            attr: key in ``attr_pvdb``, and name of the PV where the declaration has none.
            declared: what the PV is to be.

        Raises:
            DefinitionError: there is a PV of this name, or the declaration is wrong.
        """
        spec = (declared.pvspec if isinstance(declared, pvproperty) else declared).new(attr=attr)
        channel = self._make(attr, spec)
        tree = list(self._path(attr))
        for group, key in tree:
            if channel.name in group.pvdb or key in group.attr_pvdb:
                raise DefinitionError(f"{group.name}.{key}: there is a PV {channel.name} already")
        for group, key in tree:
            group.attr_pvdb[key] = channel
            group.attr_to_pvname[key] = channel.name
        for group, _ in tree:
            group.pvdb[channel.name] = channel  # from here on hooks may run
        return channel

    def remove_pv(self, attr: str) -> None:
        """Take a PV out, at any time; clients lose their channels to it and search anew.

        In an IOC that runs, its startup hook and scan are cancelled where they wait, then its
        ``shutdown`` and ``save`` hooks run. Writes that clients have sent before are finished.
        Call it in the loop's thread.

        Raises:
            DefinitionError: the group has no PV of this attribute.
        """
        if attr not in self.attr_to_pvname:
            raise DefinitionError(f"{self.name}.{attr}: there is no such PV to take out")
        pvname = self.attr_to_pvname[attr]
        tree = list(self._path(attr))
        for group, key in tree:
            del group.attr_pvdb[key], group.attr_to_pvname[key]
        for group, _ in tree:
            for alias in [name for name, of in group.pvdb.aliases.items() if of == pvname]:
                del group.pvdb[alias]
            group.pvdb.pop(pvname, None)

    def _path(self, attr: str) -> "Iterator[tuple[PVGroup, str]]":
        """This group and those that it is part of, each with its key for one of our PVs."""
        group: PVGroup | None = self
        while group is not None:
            yield group, attr
            inner, group = group, group.parent
            if group is not None:
                # A group that was made with parent=, but is none of its subgroups, stands alone.
                own = next((key for key, each in group.groups.items() if each is inner), None)
                if own is None:
                    return
                attr = f"{own}.{attr}"

    async def group_read(self, instance: PvpropertyData) -> Value:
        """Override to serve the reads of all PVs that have no getter."""
        return instance.value

    async def group_write(self, instance: PvpropertyData, value: Value) -> Value:
        """Override to serve the writes of all PVs that have no putter."""
        return value

    def _shared_states(self) -> dict[str, bool]:
        """The states of the whole tree, this group's own among them."""
        # A class that declares states does not share them between its groups.
        own: dict[str, bool] = vars(self).get("states", dict(getattr(self, "states", {})))
        if self.parent is None:
            return own
        for state, value in own.items():
            self.parent.states.setdefault(state, value)
        return self.parent.states

    @asynccontextmanager
    async def update_state(self, state: str, value: bool) -> AsyncIterator[None]:
        """Set a state that ``sync`` filters go by: ``async with self.update_state("red", True):``.

        It holds from here on, for all groups of the tree and beyond the end of the block. Filters
        notice with the next update of their PV: a state that changes adds no events
        (``dbStateSet``, ``dbStateClear`` in EPICS Base ``dbState.c``).

        Args:
            state: its name; a new one is made.
            value: whether it is to hold.
        """
        self.states[state] = bool(value)
        yield

    def child_prefix(self, prefix: str) -> Expanded:
        """A prefix below this group's, expanded."""
        return Expanded(self.prefix + expand_macros(prefix, self.macros))


@contextmanager
def _collector_off() -> Iterator[None]:
    """What a group is made of stays: to look through it for garbage takes a fifth of a start."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _refuse_twins(group: str, members: Mapping[str, object]) -> None:
    """Raise where one declaration stands under two names: a hook was named wrongly."""
    first: dict[int, str] = {}
    for name, member in members.items():
        if member is not None and first.setdefault(id(member), name) != name:
            raise DefinitionError(
                f"{group}: {first[id(member)]} and {name} are one PV; "
                "a hook must bear the name of its PV"
            )
