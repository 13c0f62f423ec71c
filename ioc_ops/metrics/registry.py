"""One registry per IOC: nothing is registered globally, so that IOCs can share a process."""

import os

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)

from ioc_ops.metrics.collector import AutosaveCollector, IocCollector
from ioc_ops.server import Context
from ioc_ops.status import HostReading, LocalHost, ProcessProbe

__all__ = ["build_registry"]


def build_registry(context: Context, host: HostReading | None = None) -> CollectorRegistry:
    """The registry of a running IOC: its own metrics and those of the process, GC and platform.

    Args:
        context: the IOC. It is read at each scrape, from the scrape's thread.
        host: engineer, location and versions for ``epics_ioc_info``; read here if not given.

    The result is a ``prometheus_client.CollectorRegistry``: users may register metrics of their
    own, and expose it by any means that library offers.
    """
    if host is None:
        host = ProcessProbe(LocalHost(), os.environ).host()
    registry = CollectorRegistry()
    registry.register(IocCollector(context, host))
    registry.register(AutosaveCollector(context))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry
