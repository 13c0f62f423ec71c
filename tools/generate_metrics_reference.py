"""Writes docs/reference/metrics.md from the tables of metrics.

python tools/generate_metrics_reference.py          write it
python tools/generate_metrics_reference.py --check  exit with 1 when it would change
"""

import argparse
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import Metric

from ioc_ops.metrics import PV_LIMIT, AutosaveCollector, IocCollector, PvCollector
from ioc_ops.server import Latency
from ioc_ops.status import HostReading

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "metrics.md"

_HEAD = """\
# Metrics

<!-- Written by tools/generate_metrics_reference.py from ioc_ops.metrics: do not edit. -->

What `/metrics` of an IOC says; [how to have it scraped](../how-to/scrape-with-prometheus.md). Every
sample carries the label `ioc`, the name of the IOC: its prefix without the separator, or
`run(..., name=...)`. Counters count from the start of the IOC. Whoever asks for OpenMetrics gets
it. No scrape runs code of the IOC's author, and none waits for its event loop.
"""

_SECTIONS = (
    ("The IOC", "epics_ioc", ""),
    (
        "Channel Access",
        "epics_ioc_ca",
        "Reads and writes without hooks are answered in the tick in which they come, and are not "
        "timed. In OpenMetrics the buckets of both durations carry an exemplar: the PV of the "
        "newest operation in the bucket, as label `pv`.",
    ),
    (
        "Autosave",
        "epics_ioc_autosave",
        "The label `set` is the name of the save file without its suffix, or its path where two "
        "would have one name. An IOC without autosave has none of these.",
    ),
    (
        "Memory tracing",
        "epics_ioc_tracemalloc",
        "For IOCs with a `MemoryTracingHelper`, while it traces.",
    ),
    (
        "PVs",
        "epics_pv",
        "Of PVs that are marked with `exported()` or named by `--metrics-pvs`: single numbers, and "
        "states by their index. At most {limit} of an IOC unless `run(..., metrics_pv_limit=...)` "
        "says otherwise.",
    ),
)

_TAIL = """\
## Process, garbage collector, platform

`process_*` (CPU, memory, file descriptors, start time), `python_gc_*` and `python_info` are those
of [prometheus-client](https://prometheus.github.io/client_python/collector/), without the label
`ioc`.

## Buckets

The histograms have their buckets at {bounds} s.
"""


def main() -> int:
    """Write the page, or compare; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="change nothing")
    check: bool = parser.parse_args().check
    text = page()
    if check:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        return int(current != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


def metrics() -> list[Metric]:
    """All metrics of our own, without samples."""
    collectors = (IocCollector(host=HostReading()), AutosaveCollector(), PvCollector())
    return [metric for collector in collectors for metric in collector.describe()]


def exposed_name(metric: Metric) -> str:
    """The name as a query has it; of a histogram what its series begin with."""
    return metric.name + {"counter": "_total", "info": "_info"}.get(metric.type, "")


def page() -> str:
    """The page."""
    prefixes = [prefix for _, prefix, _ in _SECTIONS]
    by_prefix: dict[str, list[Metric]] = {prefix: [] for prefix in prefixes}
    for metric in metrics():
        name = exposed_name(metric)
        longest = max((p for p in prefixes if name.startswith(f"{p}_")), key=len)
        by_prefix[longest].append(metric)
    parts = [_HEAD]
    for title, prefix, about in _SECTIONS:
        said = textwrap.fill(about.format(limit=PV_LIMIT), 100) + "\n\n" if about else ""
        parts.append(f"## {title}\n\n{said}" + "\n".join(_table(by_prefix[prefix])) + "\n")
    bounds = ", ".join(f"{bound:g}" for bound in Latency().bounds)
    parts.append(_TAIL.format(bounds=bounds))
    return "\n".join(parts)


def _table(rows: list[Metric]) -> Iterator[str]:
    yield "| Metric | Kind | Further labels | Meaning |"
    yield "|--------|------|----------------|---------|"
    for metric in rows:
        names = metric._labelnames  # noqa: SLF001 - the library has no other way to ask
        labels = ", ".join(f"`{label}`" for label in names[1:])
        if metric.type == "info":
            labels = "`version`, `engineer`, `location`, `hostname`"
        yield f"| `{exposed_name(metric)}` | {metric.type} | {labels} | {metric.documentation} |"


if __name__ == "__main__":
    sys.exit(main())
