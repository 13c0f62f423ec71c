"""Turns counters into metrics at the moment of a scrape.

The server bumps plain integers and knows nothing of Prometheus; the scrape's thread reads them
without a lock. No code of the IOC's author runs here: no getter, no hook, no await.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from ioc_ops.channel import ChannelData
from ioc_ops.metrics.autosave_sets import AutosaveSets
from ioc_ops.metrics.export import Selection, select
from ioc_ops.metrics.exposition import PvMetric, PvRow, labels_of
from ioc_ops.metrics.families import AUTOSAVE_FAMILIES, IOC_FAMILIES, PV_FAMILIES, Scrape
from ioc_ops.metrics.pvdb import PvdbWatch, copy_of
from ioc_ops.metrics.reader import FamilyReader, empty_metric
from ioc_ops.server import Context
from ioc_ops.status import HostReading, MemoryTracingHelper, read_server

__all__ = ["PV_LIMIT", "AutosaveCollector", "IocCollector", "PvCollector"]

_log = logging.getLogger(__name__)

PV_LIMIT = 1000
"""PVs of one IOC that are exported at most, unless it says otherwise."""

_NAMED_PVS = 10


class _Ioc:
    """An IOC that is scraped, and what has been found in it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._watch: PvdbWatch | None = None
        self._memory: MemoryTracingHelper | None = None

    def changed(self) -> bool:
        """Whether PVs have come or gone since the last call; true at the first."""
        if self._watch is None:
            self._watch = PvdbWatch(self.context.pvdb)
        return self._watch.changed()

    def memory(self) -> MemoryTracingHelper | None:
        """The helper that traces memory: all would trace the same process."""
        # The groups are found by way of every PV: not at each scrape of an IOC with 100,000.
        if self.changed():
            groups = self.context.groups
            tracing = (group for group in groups if isinstance(group, MemoryTracingHelper))
            self._memory = next(tracing, None)
        return self._memory


class IocCollector(Collector):
    """The counters and counts of IOCs, labelled ``ioc="<name>"``.

    ``host`` gives the facts of ``epics_ioc_info``; ``monotonic`` the clock of ``heartbeat``.
    """

    def __init__(
        self,
        *contexts: Context,
        host: HostReading,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._iocs = [_Ioc(context) for context in contexts]
        self._host = host
        self._monotonic = monotonic
        # Until the loop gives its first sign of life, that it came here counts as one.
        self._began = monotonic()
        self._reader = FamilyReader()

    def describe(self) -> Iterator[Metric]:
        """Names and kinds without samples: registering reads nothing."""
        yield self._info()
        for family in IOC_FAMILIES:
            yield empty_metric(family, ["ioc"])

    def collect(self) -> Iterator[Metric]:
        """All metrics, from one look at each server."""
        info = self._info()
        host = self._host
        about = {
            "version": host.release or "",
            "engineer": host.engineer or "",
            "location": host.location or "",
            "hostname": host.hostname or "",
        }
        sources = []
        for ioc in self._iocs:
            info.add_metric([ioc.context.name], about)
            sources.append(((ioc.context.name,), self._look(ioc)))
        yield info
        for family in IOC_FAMILIES:
            yield self._reader.metric(family, ["ioc"], sources)

    def _look(self, ioc: _Ioc) -> Scrape:
        context = ioc.context
        silent = max(0.0, self._monotonic() - (context.heartbeat or self._began))
        return Scrape(context, read_server(context), silent, ioc.memory())

    @staticmethod
    def _info() -> InfoMetricFamily:
        about = "What this IOC is and who looks after it."
        return InfoMetricFamily("epics_ioc", about, labels=["ioc"])


class AutosaveCollector(Collector):
    """The statistics of every save set of IOCs, labelled by ``ioc`` and ``set``."""

    def __init__(self, *contexts: Context) -> None:
        self._iocs = [(context, AutosaveSets(context)) for context in contexts]
        self._reader = FamilyReader()

    def describe(self) -> Iterator[Metric]:
        """Names and kinds without samples: registering reads nothing."""
        for family in AUTOSAVE_FAMILIES:
            yield empty_metric(family, ["ioc", "set"])

    def collect(self) -> Iterator[Metric]:
        """Nothing if no autosave is configured: an alert can then ask for its absence."""
        sources = [
            ((context.name, name), stats)
            for context, sets in self._iocs
            for name, stats in sets.stats()
        ]
        if not sources:
            return
        for family in AUTOSAVE_FAMILIES:
            yield self._reader.metric(family, ["ioc", "set"], sources)


@dataclass(slots=True)
class _Exporting:
    """An IOC, and what of it is exported."""

    ioc: _Ioc
    sources: list[tuple[PvRow, ChannelData]] = field(default_factory=list)
    dropped: int = 0


class PvCollector(Collector):
    """Value, severity and time of the exported PVs of IOCs, labelled by ``ioc`` and ``pv``.

    Args:
        contexts: the IOCs.
        patterns: of the names of PVs to export beside those that are marked with ``exported``.
        limit: PVs of one IOC that are exported at most.
    """

    def __init__(
        self, *contexts: Context, patterns: Sequence[str] = (), limit: int = PV_LIMIT
    ) -> None:
        self._iocs = [_Exporting(_Ioc(context)) for context in contexts]
        self._patterns = tuple(patterns)
        self._limit = limit
        self._reported: set[str] = set()
        self._reader = FamilyReader()

    def describe(self) -> Iterator[Metric]:
        """Names and kinds without samples: registering reads nothing."""
        for family in PV_FAMILIES:
            yield PvMetric(family.name, family.documentation, [])
        yield self._dropped()

    def collect(self) -> Iterator[Metric]:
        """What the PVs have; whatever becomes of their IOC meanwhile."""
        for exporting in self._iocs:
            self._follow(exporting)
        sources = [source for exporting in self._iocs for source in exporting.sources]
        for family in PV_FAMILIES:
            values = self._reader.values(family, sources)
            yield PvMetric(family.name, family.documentation, values)
        dropped = self._dropped()
        for exporting in self._iocs:
            dropped.add_metric([exporting.ioc.context.name], exporting.dropped)
        yield dropped

    def _follow(self, exporting: _Exporting) -> None:
        context = exporting.ioc.context
        pvdb = context.pvdb
        replaced = any(pvdb.get(row[1]) is not pv for row, pv in exporting.sources)
        if exporting.ioc.changed() or replaced:
            selection = select(copy_of(pvdb), self._patterns, self._limit)
            self._report(context.name, selection)
            exporting.dropped = selection.dropped
            exporting.sources = [
                (labels_of(context.name, name), pv) for name, pv in selection.pvs.items()
            ]

    def _report(self, ioc: str, selection: Selection) -> None:
        """Say once what is not as its author may think."""
        what = "only single numbers and states are exported, not"
        texts = {f"{ioc}: {what} {name}" for name in selection.unfit[:_NAMED_PVS]}
        texts |= {f"{ioc}: no PV fits {pattern!r}" for pattern in selection.unused}
        if selection.dropped:
            texts.add(f"{ioc}: more than {self._limit} PVs are to be exported")
        for text in sorted(texts - self._reported):
            _log.warning("metrics: %s", text)
        self._reported |= texts

    @staticmethod
    def _dropped() -> GaugeMetricFamily:
        about = "PVs that are to be exported and are not, because there are too many."
        return GaugeMetricFamily("epics_pv_export_dropped", about, labels=["ioc"])
