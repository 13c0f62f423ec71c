"""Event masks under the names that ``caproto`` and ``caeventmask.h`` have for them."""

from enum import IntFlag

from ioc_ops.channel import EventMask

__all__ = ["SubscriptionType"]


class SubscriptionType(IntFlag):
    """``EventMask`` as IOCs spell it: ``publish(SubscriptionType.DBE_VALUE)``."""

    DBE_VALUE = EventMask.VALUE
    DBE_LOG = EventMask.LOG
    DBE_ALARM = EventMask.ALARM
    DBE_PROPERTY = EventMask.PROPERTY
