"""Turns counters into metrics at the moment of a scrape.

The server bumps plain integers and knows nothing of Prometheus; the scrape's thread reads them
without a lock. No code of the IOC's author runs here: no getter, no hook, no await.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from ioc_ops.autosave import AutosaveHelper
from ioc_ops.metrics.families import AUTOSAVE_FAMILIES, IOC_FAMILIES, Family, Kind, Scrape
from ioc_ops.server import Context
from ioc_ops.status import HostReading, read_server

__all__ = ["AutosaveCollector", "IocCollector"]

_log = logging.getLogger(__name__)

Source = TypeVar("Source")


def _empty(
    family: Family[Source], labels: Sequence[str]
) -> CounterMetricFamily | GaugeMetricFamily:
    names = [*labels, family.label] if family.label else labels
    kind = CounterMetricFamily if family.kind is Kind.COUNTER else GaugeMetricFamily
    return kind(family.name, family.documentation, labels=names)


class _Reader:
    """Reads a family from its sources; a reading that fails costs that family alone."""

    def __init__(self) -> None:
        self._reported: set[str] = set()

    def metric(
        self,
        family: Family[Source],
        labels: Sequence[str],
        sources: Sequence[tuple[tuple[str, ...], Source]],
    ) -> Metric:
        """``family`` filled with a sample for each of ``sources``, (label values, source)."""
        metric = _empty(family, labels)
        for values, source in sources:
            try:
                self._add(metric, family, values, source)
            except Exception as error:
                if family.name not in self._reported:
                    self._reported.add(family.name)
                    _log.warning(
                        "metrics: cannot read %s: %s: %s", family.name, type(error).__name__, error
                    )
        return metric

    @staticmethod
    def _add(
        metric: CounterMetricFamily | GaugeMetricFamily,
        family: Family[Source],
        values: tuple[str, ...],
        source: Source,
    ) -> None:
        number = family.read(source)
        if number is None:
            return
        if isinstance(number, Mapping):
            # The server may add a key meanwhile; copying a dict is one atomic step.
            for key, count in dict(number).items():
                metric.add_metric([*values, key], count)
        else:
            metric.add_metric(values, number)


class IocCollector(Collector):
    """The counters and counts of ``context``, labelled ``ioc="<name>"``.

    ``host`` gives the facts of ``epics_ioc_info``; ``monotonic`` the clock of ``heartbeat``.
    """

    def __init__(
        self, context: Context, host: HostReading, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._context = context
        self._host = host
        self._monotonic = monotonic
        # Until the loop gives its first sign of life, that it came here counts as one.
        self._began = monotonic()
        self._reader = _Reader()

    def describe(self) -> Iterator[Metric]:
        """Names and kinds without samples: registering reads nothing."""
        yield self._info()
        for family in IOC_FAMILIES:
            yield _empty(family, ["ioc"])

    def collect(self) -> Iterator[Metric]:
        """All metrics, from one look at the server."""
        info = self._info()
        host, name = self._host, self._context.name
        info.add_metric(
            [name],
            {
                "version": host.release or "",
                "engineer": host.engineer or "",
                "location": host.location or "",
                "hostname": host.hostname or "",
            },
        )
        yield info
        heartbeat = self._context.heartbeat or self._began
        silent = max(0.0, self._monotonic() - heartbeat)
        scrape = Scrape(self._context, read_server(self._context), silent)
        for family in IOC_FAMILIES:
            yield self._reader.metric(family, ["ioc"], [((name,), scrape)])

    @staticmethod
    def _info() -> InfoMetricFamily:
        about = "What this IOC is and who looks after it."
        return InfoMetricFamily("epics_ioc", about, labels=["ioc"])


class AutosaveCollector(Collector):
    """The statistics of every AutosaveHelper of ``context``, labelled by ``ioc`` and ``helper``.

    ``helper`` is the prefix of its PVs, which no other helper can have.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reader = _Reader()
        self._helpers: list[AutosaveHelper] = []
        self._pvs = -1

    def describe(self) -> Iterator[Metric]:
        """Names and kinds without samples: registering reads nothing."""
        for family in AUTOSAVE_FAMILIES:
            yield _empty(family, ["ioc", "helper"])

    def collect(self) -> Iterator[Metric]:
        """Nothing if no autosave is configured: an alert can then ask for its absence."""
        sources = [
            ((self._context.name, helper.prefix), helper.stats) for helper in self._find_helpers()
        ]
        if not sources:
            return
        for family in AUTOSAVE_FAMILIES:
            yield self._reader.metric(family, ["ioc", "helper"], sources)

    def _find_helpers(self) -> list[AutosaveHelper]:
        # The groups are found by way of every PV: not at each scrape of an IOC with 100,000.
        pvs = len(self._context.pvdb)
        if pvs != self._pvs:
            groups = self._context.groups
            self._helpers = [group for group in groups if isinstance(group, AutosaveHelper)]
            self._pvs = pvs
        return self._helpers
