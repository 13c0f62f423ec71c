"""What a scrape says, number by number, and what it must not do."""

import logging
import re
import threading
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ioc_ops.autosave import AutosaveHelper
from ioc_ops.metrics import AutosaveCollector, IocCollector, build_registry
from ioc_ops.metrics.families import AUTOSAVE_FAMILIES, IOC_FAMILIES, Kind
from ioc_ops.status import HostReading

HOST = HostReading(hostname="h", release="ioc_ops 9.9", engineer="Ada", location=None)


def registry_of(*collectors: object) -> CollectorRegistry:
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    return registry


@pytest.fixture
def registry(context: SimpleNamespace) -> CollectorRegistry:
    return registry_of(IocCollector(context, HOST, monotonic=lambda: 50.75))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epics_ioc_ready", 1),
        ("epics_ioc_start_timestamp_seconds", 1_700_000_000.5),
        ("epics_ioc_pvs", 3),
        ("epics_ioc_event_loop_heartbeat_age_seconds", 0.75),
        ("epics_ioc_event_loop_lag_max_seconds", 0.25),
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
        ("epics_ioc_ca_events_replaced_total", 105),
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
    assert registry.get_sample_value(name, {"ioc": 'sim "1"'}) == value


def test_no_metric_goes_untested(registry: CollectorRegistry) -> None:
    marks = test_every_number_is_the_one_of_the_server.pytestmark
    tested = {name for name, _value in marks[0].args[1]}
    by_label = {"epics_ioc_hook_failures_total", "epics_ioc_ca_messages_received_total"}
    assert {family.name for family in IOC_FAMILIES} == tested | by_label


def test_counters_by_kind_carry_the_kind_as_label(registry: CollectorRegistry) -> None:
    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {"ioc": 'sim "1"', **labels})

    assert value("epics_ioc_hook_failures_total", hook="putter") == 2
    for hook in ("getter", "startup", "shutdown", "scan", "restore", "save"):
        assert value("epics_ioc_hook_failures_total", hook=hook) == 0
    assert value("epics_ioc_ca_messages_received_total", command="SEARCH") == 5


@pytest.mark.parametrize("state", ["starting", "stopping"])
def test_an_ioc_that_is_not_ready_says_so(
    context: SimpleNamespace, registry: CollectorRegistry, state: str
) -> None:
    context.state = state
    assert registry.get_sample_value("epics_ioc_ready", {"ioc": 'sim "1"'}) == 0


def test_the_info_metric_names_versions_and_people(registry: CollectorRegistry) -> None:
    labels = {
        "ioc": 'sim "1"',
        "version": "ioc_ops 9.9",
        "engineer": "Ada",
        "location": "",
        "hostname": "h",
    }
    assert registry.get_sample_value("epics_ioc_info", labels) == 1


def test_registering_reads_nothing_and_claims_every_name() -> None:
    untouchable = SimpleNamespace()  # any access raises AttributeError
    registry = registry_of(IocCollector(untouchable, HOST), AutosaveCollector(untouchable))
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        registry.register(IocCollector(untouchable, HOST))


def test_before_the_first_sign_of_life_the_time_since_the_start_counts(
    context: SimpleNamespace,
) -> None:
    context.heartbeat = 0.0
    now = [1000.0]
    registry = registry_of(IocCollector(context, HOST, monotonic=lambda: now[0]))
    now[0] = 1002.0
    name = "epics_ioc_event_loop_heartbeat_age_seconds"
    assert registry.get_sample_value(name, {"ioc": 'sim "1"'}) == 2.0


def test_what_is_described_is_what_is_collected(context: SimpleNamespace) -> None:
    collector = IocCollector(context, HOST)
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
    collector = IocCollector(context, HOST)
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


def saved(**changes: object) -> SimpleNamespace:
    stats = {
        "saves": 12,
        "failures": 1,
        "last_success": 1_700_000_009.0,
        "last_duration": 0.02,
        "size": 2048,
        "pvs": 7,
        "restored": 6,
        "restore_failures": 1,
        "generations": 4,
        "carried": 3,
        "unsaved_since": 1_700_000_010.0,
        "hung": True,
    }
    return SimpleNamespace(**{**stats, **changes})


