"""PVs as metrics: which, how many, and what they show."""

import math
import threading
from collections.abc import Callable, Iterable
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from ioc_ops.channel import AlarmSeverity, AlarmStatus, ChannelDouble
from ioc_ops.errors import DefinitionError
from ioc_ops.metrics import PvCollector, build_registry, exported, expose
from ioc_ops.metrics.export import select
from ioc_ops.server import Context, PVGroup, SubGroup, pvproperty
from ioc_ops.status import HostReading

OPENMETRICS = "application/openmetrics-text;version=1.0.0"


class Valve(IntEnum):
    SHUT = 0
    OPEN = 1


class Motor(PVGroup):
    position = pvproperty(value=2.5)
    label = pvproperty(value="x")
    steps = pvproperty(value=[1, 2])


class Plant(PVGroup):
    level = exported(pvproperty(value=1.5, upper_alarm_limit=3.0))
    count = exported(pvproperty(value=7))
    valve = exported(pvproperty(value=Valve.OPEN))
    on = exported(pvproperty(value=True))
    other = pvproperty(value=0.0)
    name_ = pvproperty(value="text", name="text")
    motor = exported(SubGroup(Motor))
    second = SubGroup(Motor)


@pytest.fixture
def plant() -> Plant:
    return Plant(prefix="p:")


def registry_of(pvdb: Any, *patterns: str, **options: Any) -> CollectorRegistry:
    registry = CollectorRegistry()
    context = Context(pvdb, name="p")
    registry.register(PvCollector(context, patterns=patterns, **options))
    return registry


def values(registry: CollectorRegistry, name: str = "epics_pv_value") -> dict[str, float]:
    families = text_string_to_metric_families(expose(registry, "")[0].decode())
    return {
        sample.labels["pv"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == name
    }


def dropped(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("epics_pv_export_dropped", {"ioc": "p"})


def test_marked_pvs_show_numbers_and_the_index_of_states(plant: Plant) -> None:
    assert values(registry_of(plant.pvdb)) == {
        "p:level": 1.5,
        "p:count": 7,
        "p:valve": 1,
        "p:on": 1,
        "p:motor:position": 2.5,
    }


def test_nothing_is_shown_unless_somebody_wants_it() -> None:
    registry = registry_of(Motor(prefix="m:").pvdb)
    assert values(registry) == {}
    assert dropped(registry) == 0


@pytest.mark.parametrize(
    ("patterns", "more"),
    [
        (("p:oth*",), {"p:other"}),
        (("p:*",), {"p:other", "p:second:position"}),
        (("*:posit?on",), {"p:second:position"}),
        (("p:other", "p:second:*"), {"p:other", "p:second:position"}),
        (("p:OTHER", "other"), set()),
    ],
)
def test_patterns_name_more(plant: Plant, patterns: tuple[str, ...], more: set[str]) -> None:
    marked = values(registry_of(plant.pvdb)).keys()
    assert values(registry_of(plant.pvdb, *patterns)).keys() - marked == more


def test_severity_and_time_are_those_of_the_pv(plant: Plant) -> None:
    plant.level.alarm.change(AlarmStatus.HIHI, AlarmSeverity.MAJOR_ALARM)
    registry = registry_of(plant.pvdb)
    severities = values(registry, "epics_pv_alarm_severity")
    assert (severities["p:level"], severities["p:count"]) == (2, 0)
    times = values(registry, "epics_pv_update_timestamp_seconds")
    assert times["p:level"] == plant.level.timestamp


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 1e-300, -0.0, 1e22])
def test_every_number_can_be_said(plant: Plant, number: float) -> None:
    plant.level.restore(number)
    shown = values(registry_of(plant.pvdb))["p:level"]
    assert repr(shown) == repr(number)


def test_no_getter_runs_and_no_value_is_touched() -> None:
    async def get(group: object, instance: object) -> float:
        raise AssertionError("a scrape must not run it")

    class Sly(ChannelDouble):
        @property
        def value(self) -> float:
            raise AssertionError("a scrape must not run it")

    class Ioc(PVGroup):
        x = pvproperty(get, value=4.0)

    pvdb = {**Ioc(prefix="p:").pvdb, "p:sly": Sly(5.0, name="p:sly")}
    assert values(registry_of(pvdb, "*")) == {"p:x": 4.0, "p:sly": 5.0}


