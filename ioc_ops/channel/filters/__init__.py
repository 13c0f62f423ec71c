"""Channel filters of EPICS Base 7: what they do with the updates of one subscription."""

from ioc_ops.channel.filters.table import FILTERS, make_filter
from ioc_ops.channel.filters.update import Filter, Shape, States, Step, Update

__all__ = ["FILTERS", "Filter", "Shape", "States", "Step", "Update", "make_filter"]
