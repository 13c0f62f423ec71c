"""Prometheus metrics of a running IOC."""

from ioc_ops.metrics.collector import AutosaveCollector, IocCollector
from ioc_ops.metrics.registry import build_registry

__all__ = ["AutosaveCollector", "IocCollector", "build_registry"]
