"""Reads a row of the tables into a metric of prometheus_client."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

from prometheus_client.core import (
    CounterMetricFamily,
    Exemplar,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.utils import floatToGoString

from ioc_ops.metrics.families import Durations, Family, Kind
from ioc_ops.server import Latency

__all__ = ["FamilyReader", "empty_metric"]

_log = logging.getLogger(__name__)

Source = TypeVar("Source")
Key = TypeVar("Key")

_Filled = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
_KINDS: dict[Kind, type[_Filled]] = {
    Kind.COUNTER: CounterMetricFamily,
    Kind.GAUGE: GaugeMetricFamily,
    Kind.HISTOGRAM: HistogramMetricFamily,
}

# OpenMetrics: names and values of an exemplar's labels have 128 characters together.
_LABEL = "pv"
_LONGEST_EXAMPLE = 128 - len(_LABEL)


def empty_metric(family: Family[Source], labels: Sequence[str]) -> _Filled:
    """The metric without samples: reads nothing."""
    names = [*labels, family.label] if family.label else labels
    return _KINDS[family.kind](family.name, family.documentation, labels=names)


class FamilyReader:
    """Reads a family from its sources; a reading that fails costs that sample alone."""

    def __init__(self) -> None:
        """Nothing has failed yet."""
        self._reported: set[str] = set()

    def metric(
        self,
        family: Family[Source],
        labels: Sequence[str],
        sources: Iterable[tuple[tuple[str, ...], Source]],
    ) -> Metric:
        """``family`` filled with a sample for each of ``sources``, (label values, source)."""
        metric = empty_metric(family, labels)
        for values, source in sources:
            try:
                _add(metric, family, values, source)
            except Exception as error:
                self._report(family, error)
        return metric

    def values(
        self, family: Family[Source], sources: Iterable[tuple[Key, Source]]
    ) -> list[tuple[Key, float]]:
        """The plain numbers of ``sources``, each with its key; of families that have no others."""
        read, found = family.read, []
        for key, source in sources:
            try:
                found.append((key, float(read(source))))  # type: ignore[arg-type]
            except Exception as error:
                self._report(family, error)
        return found

    def _report(self, family: Family[Source], error: Exception) -> None:
        if family.name not in self._reported:
            self._reported.add(family.name)
            _log.warning(
                "metrics: cannot read %s: %s: %s", family.name, type(error).__name__, error
            )


def _add(metric: _Filled, family: Family[Source], values: tuple[str, ...], source: Source) -> None:
    number = family.read(source)
    if number is None:
        return
    if isinstance(metric, HistogramMetricFamily):
        assert not isinstance(number, float | Mapping)  # noqa: S101 - what the tables say
        metric.add_metric(values, _buckets(number), sum_value=number.total)
    elif isinstance(number, Mapping):
        # The server may add a key meanwhile; copying a dict is one atomic step.
        for key, count in dict(number).items():
            metric.add_metric([*values, key], count)
    else:
        assert isinstance(number, int | float)  # noqa: S101 - what the tables say
        metric.add_metric(values, number)


def _buckets(durations: Durations) -> list[tuple[str, float] | tuple[str, float, Exemplar]]:
    """Cumulative, with the example of each bucket that has one."""
    ends = [*map(floatToGoString, durations.bounds), "+Inf"]
    counts = list(accumulate(durations.counts))
    examples = durations.examples if isinstance(durations, Latency) else [None] * len(ends)
    return [
        (end, count)
        if example is None
        else (end, count, Exemplar({_LABEL: example[0][:_LONGEST_EXAMPLE]}, example[1], example[2]))
        for end, count, example in zip(ends, counts, list(examples), strict=True)
    ]
