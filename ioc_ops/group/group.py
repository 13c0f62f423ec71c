"""PVGroup: PVs and groups of PVs under one prefix."""

import logging
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, ClassVar

from ioc_ops.channel import Alarm, Value
from ioc_ops.errors import DefinitionError
from ioc_ops.group.macros import Expanded, expand_macros
from ioc_ops.group.pvproperty import pvproperty
from ioc_ops.group.subgroup import SubGroup
from ioc_ops.group.types import PvpropertyData

__all__ = ["PVGroup"]


class PVGroup:
    """Base of every IOC: declare PVs with ``pvproperty`` and groups with ``SubGroup``."""

    _pvs_: ClassVar[dict[str, pvproperty]] = {}
    _subgroups_: ClassVar[dict[str, SubGroup]] = {}
    _members_: ClassVar[tuple[str, ...]] = ()
    attr_separator: ClassVar[str] = ":"

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        # In the order of definition, bases first; what Python finds by name is what counts.
        names: dict[str, None] = {}
        for base in reversed(cls.__mro__):
            for name, member in vars(base).items():
                if isinstance(member, (pvproperty, SubGroup)) and not name.startswith("_"):
                    names[name] = None
        found = {name: getattr(cls, name, None) for name in names}
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
        self.states: dict[str, bool] = getattr(self, "states", {})
        self.pvdb: dict[str, PvpropertyData] = {}
        self.attr_pvdb: dict[str, PvpropertyData] = {}
        self.attr_to_pvname: dict[str, str] = {}
        self.groups: dict[str, PVGroup] = {}
        reads = type(self).group_read is not PVGroup.group_read
        writes = type(self).group_write is not PVGroup.group_write
        for attr in self._members_:
            declared = self._pvs_.get(attr)
            if declared is None:
                self._add_group(attr, self._subgroups_[attr].create(self, attr))
                continue
            spec = declared.pvspec
            suffix = spec.name if spec.name is not None else attr
            pvname = str(self.prefix + expand_macros(suffix, self.macros))
            channel = spec.create(self, pvname)
            if reads and channel.getter is None:
                channel.getter = self.group_read
            if writes and channel.putter is None:
                channel.putter = self.group_write
            self._add(attr, pvname, channel)

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

    async def group_read(self, instance: PvpropertyData) -> Value:
        """Override to serve the reads of all PVs that have no getter."""
        return instance.value

    async def group_write(self, instance: PvpropertyData, value: Value) -> Value:
        """Override to serve the writes of all PVs that have no putter."""
        return value

    def child_prefix(self, prefix: str) -> Expanded:
        """A prefix below this group's, expanded."""
        return Expanded(self.prefix + expand_macros(prefix, self.macros))
