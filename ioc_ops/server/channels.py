"""A PV as one circuit knows it."""

from ioc_ops.channel import AccessRights, ChannelData
from ioc_ops.server.subscription import CircuitFeed

__all__ = ["ServerChannel"]


class ServerChannel:
    """A PV as one circuit knows it."""

    __slots__ = ("channel", "cid", "rights", "sid", "subscriptions", "trapped", "writable")

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
        self.rights = rights
        self.writable = bool(rights & AccessRights.WRITE)
        self.trapped = trapped  # puts are logged
        self.subscriptions: dict[int, CircuitFeed] | None = None
