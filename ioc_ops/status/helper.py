"""The status PVs of an IOC in one SubGroup."""

from ioc_ops.group import PVGroup, SubGroup
from ioc_ops.status.basic import BasicStatusHelper
from ioc_ops.status.periodic import PeriodicStatusHelper

__all__ = ["StatusHelper"]


class StatusHelper(PVGroup):
    """What iocStats serves, so that its operator screens work on this IOC unchanged.

    Use it as ``status = SubGroup(StatusHelper, prefix="Ioc:")``.
    """

    basic = SubGroup(BasicStatusHelper, prefix="")
    periodic = SubGroup(PeriodicStatusHelper, prefix="")
