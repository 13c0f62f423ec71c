"""What a scrape says, number by number, and what it must not do."""

import logging
import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ioc_ops.metrics import IocCollector, PvCollector, build_registry
from ioc_ops.metrics.collector import AutosaveCollector
from ioc_ops.metrics.families import IOC_FAMILIES, Kind
from ioc_ops.status import HostReading, MemoryTracingHelper

HOST = HostReading(hostname="h", release="ioc_ops 9.9", engineer="Ada", location=None)
IOC = {"ioc": 'sim "1"'}


@pytest.fixture
def registry(
    context: SimpleNamespace, registry_of: Callable[..., CollectorRegistry]
) -> CollectorRegistry:
    return registry_of(IocCollector(context, host=HOST, monotonic=lambda: 50.75))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epics_ioc_ready", 1),
        ("epics_ioc_start_timestamp_seconds", 1_700_000_000.5),
        ("epics_ioc_pvs", 3),
        ("epics_ioc_event_loop_heartbeat_age_seconds", 0.75),
        ("epics_ioc_event_loop_lag_max_seconds", 0.25),
        ("epics_ioc_tasks", 7),
        ("epics_ioc_task_failures_total", 1),
        ("epics_ioc_ca_circuits", 2),
        ("epics_ioc_ca_clients", 2),
        ("epics_ioc_ca_channels", 5),
        ("epics_ioc_ca_subscriptions", 5),
        ("epics_ioc_ca_circuits_congested", 0),
        ("epics_ioc_ca_received_bytes_total", 100),
        ("epics_ioc_ca_sent_bytes_total", 101),
        ("epics_ioc_ca_reads_total", 102),
        ("epics_ioc_ca_writes_total", 103),
        ("epics_ioc_ca_events_sent_total", 104),
        ("epics_ioc_ca_events_dropped_total", 105),
        ("epics_ioc_ca_searches_total", 106),
        ("epics_ioc_ca_search_hits_total", 107),
        ("epics_ioc_ca_protocol_errors_total", 108),
        ("epics_ioc_ca_access_denied_total", 109),
        ("epics_ioc_ca_beacons_sent_total", 110),
        ("epics_ioc_ca_connections_total", 111),
    ],
)
def test_every_number_is_the_one_of_the_server(
    registry: CollectorRegistry, name: str, value: float
) -> None:
    assert registry.get_sample_value(name, IOC) == value


def test_no_metric_goes_untested() -> None:
    marks = test_every_number_is_the_one_of_the_server.pytestmark
    tested = {name for name, _value in marks[0].args[1]}
    by_label = {family.name for family in IOC_FAMILIES if family.label}
    histograms = {family.name for family in IOC_FAMILIES if family.kind is Kind.HISTOGRAM}
    memory = {f"epics_ioc_tracemalloc_{what}_bytes" for what in ("current", "peak")}
    assert {family.name for family in IOC_FAMILIES} == tested | by_label | histograms | memory


def test_counters_by_kind_carry_the_kind_as_label(registry: CollectorRegistry) -> None:
    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {**IOC, **labels})

    assert value("epics_ioc_hook_failures_total", hook="putter") == 2
    for hook in ("getter", "startup", "shutdown", "scan", "restore", "save"):
        assert value("epics_ioc_hook_failures_total", hook=hook) == 0
    assert value("epics_ioc_ca_messages_received_total", command="SEARCH") == 5
    assert value("epics_ioc_ca_messages_received_total", command="READ_NOTIFY") == 0
    assert value("epics_ioc_ca_messages_sent_total", command="ERROR") == 6
    # Events are counted by themselves; confirmed cancellations have the same command.
    assert value("epics_ioc_ca_messages_sent_total", command="EVENT_ADD") == 105


@pytest.mark.parametrize("state", ["starting", "stopping"])
def test_an_ioc_that_is_not_ready_says_so(
    context: SimpleNamespace, registry: CollectorRegistry, state: str
) -> None:
    context.state = state
    assert registry.get_sample_value("epics_ioc_ready", IOC) == 0


def test_the_info_metric_names_versions_and_people(registry: CollectorRegistry) -> None:
    labels = {
        **IOC,
        "version": "ioc_ops 9.9",
        "engineer": "Ada",
        "location": "",
        "hostname": "h",
    }
    assert registry.get_sample_value("epics_ioc_info", labels) == 1


