"""The trees that groups make."""

from ioc_ops.group.group import PVGroup

__all__ = ["root_of", "root_of_pv"]


def root_of(group: PVGroup) -> PVGroup:
    """The group at the top of the tree that a group is in."""
    while group.parent is not None:
        group = group.parent
    return group


def root_of_pv(pv: object) -> PVGroup | None:
    """The same for a PV; None for one that belongs to no group."""
    group: PVGroup | None = getattr(pv, "group", None)
    return None if group is None else root_of(group)
