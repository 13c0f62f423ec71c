"""A PV as one circuit knows it."""

from ioc_ops.channel import AccessRights, ChannelData
from ioc_ops.server.subscription import CircuitFeed

__all__ = ["ServerChannel"]

_READ = int(AccessRights.READ)
_WRITE = int(AccessRights.WRITE)


class ServerChannel:
    """A PV as one circuit knows it."""

    __slots__ = (
        "channel",
        "cid",
        "readable",
        "rights",
        "sid",
        "subscriptions",
        "trapped",
        "writable",
    )

    def __init__(
        self,
        channel: ChannelData,
        cid: int,
        sid: int,
        rights: AccessRights,
        trapped: bool = False,
    ) -> None:
        self.channel = channel
        self.cid = cid
        self.sid = sid
        self.grant(rights)
        self.trapped = trapped  # puts are logged
        self.subscriptions: dict[int, CircuitFeed] | None = None

    def grant(self, rights: AccessRights) -> None:
        """What the client may do from now on."""
        self.rights = int(rights)  # the flags of enum take a microsecond for each `&`
        self.readable = bool(self.rights & _READ)
        self.writable = bool(self.rights & _WRITE)
