"""What filters take and give, and what they are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from ioc_ops.ca import ChannelType, EventMask
from ioc_ops.channel.data import ChannelData

__all__ = ["PROPERTY", "Filter", "Shape", "States", "Step", "Update"]

PROPERTY = int(EventMask.PROPERTY)

Shape = tuple[ChannelType, int]
"""Native type and largest count, as a client is told when it connects."""

States = Mapping[str, bool]
"""The states of an IOC by name, as they are at the moment."""


@dataclass(slots=True)
class Update:
    """An event on its way to a subscription, or a read (``db_field_log`` in EPICS Base).

    ``frame`` is the filters' own copy of the PV; ``events`` are those that caused the update
    and were asked for; ``arrived_ns`` is when it happened, in Unix nanoseconds.
    """

    frame: ChannelData
    events: int
    reading: bool
    arrived_ns: int


Step = Callable[[Update], Update | None]
"""A filter at work: the update, another one, or None to drop it."""


class Filter:
    """A filter as the client has set it; ``start`` gives it the state it needs."""

    late: ClassVar[bool] = False
    """Late filters follow all others, whatever the order in the name (``dbChannelOpen``)."""

    def shape(self, shown: Shape) -> Shape | None:
        """What a client sees of a channel of this shape; None leaves the filter out."""
        return shown

    def start(self) -> Step:
        """Begin with the first update of a subscription."""
        raise NotImplementedError
