"""Metrics as text. Those of PVs are many and all alike, and get their lines a short way.

prometheus_client takes some 20 microseconds for each sample, which comes to 60 ms for 1,000 PVs.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

__all__ = ["PvMetric", "PvRow", "expose", "labels_of"]

_EOF = b"# EOF\n"
_OTHER_WORDS = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}

PvRow = tuple[str, str, str]
"""Of one PV: name of the IOC, name of the PV, and both as they stand in a line."""


def labels_of(ioc: str, pv: str) -> PvRow:
    """The labels of a PV's samples, made once and used at every scrape."""
    return ioc, pv, f'{{ioc="{_escaped(ioc)}",pv="{_escaped(pv)}"}}'


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


class PvMetric(Metric):
    """A gauge with a sample for each PV; for any other encoder a metric like all."""

    def __init__(self, name: str, documentation: str, values: Sequence[tuple[PvRow, float]]):
        super().__init__(name, documentation, "gauge")
        self._values = values
        self._labelnames = ("ioc", "pv")

    @property
    def samples(self) -> list[Sample]:
        """As of any metric."""
        return [
            Sample(self.name, {"ioc": ioc, "pv": pv}, value)
            for (ioc, pv, _line), value in self._values
        ]

    @samples.setter
    def samples(self, samples: list[Sample]) -> None:
        """Set by the base class, before there are any."""

    def text(self) -> str:
        """HELP, TYPE and samples: the same in both formats."""
        name, lines = self.name, []
        for (_ioc, _pv, labels), value in self._values:
            number = repr(value)
            lines.append(f"{name}{labels} {_OTHER_WORDS.get(number, number)}\n")
        return f"# HELP {name} {self.documentation}\n# TYPE {name} gauge\n" + "".join(lines)


class _Metrics(Collector):
    """What has been collected already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def expose(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """The text of all metrics, and its content type.

    Args:
        registry: of what is to be said.
        accept: the header of that name, by which the format is chosen.
    """
    encode: Callable[[Collector], bytes]
    encode, content_type = choose_encoder(accept)
    own: list[PvMetric] = []
    text = encode(_Metrics(_others(registry, own)))
    end = _EOF if text.endswith(_EOF) else b""
    parts = [text.removesuffix(end), *[metric.text().encode() for metric in own], end]
    return b"".join(parts), content_type


def _others(registry: CollectorRegistry, own: list[PvMetric]) -> Iterator[Metric]:
    for metric in registry.collect():
        if isinstance(metric, PvMetric):
            own.append(metric)
        else:
            yield metric
