"""Our names beside the conventions of Prometheus, and our output beside its parsers."""

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from ioc_ops.metrics import AutosaveCollector, IocCollector, PvCollector, build_registry, expose
from ioc_ops.metrics.families import AUTOSAVE_FAMILIES, IOC_FAMILIES, PV_FAMILIES
from ioc_ops.server import PVGroup, pvproperty
from ioc_ops.status import HostReading

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
HOST = HostReading(hostname="h", release="ioc_ops 9.9")

OURS: list[Metric] = [
    metric
    for collector in (IocCollector(host=HOST), AutosaveCollector(), PvCollector())
    for metric in collector.describe()
]

_UNITS = ("seconds", "bytes")
_IN_SECONDS = {"duration", "lag", "age", "timestamp", "latency", "delay", "time"}
_IN_BYTES = {"size", "memory", "tracemalloc"}
_UNCONVENTIONAL = set(
    (
        "ms us ns millis milliseconds microseconds minutes hours days kb mb kilobytes megabytes "
        "bits percent gauge counter count metric timer"
    ).split()
)
_TAKEN_LABELS = ("type", "service", "env", "zone", "job", "instance", "le", "quantile", "result")


def faults(name: str, kind: str) -> Iterator[str]:
    """What is wrong with a name, as prometheus_client keeps it: without _total and _info."""
    words = name.split("_")
    if not re.fullmatch(r"epics_(ioc|pv)(_[a-z]+)*", name):
        yield "it begins with epics_ioc_ or epics_pv_, and has small letters only"
    if _UNCONVENTIONAL & set(words):
        yield "units are base units, and no name says the kind"
    if "total" in words:
        yield "only a counter is a total, and gets that word by itself"
    if any(unit in words[:-1] for unit in _UNITS):
        yield "a unit stands at the end"
    if (kind == "histogram" or _IN_SECONDS & set(words)) and words[-1] != "seconds":
        yield "times are in seconds"
    if _IN_BYTES & set(words) and words[-1] != "bytes":
        yield "sizes are in bytes"
    if "timestamp" in words and not name.endswith("_timestamp_seconds"):
        yield "a time of day is a _timestamp_seconds"


@pytest.mark.parametrize("metric", OURS, ids=lambda metric: metric.name)
def test_names_follow_the_prometheus_conventions(metric: Metric) -> None:
    assert list(faults(metric.name, metric.type)) == []


@pytest.mark.parametrize(
    "name",
    [
        "k2eg_pv_processing_duration_us",
        "epics_ioc_processing_duration_us",
        "epics_ioc_thread_throttle_ms",
        "epics_ioc_system_vmrss_kb",
        "epics_ioc_pv_gauge",
        "epics_ioc_backlog_total",
        "epics_ioc_seconds_of_lag",
        "epics_ioc_lag",
        "epics_ioc_memory",
        "epics_ioc_start_timestamp",
        "epics_ioc_pv1",
    ],
)
def test_names_as_others_have_them_would_be_found(name: str) -> None:
    assert list(faults(name, "gauge"))


@pytest.mark.parametrize("metric", OURS, ids=lambda metric: metric.name)
def test_every_metric_says_what_it_is(metric: Metric) -> None:
    assert re.match(r"[A-Z0-9]", metric.documentation)
    assert metric.documentation.endswith(".")
    assert "\n" not in metric.documentation


@pytest.mark.parametrize("metric", OURS, ids=lambda metric: metric.name)
def test_labels_are_ours_to_use(metric: Metric) -> None:
    labels = metric._labelnames
    assert labels[0] == "ioc"
    assert not set(labels) & set(_TAKEN_LABELS)
    assert len(labels) <= 3


def test_totals_are_counters_and_counters_are_totals() -> None:
    for family in (*IOC_FAMILIES, *AUTOSAVE_FAMILIES, *PV_FAMILIES):
        assert family.name.endswith("_total") == (family.kind.value == "counter"), family.name


@pytest.fixture
def whole(context: SimpleNamespace, make_saver: Callable[..., object]) -> SimpleNamespace:
    """A context that has something to say for every metric but the traced memory."""

    class Group(PVGroup):
        number = pvproperty(value=1.5)

    context.pvdb = Group(prefix='p"\\\n:').pvdb
    context.groups = [make_saver("a.json")]
    return context


def test_what_is_said_can_be_read_by_the_parser_of_the_text_format(whole: SimpleNamespace) -> None:
    text = expose(build_registry(whole, host=HOST, pvs=["*"]), "")[0].decode()
    found = {family.name: family for family in text_string_to_metric_families(text)}
    said = {metric.name: metric for metric in OURS if "tracemalloc" not in metric.name}
    for name, metric in said.items():
        assert metric.type == "info" or found[name].type == metric.type
        assert metric.type == "info" or found[name].samples
        assert metric.type == "info" or found[name].documentation == metric.documentation
    assert "epics_ioc_info" in found
    [sample] = found["epics_pv_value"].samples
    assert sample.labels == {"ioc": 'sim "1"', "pv": 'p"\\\n:number'}


def test_what_is_said_can_be_read_by_the_parser_of_openmetrics(whole: SimpleNamespace) -> None:
    whole.counters.read_latency.add("XF:31{Det:1}" + "x" * 200, 0.03)
    text = expose(build_registry(whole, host=HOST, pvs=["*"]), OPENMETRICS)[0].decode()
    found = {family.name: family for family in openmetrics_families(text)}
    for metric in OURS:
        assert found[metric.name].type == metric.type
        assert found[metric.name].samples or "tracemalloc" in metric.name
    assert text.endswith("# EOF\n")
