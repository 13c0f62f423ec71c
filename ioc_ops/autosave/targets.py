"""Which PVs of a group tree are saved, and under what names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ioc_ops.autosave.tag import AutosaveTag
from ioc_ops.channel import ChannelData
from ioc_ops.group import PVGroup, PvpropertyData
from ioc_ops.records import RecordFields

__all__ = ["Target", "find_targets", "root_of"]


@dataclass(frozen=True, slots=True)
class Target:
    """A PV to save, or a field of one."""

    #: Under which it stands in the file: the PV's name, or ``name.FIELD``.
    name: str
    channel: ChannelData
    put_on_restore: bool
    #: Under which it may stand in a file of caproto, which uses Python names of fields.
    alias: str | None = None


def root_of(group: PVGroup) -> PVGroup:
    """The group at the top of the tree that a group is in."""
    while group.parent is not None:
        group = group.parent
    return group


def find_targets(root: PVGroup) -> dict[str, Target]:
    """The tagged PVs of a tree, in the order of definition, each behind its tagged fields.

    Fields come first because they decide what the value may be: limits, names of states.
    A PV's own tag counts before that of a SubGroup it is in, that of an inner SubGroup before
    that of an outer one.
    """
    inherited = _tags_of_subgroups(root)
    targets: dict[str, Target] = {}
    for name, channel in root.pvdb.items():
        # A group's pvdb may hold PVs that no pvproperty made.
        spec = getattr(channel, "pvspec", None)
        mark = getattr(spec, "autosave", None)
        if isinstance(mark, tuple):
            fields_only = _fields(name, channel, AutosaveTag(mark))
            targets |= {target.name: target for target in fields_only}
            continue
        tag = _tag(mark) or inherited.get(name)
        if tag is not None:
            targets |= {target.name: target for target in _fields(name, channel, tag)}
            targets[name] = Target(name, channel, tag.put_on_restore)
    return targets


def _tags_of_subgroups(root: PVGroup) -> Mapping[str, AutosaveTag]:
    tags: dict[str, AutosaveTag] = {}
    # Outer groups stand before inner ones, which therefore have the last word.
    for group in (root, *root.groups.values()):
        for attr, subgroup in type(group)._subgroups_.items():
            tag = _tag(subgroup.autosave)
            if tag is not None and attr in group.groups:
                tags |= dict.fromkeys(group.groups[attr].pvdb, tag)
    return tags


def _tag(mark: object) -> AutosaveTag | None:
    """Brothers that may not import us, such as the status PVs, mark theirs with True.

    Or with a tuple of names: those fields are saved, and not the value.
    """
    if isinstance(mark, AutosaveTag):
        return mark
    return AutosaveTag(fields=()) if mark else None


def _fields(name: str, channel: ChannelData, tag: AutosaveTag) -> Iterator[Target]:
    fields = channel.fields if tag.fields and isinstance(channel, PvpropertyData) else None
    if not isinstance(fields, RecordFields):
        return  # of no record type
    for given in tag.fields:
        field = fields.name_of(given)
        if field is not None and field != "VAL":
            alias = f"{name}.{given}" if given != field else None
            yield Target(f"{name}.{field}", fields[field], tag.put_on_restore, alias)
