"""One registry per process or IOC: nothing is registered globally, so that IOCs can share one."""

import os
from collections.abc import Sequence

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)

from ioc_ops.metrics.collector import PV_LIMIT, AutosaveCollector, IocCollector, PvCollector
from ioc_ops.server import Context
from ioc_ops.status import HostReading, LocalHost, ProcessProbe

__all__ = ["build_registry"]


def build_registry(
    *contexts: Context,
    host: HostReading | None = None,
    pvs: Sequence[str] = (),
    pv_limit: int = PV_LIMIT,
) -> CollectorRegistry:
    """The registry of a running IOC: its own metrics and those of the process, GC and platform.

    Args:
        contexts: the IOC, or several of one process, told apart by the label ``ioc``. They are
            read at each scrape, from the scrape's thread.
        host: engineer, location and versions for ``epics_ioc_info``; read here if not given.
        pvs: patterns of the names of PVs to export beside those marked with ``exported``;
            ``*`` and ``?`` stand for any text.
        pv_limit: PVs of one IOC that are exported at most.

    The result is a ``prometheus_client.CollectorRegistry``: users may register metrics of their
    own, and expose it by any means that library offers.
    """
    if host is None:
        host = ProcessProbe(LocalHost(), os.environ).host()
    registry = CollectorRegistry()
    registry.register(IocCollector(*contexts, host=host))
    registry.register(AutosaveCollector(*contexts))
    registry.register(PvCollector(*contexts, patterns=pvs, limit=pv_limit))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry
