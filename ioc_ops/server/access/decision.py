"""What access security says."""

from typing import NamedTuple

from ioc_ops.channel import AccessRights

__all__ = ["Decision"]


class Decision(NamedTuple):
    """What a client may do with a PV, and whether its puts are logged."""

    rights: AccessRights
    trapped: bool
