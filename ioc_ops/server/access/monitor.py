"""Inputs of access rules: PVs of this IOC, watched."""

import struct
from collections.abc import Callable

from ioc_ops.ca import ChannelType, EventMask
from ioc_ops.channel import AlarmSeverity, ChannelData
from ioc_ops.errors import ChannelError

__all__ = ["InputWatch"]

_STS_DOUBLE = int(ChannelType.STS_DOUBLE)
_unpack = struct.Struct(">hh4xd").unpack_from


class InputWatch:
    """Follows one PV; subscribed to it as a Feed."""

    __slots__ = ("_tell", "channel", "mask", "pv")

    def __init__(
        self, channel: ChannelData, pv: ChannelData, tell: Callable[[float | None], None]
    ) -> None:
        """Watch, and tell the value at once.

        Args:
            channel: the PV, or a view of it, which may put something else in this place.
            pv: the PV itself.
            tell: takes the value of its first element; None while it is INVALID or no number.
        """
        self.mask = int(EventMask.VALUE | EventMask.ALARM)
        self.channel = channel
        self.pv = pv
        self._tell = tell
        channel.subscribe(self)
        self.post()

    def post(self) -> None:
        """The PV has news."""
        try:
            payload, _ = self.channel.payload(_STS_DOUBLE, 1)
        except ChannelError:
            self._tell(None)
            return
        _, severity, value = _unpack(payload)
        self._tell(None if severity == AlarmSeverity.INVALID_ALARM else value)

    def end(self) -> None:
        """Watch no more."""
        self.channel.unsubscribe(self)
