"""Status PVs of an IOC, and the probe that PVs and metrics read from."""

from ioc_ops.status.basic import BasicStatusHelper
from ioc_ops.status.helper import StatusHelper
from ioc_ops.status.host import Host, LocalHost
from ioc_ops.status.periodic import PeriodicStatusHelper
from ioc_ops.status.probe import ProcessProbe, read_clock, read_server
from ioc_ops.status.readings import (
    ClockReading,
    DescriptorReading,
    HostReading,
    LoadReading,
    MemoryReading,
    Readings,
    ServerReading,
)
from ioc_ops.status.table import TABLE, Period, StatusPv

__all__ = [
    "TABLE",
    "BasicStatusHelper",
    "ClockReading",
    "DescriptorReading",
    "Host",
    "HostReading",
    "LoadReading",
    "LocalHost",
    "MemoryReading",
    "Period",
    "PeriodicStatusHelper",
    "ProcessProbe",
    "Readings",
    "ServerReading",
    "StatusHelper",
    "StatusPv",
    "read_clock",
    "read_server",
]
