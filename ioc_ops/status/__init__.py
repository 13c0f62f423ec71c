"""Status PVs of an IOC, and the probe that PVs and metrics read from."""

from ioc_ops.status.basic import BasicStatusHelper
from ioc_ops.status.host import Host, LocalHost
from ioc_ops.status.memory import MemoryTracingHelper
from ioc_ops.status.memory_trace import TRACEMALLOC_FILTERS, get_top_allocation_info
from ioc_ops.status.periodic import PeriodicStatusHelper
from ioc_ops.status.probe import ProcessProbe, read_clock, read_server
from ioc_ops.status.readings import (
    ClockReading,
    DescriptorReading,
    HostReading,
    LoadReading,
    LoopReading,
    MemoryReading,
    QueueReading,
    QueuesReading,
    Readings,
    ServerReading,
    TimeReading,
    TrafficReading,
)
from ioc_ops.status.row import Period, StatusPv
from ioc_ops.status.statistics import StatisticsHelper
from ioc_ops.status.status_helper import StatusHelper
from ioc_ops.status.table import TABLE

__all__ = [
    "TABLE",
    "TRACEMALLOC_FILTERS",
    "BasicStatusHelper",
    "ClockReading",
    "DescriptorReading",
    "Host",
    "HostReading",
    "LoadReading",
    "LocalHost",
    "LoopReading",
    "MemoryReading",
    "MemoryTracingHelper",
    "Period",
    "PeriodicStatusHelper",
    "ProcessProbe",
    "QueueReading",
    "QueuesReading",
    "Readings",
    "ServerReading",
    "StatisticsHelper",
    "StatusHelper",
    "StatusPv",
    "TimeReading",
    "TrafficReading",
    "get_top_allocation_info",
    "read_clock",
    "read_server",
]
