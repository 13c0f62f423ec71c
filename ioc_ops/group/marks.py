"""Finds PVs that are marked to be saved in an IOC where nobody saves them. Pure."""

from collections.abc import Iterable

from ioc_ops.channel import ChannelData
from ioc_ops.group.group import PVGroup
from ioc_ops.group.tree import root_of, root_of_pv

__all__ = ["unsaved_marks"]


def unsaved_marks(channels: Iterable[ChannelData], groups: Iterable[PVGroup]) -> list[str]:
    """Names of the PVs, or groups of PVs, whose mark has no effect.

    Args:
        channels: the PVs of the IOC.
        groups: their groups, and those around them.
    """
    every = list(groups)
    saved = {id(root_of(group)) for group in every if group.saves_marked}
    found = [
        channel.name
        for channel in channels
        if _is_mark(getattr(getattr(channel, "pvspec", None), "autosave", None))
        and id(root_of_pv(channel)) not in saved
    ]
    for group in every:
        if id(root_of(group)) not in saved:
            found += [
                group.groups[attr].prefix
                for attr, declared in type(group)._subgroups_.items()
                if _is_mark(declared.autosave) and attr in group.groups
            ]
    return found


def _is_mark(mark: object) -> bool:
    """Helpers that only recommend to save their PVs mark them with plain True, or field names."""
    return mark is not None and not isinstance(mark, bool | tuple)
