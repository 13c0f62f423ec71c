"""Which PVs of a group tree are saved, under what names, and in which save sets."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ioc_ops.autosave.tag import AutosaveTag
from ioc_ops.channel import ChannelData
from ioc_ops.group import PVGroup, PvpropertyData
from ioc_ops.records import RecordFields

__all__ = ["Target", "find_targets", "target_of_name", "target_of_pv", "targets_of"]


@dataclass(frozen=True, slots=True)
class Target:
    """A PV to save, or a field of one."""

    #: Under which it stands in the file: the PV's name, or ``name.FIELD``.
    name: str
    channel: ChannelData
    put_on_restore: bool
    #: Under which it may stand in a file of caproto, which uses Python names of fields.
    alias: str | None = None
    #: Names of the save sets that save it.
    sets: tuple[str, ...] = AutosaveTag().sets


def find_targets(root: PVGroup) -> dict[str, Target]:
    """The tagged PVs of a tree, in the order of definition, each behind its tagged fields.

    Fields come first because they decide what the value may be: limits, names of states.
    A PV's own tag counts before that of a SubGroup it is in, that of an inner SubGroup before
    that of an outer one.
    """
    inherited = _tags_of_subgroups(root)
    return {
        target.name: target
        for name, channel in root.pvdb.items()
        for target in _targets(name, channel, inherited.get(name))
    }


def targets_of(channel: ChannelData) -> list[Target]:
    """What `find_targets` has for one PV of the tree."""
    name = channel.name
    return list(_targets(name, channel, _tag_of_outer_group(getattr(channel, "group", None))))


def target_of_name(root: PVGroup, name: str, sets: Iterable[str]) -> Target | None:
    """The PV or field of a tree that a request file names; None if there is none."""
    channel: ChannelData | None = root.pvdb.get(name)
    if channel is None:
        record, _, field = name.rpartition(".")
        channel = _field_of(root.pvdb.get(record), field)
    return None if channel is None else Target(name, channel, False, sets=tuple(sets))


def target_of_pv(pv: ChannelData, name: str, sets: Iterable[str]) -> Target | None:
    """The same where it is this PV or a field of it, whether or not a tree has it by now."""
    channel = pv if name == pv.name else None
    if name.startswith(f"{pv.name}."):
        channel = _field_of(pv, name.removeprefix(f"{pv.name}."))
    return None if channel is None else Target(name, channel, False, sets=tuple(sets))


def _field_of(pv: ChannelData | None, field: str) -> ChannelData | None:
    fields: Mapping[str, ChannelData] = getattr(pv, "fields", {})
    return fields[field] if field in fields else None


def _targets(name: str, channel: ChannelData, inherited: AutosaveTag | None) -> Iterator[Target]:
    # A group's pvdb may hold PVs that no pvproperty made.
    spec = getattr(channel, "pvspec", None)
    if spec is not None and name != channel.name:
        return  # an alias: the PV is saved under its own name
    tag = _tag(getattr(spec, "autosave", None)) or inherited
    if tag is None:
        return
    if tag.fields and getattr(spec, "record_type", None) is not None:
        yield from _fields(name, channel, tag)
    if tag.value:
        yield Target(name, channel, tag.put_on_restore, sets=tag.sets)


def _tags_of_subgroups(root: PVGroup) -> Mapping[str, AutosaveTag]:
    tags: dict[str, AutosaveTag] = {}
    # Outer groups stand before inner ones, which therefore have the last word.
    for group in (root, *root.groups.values()):
        for attr, subgroup in type(group)._subgroups_.items():
            tag = _tag(subgroup.autosave)
            if tag is not None and attr in group.groups:
                tags |= dict.fromkeys(group.groups[attr].pvdb, tag)
    return tags


def _tag_of_outer_group(group: PVGroup | None) -> AutosaveTag | None:
    """The tag of the innermost SubGroup around a group that has one."""
    while group is not None and group.parent is not None:
        outer = group.parent
        for attr, subgroup in type(outer)._subgroups_.items():
            if outer.groups.get(attr) is group and (tag := _tag(subgroup.autosave)):
                return tag
        group = outer
    return None


def _tag(mark: object) -> AutosaveTag | None:
    """Brothers that may not import us, such as the status PVs, mark theirs with True.

    Or with a tuple of names: those fields are saved, and not the value.
    """
    if isinstance(mark, AutosaveTag):
        return mark
    if isinstance(mark, tuple):
        return AutosaveTag(mark, value=False)
    return AutosaveTag(fields=()) if mark else None


def _fields(name: str, channel: ChannelData, tag: AutosaveTag) -> Iterator[Target]:
    fields = channel.fields if isinstance(channel, PvpropertyData) else None
    if not isinstance(fields, RecordFields):
        return
    for given in tag.fields:
        field = fields.name_of(given)
        if field is not None and field != "VAL":
            alias = f"{name}.{given}" if given != field else None
            yield Target(f"{name}.{field}", fields[field], tag.put_on_restore, alias, tag.sets)