def test_registering_reads_nothing_and_claims_every_name(
    registry_of: Callable[..., CollectorRegistry],
) -> None:
    untouchable = SimpleNamespace()  # any access raises AttributeError
    registry = registry_of(
        IocCollector(untouchable, host=HOST),
        AutosaveCollector(untouchable),
        PvCollector(untouchable),
    )
    for again in (IocCollector(host=HOST), AutosaveCollector(), PvCollector()):
        with pytest.raises(ValueError, match="Duplicated timeseries"):
            registry.register(again)


def test_before_the_first_sign_of_life_the_time_since_the_start_counts(
    context: SimpleNamespace, registry_of: Callable[..., CollectorRegistry]
) -> None:
    context.heartbeat = 0.0
    now = [1000.0]
    registry = registry_of(IocCollector(context, host=HOST, monotonic=lambda: now[0]))
    now[0] = 1002.0
    assert registry.get_sample_value("epics_ioc_event_loop_heartbeat_age_seconds", IOC) == 2.0


def test_what_is_described_is_what_is_collected(context: SimpleNamespace) -> None:
    for collector in (IocCollector(context, host=HOST), PvCollector(context)):
        described = [(m.name, m.type, m.documentation) for m in collector.describe()]
        assert described == [(m.name, m.type, m.documentation) for m in collector.collect()]


def test_one_unreadable_number_costs_one_metric_and_one_line_of_log(
    context: SimpleNamespace, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    del context.counters.reads
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            text = generate_latest(registry).decode()
    assert 'epics_ioc_ca_reads_total{ioc="sim' not in text
    assert 'epics_ioc_ca_writes_total{ioc="sim \\"1\\""} 103.0' in text
    assert len(caplog.records) == 1
    assert "epics_ioc_ca_reads_total" in caplog.text


def test_a_scrape_survives_circuits_that_come_and_go_meanwhile(context: SimpleNamespace) -> None:
    class Circuit:
        user, client_host, congested = "ada", "desk", False

        def __init__(self) -> None:
            self.channels: dict[int, None] = {}
            self.subscription_count = 0

    context.circuits = circuits = {Circuit() for _ in range(50)}
    collector = IocCollector(context, host=HOST)
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            one = Circuit()
            circuits.add(one)
            circuits.discard(one)
            context.counters.hook_failures[str(len(context.counters.hook_failures) % 99)] = 1

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(100):
            metrics = {metric.name: metric for metric in collector.collect()}
            assert metrics["epics_ioc_ca_circuits"].samples[0].value in (50, 51)
            assert metrics["epics_ioc_hook_failures"].samples
    finally:
        stop.set()
        thread.join()


def test_several_iocs_of_a_process_are_told_apart(
    another: Callable[[str], SimpleNamespace],
) -> None:
    first, second = another("one"), another("two")
    second.counters.reads = 9
    registry = build_registry(first, second, host=HOST)
    assert registry.get_sample_value("epics_ioc_ca_reads_total", {"ioc": "one"}) == 102
    assert registry.get_sample_value("epics_ioc_ca_reads_total", {"ioc": "two"}) == 9
    assert registry.get_sample_value("epics_pv_export_dropped", {"ioc": "two"}) == 0
    text = generate_latest(registry).decode()
    assert text.count("# TYPE epics_ioc_ca_reads_total counter") == 1


def test_the_registry_of_an_ioc_is_whole_and_its_own(context: SimpleNamespace) -> None:
    first, second = build_registry(context, host=HOST), build_registry(context, host=HOST)
    assert first is not second
    text = generate_latest(first).decode()
    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"epics_ioc", "epics_ioc_info"} & names
    assert {"process_resident_memory_bytes", "process_open_fds", "python_info"} <= names
    assert any(name.startswith("python_gc_") for name in names)


def test_the_registry_reads_the_host_where_nobody_did(
    context: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINEER", "Grace")
    assert 'engineer="Grace"' in generate_latest(build_registry(context)).decode()


def test_traced_memory_is_what_the_helper_has_seen(
    context: SimpleNamespace, registry_of: Callable[..., CollectorRegistry]
) -> None:
    helper = MemoryTracingHelper("m:")
    registry = registry_of(IocCollector(context, host=HOST))

    def shown() -> list[float | None]:
        names = [f"epics_ioc_tracemalloc_{what}_bytes" for what in ("current", "peak")]
        return [registry.get_sample_value(name, IOC) for name in names]

    assert shown() == [None, None]
    context.groups = [helper]
    context.pvdb |= helper.pvdb
    assert shown() == [None, None]  # nothing is traced
    helper.traced_current, helper.traced_peak = 1000, 2000
    assert shown() == [1000.0, 2000.0]
