"""Prometheus metrics of a running IOC."""

from ioc_ops.metrics.autosave_sets import AutosaveSets, autosave_stats
from ioc_ops.metrics.collector import PV_LIMIT, AutosaveCollector, IocCollector, PvCollector
from ioc_ops.metrics.discovery import Registration, Target, read_targets
from ioc_ops.metrics.export import exported
from ioc_ops.metrics.exposition import expose
from ioc_ops.metrics.registry import build_registry

__all__ = [
    "PV_LIMIT",
    "AutosaveCollector",
    "AutosaveSets",
    "IocCollector",
    "PvCollector",
    "Registration",
    "Target",
    "autosave_stats",
    "build_registry",
    "exported",
    "expose",
    "read_targets",
]
