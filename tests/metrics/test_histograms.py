"""Histograms: cumulative, complete, and with the name of a PV as an example."""

from types import SimpleNamespace

import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from ioc_ops.metrics import build_registry
from ioc_ops.server import Latency
from ioc_ops.status import HostReading

LAG = "epics_ioc_event_loop_lag_seconds"
READ = "epics_ioc_ca_read_duration_seconds"


def samples_of(context: SimpleNamespace, name: str) -> list[Sample]:
    text = generate_openmetrics(build_registry(context, host=HostReading())).decode()
    [family] = [each for each in text_string_to_metric_families(text) if each.name == name]
    assert family.type == "histogram"
    return family.samples


def test_lags_are_counted_by_bucket_from_the_smallest_on(context: SimpleNamespace) -> None:
    samples = samples_of(context, LAG)
    buckets = {s.labels["le"]: s.value for s in samples if s.name.endswith("_bucket")}
    assert [*map(float, buckets)] == [*context.lag.bounds, float("inf")]
    assert (buckets["0.001"], buckets["0.005"], buckets["0.25"]) == (1, 2, 3)
    assert (buckets["10.0"], buckets["+Inf"]) == (3, 4)
    others = {s.name: s.value for s in samples if not s.name.endswith("_bucket")}
    assert others == {f"{LAG}_count": 4, f"{LAG}_sum": pytest.approx(30.2541)}


def test_an_example_names_the_pv_that_took_so_long(context: SimpleNamespace) -> None:
    context.counters.read_latency = latency = Latency(lambda: 1_700_000_000.25)
    latency.add("before", 0.03)
    latency.add("slow:pv", 0.04)
    latency.add("x" * 200, 99.0)
    found = {s.labels["le"]: s.exemplar for s in samples_of(context, READ) if "le" in s.labels}
    shown = {le: exemplar for le, exemplar in found.items() if exemplar is not None}
    assert shown.keys() == {"0.05", "+Inf"}
    assert shown["0.05"].labels == {"pv": "slow:pv"}
    assert (shown["0.05"].value, float(shown["0.05"].timestamp)) == (0.04, 1_700_000_000.25)
    # OpenMetrics: 128 characters for names and values of the labels together.
    assert shown["+Inf"].labels == {"pv": "x" * 126}


def test_without_openmetrics_there_are_no_examples(context: SimpleNamespace) -> None:
    text = generate_latest(build_registry(context, host=HostReading())).decode()
    assert f'{READ}_bucket{{ioc="sim \\"1\\"",le="0.25"}} 1.0\n' in text


def test_a_histogram_that_has_seen_nothing_is_all_there(context: SimpleNamespace) -> None:
    context.counters.read_latency = latency = Latency()
    samples = samples_of(context, READ)
    assert {sample.value for sample in samples} == {0.0}
    assert len(samples) == len(latency.counts) + 2