class Saver(AutosaveHelper):
    """A helper of which only the statistics matter here."""

    def __init__(self, prefix: str, stats: SimpleNamespace) -> None:
        self.prefix = prefix
        self.stats = stats


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("last_success_timestamp_seconds", 1_700_000_009.0),
        ("saves_total", 12),
        ("failures_total", 1),
        ("last_duration_seconds", 0.02),
        ("size_bytes", 2048),
        ("pvs", 7),
        ("restored_pvs", 6),
        ("restore_failures", 1),
        ("files", 4),
        ("carried_pvs", 3),
        ("unsaved_since_timestamp_seconds", 1_700_000_010.0),
        ("storage_hung", 1),
    ],
)
def test_autosave_numbers_are_those_of_its_helper(
    context: SimpleNamespace, name: str, value: float
) -> None:
    context.groups = [SimpleNamespace(stats=saved(pvs=99)), Saver("sim:as:", saved())]
    registry = registry_of(AutosaveCollector(context))
    labels = {"ioc": 'sim "1"', "helper": "sim:as:"}
    assert registry.get_sample_value(f"epics_ioc_autosave_{name}", labels) == value


def test_no_autosave_metric_goes_untested() -> None:
    marks = test_autosave_numbers_are_those_of_its_helper.pytestmark
    tested = {f"epics_ioc_autosave_{name}" for name, _value in marks[0].args[1]}
    assert {family.name for family in AUTOSAVE_FAMILIES} == tested


def test_two_helpers_are_told_apart(context: SimpleNamespace) -> None:
    context.groups = [Saver("a:", saved(pvs=1)), Saver("b:", saved(pvs=2))]
    registry = registry_of(AutosaveCollector(context))
    for helper, pvs in (("a:", 1), ("b:", 2)):
        labels = {"ioc": 'sim "1"', "helper": helper}
        assert registry.get_sample_value("epics_ioc_autosave_pvs", labels) == pvs


def test_helpers_that_come_later_are_found(context: SimpleNamespace) -> None:
    collector = AutosaveCollector(context)
    assert list(collector.collect()) == []
    context.groups = [Saver("a:", saved())]
    context.pvdb["a:status"] = None
    assert len(list(collector.collect())) == len(AUTOSAVE_FAMILIES)


def test_before_the_first_save_there_is_no_time_of_it(context: SimpleNamespace) -> None:
    context.groups = [Saver("a:", saved(last_success=0.0, saves=0, unsaved_since=0.0))]
    registry = registry_of(AutosaveCollector(context))
    labels = {"ioc": 'sim "1"', "helper": "a:"}
    for name in ("last_success", "unsaved_since"):
        metric = f"epics_ioc_autosave_{name}_timestamp_seconds"
        assert registry.get_sample_value(metric, labels) is None
    assert registry.get_sample_value("epics_ioc_autosave_saves_total", labels) == 0


def test_an_ioc_without_autosave_has_no_autosave_metrics(context: SimpleNamespace) -> None:
    assert list(AutosaveCollector(context).collect()) == []


@pytest.mark.parametrize(
    "family", [*IOC_FAMILIES, *AUTOSAVE_FAMILIES], ids=lambda family: family.name
)
def test_names_follow_the_prometheus_conventions(family: object) -> None:
    name = family.name
    assert re.fullmatch(r"epics_ioc_[a-z]+(_[a-z]+)*", name)
    assert name.endswith("_total") == (family.kind is Kind.COUNTER)
    unconventional = r"_(ms|us|milliseconds|kb|mb|kilobytes|percent|gauge|counter|count)(_total)?$"
    assert not re.search(unconventional, name)
    assert family.documentation.endswith(".")
    assert family.label not in ("type", "service", "env", "zone", "ioc", "job", "instance")
    # A unit stands at the end, before _total at most.
    unit = re.search(r"_(seconds|bytes)(?=_|$)", name)
    assert unit is None or re.fullmatch(r"(_total)?", name[unit.end() :])


def test_the_registry_of_an_ioc_is_whole_and_its_own(context: SimpleNamespace) -> None:
    first, second = build_registry(context, HOST), build_registry(context, HOST)
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