def test_beyond_the_limit_pvs_are_dropped_and_counted_and_the_marked_ones_stay(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    registry = registry_of(plant.pvdb, "p:other", "p:second:*", limit=6)
    for _ in range(2):
        assert values(registry).keys() >= {"p:level", "p:motor:position", "p:other"}
        assert dropped(registry) == 1
    assert caplog.messages == ["metrics: p: more than 6 PVs are to be exported"]


def test_the_limit_is_1000_unless_said_otherwise() -> None:
    pvdb = {f"x{n}": ChannelDouble(0.0, name=f"x{n}") for n in range(1003)}
    registry = registry_of(pvdb, "x*")
    assert len(values(registry)) == 1000
    assert dropped(registry) == 3


def test_what_cannot_be_shown_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    class Ioc(PVGroup):
        label = exported(pvproperty(value="text"))
        curve = exported(pvproperty(value=[1.0, 2.0]))
        text = pvproperty(value="text")  # a pattern may well fit what has no number

    registry = registry_of(Ioc(prefix="p:").pvdb, "*text", "q:*")
    for _ in range(2):
        assert values(registry) == {}
    assert caplog.messages == [
        "metrics: p: no PV fits 'q:*'",
        "metrics: p: only single numbers and states are exported, not p:curve",
        "metrics: p: only single numbers and states are exported, not p:label",
    ]


def test_pvs_that_come_and_go_are_followed(plant: Plant) -> None:
    registry = registry_of(plant.pvdb, "p:new*")
    assert "p:new1" not in values(registry)
    plant.add_pv("new1", pvproperty(value=1.0))
    plant.motor.add_pv("more", pvproperty(value=2.0))
    assert values(registry).items() >= {"p:new1": 1.0, "p:motor:more": 2.0}.items()
    plant.remove_pv("new1")
    plant.add_pv("new2", exported(pvproperty(value=3.0)))  # as many as before
    shown = values(registry)
    assert shown["p:new2"] == 3.0
    assert "p:new1" not in shown


def test_a_pv_in_the_place_of_another_is_shown(plant: Plant) -> None:
    pvdb = dict(plant.pvdb)
    registry = registry_of(pvdb)
    assert values(registry)["p:level"] == 1.5
    pvdb["p:level"] = Plant(prefix="p:").level
    pvdb["p:level"].restore(2.0)
    assert values(registry)["p:level"] == 2.0


def test_marking_what_another_class_owns_leaves_that_alone() -> None:
    class Other(PVGroup):
        position = exported(Motor.position)

    assert values(registry_of(Other(prefix="o:").pvdb)) == {"o:position": 2.5}
    assert values(registry_of(Motor(prefix="m:").pvdb)) == {}


@pytest.mark.parametrize("wrong", [None, 1.0, Motor, ChannelDouble(1.0)])
def test_only_declarations_can_be_marked(wrong: Any) -> None:
    with pytest.raises(DefinitionError, match=r"exported\(\) takes a pvproperty or a SubGroup"):
        exported(wrong)


def test_select_keeps_the_order_of_definition(plant: Plant) -> None:
    found = select(plant.pvdb, ["p:second:*", "p:other"], limit=100)
    assert list(found.pvs) == [
        *["p:level", "p:count", "p:valve", "p:on", "p:motor:position"],
        *["p:other", "p:second:position"],
    ]


def test_the_short_way_says_what_prometheus_client_would_say(
    plant: Plant, context: SimpleNamespace
) -> None:
    weird = 'p:"\\\n{Det:1}'
    context.pvdb = {**plant.pvdb, weird: ChannelDouble(math.nan, name=weird)}
    registry = build_registry(context, host=HostReading(), pvs=["*"])

    def said(text: str, parse: Callable[[str], Iterable[Metric]]) -> dict[tuple[str, str], str]:
        found = [metric for metric in parse(text) if metric.name.startswith("epics_pv_")]
        assert len(found) == 4
        return {
            (metric.name, sample.labels.get("pv", "")): f"{metric.documentation} {sample.value}"
            for metric in found
            for sample in metric.samples
        }

    theirs = said(generate_latest(registry).decode(), text_string_to_metric_families)
    assert len(theirs) == 3 * 8 + 1
    for accept, parse in (
        ("", text_string_to_metric_families),
        (OPENMETRICS, openmetrics_families),
    ):
        assert said(expose(registry, accept)[0].decode(), parse) == theirs


def test_a_scrape_survives_pvs_that_come_and_go_meanwhile(plant: Plant) -> None:
    context = Context(plant.pvdb, name="p")
    for number in range(100):
        plant.add_pv(f"x{number}", pvproperty(value=0.0))
    registry = build_registry(context, host=HostReading(), pvs=["p:*"])
    stop = threading.Event()

    def churn() -> None:
        number = 0
        while not stop.is_set():
            plant.add_pv(f"y{number}", pvproperty(value=0.0))
            plant.remove_pv(f"y{number}")
            plant.level.restore(float(number % 2))
            context.counters.hook_failures[f"k{number % 50}"] += 1
            number += 1

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(20):
            assert registry.get_sample_value("epics_ioc_pvs", {"ioc": "p"}) in (112, 113)
            shown = values(registry)
            assert len(shown) in (107, 108)
            assert shown["p:level"] in (0.0, 1.0)
    finally:
        stop.set()
        thread.join()
