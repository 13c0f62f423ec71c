"""StatisticsHelper: its PVs, its start, and what it shows; at last in a real IOC."""

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from here import ENV
from one_shot_client import read, write
from test_helpers import run
from test_memory import WaitingLibrary
from waiting import until

from ioc_ops.channel import ChannelData
from ioc_ops.errors import ConfigurationError, DefinitionError
from ioc_ops.group import PVGroup, SubGroup, pvproperty
from ioc_ops.status import StatisticsHelper, watched


class Oven(PVGroup):
    """Statistics are declared first: what they watch need not be there yet."""

    stats = SubGroup(
        StatisticsHelper, prefix="Stats:", watch={"Temp:": "temperature"}, windows=(10.0, 100.0)
    )
    temperature = pvproperty(value=20.0, units="C", precision=2)
    zones = pvproperty(value=[1.0, 2.0], max_length=5)
    door = pvproperty(value=False)


def oven(**options: Any) -> Any:
    """An oven that watches something else."""

    class Other(Oven):
        stats = SubGroup(StatisticsHelper, prefix="Stats:", **options)

    return Other("o:")


def prepared(group: Any) -> Any:
    """The helper of the group after its restore hook."""
    stats = group.stats

    async def restore() -> None:
        await stats.reset.pvspec.restore(stats, stats.reset, None)

    run(group, restore)
    return stats


def shown(stats: Any, key: str) -> dict[str, float | None]:
    """What its PVs say; None for those that are INVALID."""
    return {
        name.removeprefix(stats.prefix + key): None if pv.severity == 3 else pv.value
        for name, pv in stats.pvdb.items()
        if name.startswith(stats.prefix + key)
    }


def watch(group: Any, seconds: int, between: Callable[[int], None]) -> tuple[Any, WaitingLibrary]:
    """Run the helper of a group on a clock of our own; ``between`` gets the number of the wait."""
    stats = prepared(group)
    library = WaitingLibrary(seconds, between)
    run(group, lambda: stats.reset.pvspec.startup(stats, stats.reset, library))
    return stats, library


def test_names_units_and_precision() -> None:
    group: Any = Oven("o:")
    names = "Count Rate Mean StdDev Min Max NonFinite Invalid Skipped P50 P95 P99".split()
    assert [name for name in group.pvdb if name.startswith("o:Stats:Temp:")] == [
        *(f"o:Stats:Temp:{name}" for name in names),
        *(f"o:Stats:Temp:100s:{name}" for name in names),
    ]
    stats = prepared(group)
    for name in ("Mean", "StdDev", "Min", "Max", "P50", "100s:P99"):
        pv = stats.pvdb[f"o:Stats:Temp:{name}"]
        assert (pv.units, pv.precision) == ("C", 2)
        assert pv.severity.name == "INVALID_ALARM"
        assert pv.read_only
    assert stats.pvdb["o:Stats:Temp:Rate"].units == "1/s"
    assert stats.pvdb["o:Stats:Temp:Count"].units == ""
    assert stats.pvdb["o:Stats:Temp:P95"].description == "95th percentile, last 10 s"


def test_statistics_of_a_scalar() -> None:
    group: Any = Oven("o:")

    def between(second: int) -> None:
        for tenth in range(10):
            group.temperature.assign(float(10 * second + tenth))

    stats, library = watch(group, 5, between)
    said = shown(stats, "Temp:")
    values = np.arange(10.0, 60.0)
    expected = {
        "Count": 50,
        "Mean": values.mean(),
        "StdDev": values.std(),
        "Min": 10,
        "Max": 59,
        "NonFinite": 0,
        "P50": np.percentile(values, 50),
        "P99": np.percentile(values, 99),
        "100s:Mean": values.mean(),
    }
    assert {name: said[name] for name in expected} == pytest.approx(expected)
    assert said["Rate"] == pytest.approx(10.0, rel=0.35)
    assert library.threads
    assert library.slept == pytest.approx([1.0] * 5)


def test_elements_of_an_array_and_what_is_not_finite() -> None:
    group = oven(watch={"": "zones"})

    def between(second: int) -> None:
        group.zones.assign(group.zones.convert(np.array([1.0, 3.0, math.nan, math.inf])))

    stats, _ = watch(group, 3, between)
    said = shown(stats, "")
    assert (said["Count"], said["NonFinite"], said["Mean"], said["StdDev"]) == (6, 6, 2.0, 1.0)


def test_a_pv_that_holds_still_shows_its_value_and_one_without_a_number_is_invalid() -> None:
    group: Any = Oven("o:")
    seen = []

    def between(second: int) -> None:
        seen.append(shown(group.stats, "Temp:"))
        if second == 2:
            group.temperature.assign(30.0)
        elif second == 30:
            group.temperature.assign(math.nan)

    watch(group, 60, between)
    assert seen[0]["Mean"] is None  # nothing computed yet
    assert (seen[1]["Count"], seen[1]["Mean"], seen[1]["P50"]) == (0, 20.0, 20.0)
    assert (seen[5]["Count"], seen[5]["Mean"]) == (1, 30.0)
    assert (seen[25]["Count"], seen[25]["Mean"], seen[25]["100s:Count"]) == (0, 30.0, 1)
    assert (seen[31]["NonFinite"], seen[31]["Mean"]) == (1, None)


def test_a_value_that_holds_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    digest = watched.digested

    def count(values: Any, **counts: int) -> Any:
        looked.extend(getattr(value, "size", 1) for value in values)
        return digest(values, **counts)

    monkeypatch.setattr(watched, "digested", count)
    group = oven(watch={"": "zones"}, windows=(5.0, 10.0))

    def between(second: int) -> None:
        if second == 3:
            group.zones.assign(group.zones.convert(np.arange(3.0)))

    stats, _ = watch(group, 39, between)
    assert looked == [2, 3, 3]  # before the update, the update, and long after it
    assert shown(stats, "")["Mean"] == 1.0


def test_a_limit_on_a_statistic_is_an_alarm() -> None:
    group: Any = Oven("o:")
    mean = group.pvdb["o:Stats:Temp:Mean"]
    mean.fields["HIHI"].restore(25.0)
    mean.fields["HHSV"].restore("MAJOR")
    seen = []

    def between(second: int) -> None:
        seen.append((mean.value, mean.status.name))
        group.temperature.assign(30.0)

    watch(group, 4, between)
    assert seen[1:3] == [(30.0, "HIHI"), (30.0, "HIHI")]


def test_units_follow_those_of_the_watched_pv() -> None:
    group: Any = Oven("o:")

    def between(second: int) -> None:
        group.temperature.update_metadata(units="K", precision=1)

    stats, _ = watch(group, 2, between)
    assert stats.pvdb["o:Stats:Temp:Mean"].units == "K"
    assert stats.pvdb["o:Stats:Temp:Mean"].precision == 1


def test_three_quarters_of_the_time_are_left_to_others() -> None:
    class Slow(WaitingLibrary):
        async def run_in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
            self.now += 2.0
            return await super().run_in_thread(function, *arguments)

    group: Any = Oven("o:")
    stats = prepared(group)
    library = Slow(4, lambda n: None)
    run(group, lambda: stats.reset.pvspec.startup(stats, stats.reset, library))
    assert library.slept[1::2] == [6.0, 6.0]


def test_reset_begins_anew() -> None:
    group: Any = Oven("o:")
    counts = []

    def between(second: int) -> None:
        counts.append((group.stats.reset.value, group.stats.pvdb["o:Stats:Temp:Count"].value))
        group.temperature.assign(1.0)
        if second == 4:
            group.stats.reset.restore(1)

    watch(group, 7, between)
    assert counts == [
        *[("Done", n) for n in (0, 1, 2, 3)],
        ("Done", 3),  # what came is forgotten, and shown a period later
        ("Done", 1),
        ("Done", 2),
    ]


def test_many_values_are_looked_at_before_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "_MANY", 5)
    group: Any = Oven("o:")
    called = []
    stats = prepared(group)
    stats._wake = lambda: called.append(1)
    for number in range(9):
        group.temperature.assign(float(number))
    assert called == [1]


def test_a_pv_that_fails_costs_itself_alone(caplog: pytest.LogCaptureFixture) -> None:
    group = oven(watch={"A:": "temperature", "B:": "zones"})
    stats = prepared(group)
    stats._jobs[0].watched = BrokenWatch(group.temperature)
    library = WaitingLibrary(4, lambda n: None)
    run(group, lambda: stats.reset.pvspec.startup(stats, stats.reset, library))
    assert shown(stats, "A:")["Mean"] is None
    assert shown(stats, "B:")["Mean"] == 1.5
    assert caplog.text.count("cannot look at o:temperature") == 1


class BrokenWatch:
    """Fails when it is looked at."""

    updates = 1

    def __init__(self, channel: ChannelData) -> None:
        self.channel = channel

    def take(self) -> "BrokenWatch":
        return self

    def digest(self) -> None:
        raise RuntimeError("injected")


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"watch": "temperature"}, ["temperature:Mean"]),
        ({"watch": ["temperature", "zones"]}, ["temperature:Mean", "zones:Mean"]),
        ({"watch": "*"}, ["temperature:Mean", "zones:Mean"]),
        ({"watch": {"All:": "[tz]*"}}, ["All:temperature:Mean", "All:zones:Mean"]),
        ({"watch": ["temp*", "*erature"]}, ["temperature:Mean"]),
    ],
)
def test_pvs_by_attribute_and_by_pattern(options: dict[str, Any], names: list[str]) -> None:
    group = oven(**options)
    stats = prepared(group)
    found = [name for name in stats.pvdb if name.endswith("Mean")]
    assert found == [f"o:Stats:{name}" for name in names]
    assert set(found) <= set(group.pvdb)  # clients find them


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"watch": "door"}, "no statistics of o:door: it holds ENUM, not numbers"),
        ({"watch": "dor"}, "no PV or attribute 'dor'"),
        ({"watch": "d*"}, "no PV with numbers matches 'd[*]'"),
        ({"watch": "*", "at_most": 1}, "match 2 PVs"),
    ],
)
def test_what_cannot_be_watched_stops_the_start(options: dict[str, Any], why: str) -> None:
    group = oven(**options)
    with pytest.raises(ConfigurationError, match=why):
        prepared(group)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"windows": ()}, "a window"),
        ({"watch": {}}, "need watch="),
        ({"windows": (0.5,)}, "windows make no sense"),
        ({"windows": (math.inf,)}, "windows make no sense"),
        ({"windows": (60, 60)}, "windows make no sense"),
        ({"percentiles": (101,)}, "percentiles make no sense"),
        ({"percentiles": (math.nan,)}, "percentiles make no sense"),
        ({"period": 0}, "the period"),
        ({"watch": {"": 7}}, "named as text"),
        ({"watch": [None]}, "named as text"),
        ({"watch": ["temperature", "temperature"]}, "already"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_made(options: dict[str, Any], why: str) -> None:
    with pytest.raises(DefinitionError, match=why):
        oven(**{"watch": "temperature"} | options)


def test_percentiles_have_names_without_dots() -> None:
    group = oven(watch={"T:": "temperature"}, percentiles=(0, 99.9), windows=(1.5, 2.5))
    names = [name for name in group.stats.pvdb if "P" in name]
    assert [name.removeprefix("o:Stats:T:") for name in names] == [
        "P0",
        "P99_9",
        "2_5s:P0",
        "2_5s:P99_9",
    ]


# -- a real IOC -----------------------------------------------------------------------------


def get(suffix: str) -> float:
    """The value of a PV of the IOC."""
    return float(read(f"w:{suffix}").data[0])


def put(suffix: str, value: Any) -> None:
    """Write with completion."""
    write(f"w:{suffix}", value, notify=True)


def test_a_client_writes_and_reads_statistics(ioc: Callable[..., Any]) -> None:
    ioc("ioc_statistics", env=ENV)
    for number in (1.0, 2.0, 3.0, 4.0):
        put("x", [number])
    until(lambda: get("Stats:x:60s:Count") == 4)
    assert get("Stats:x:60s:Mean") == 2.5
    assert get("Stats:x:60s:P50") == 2.5
    assert get("Stats:x:60s:StdDev") == pytest.approx(math.sqrt(1.25))
    units = read("w:Stats:x:Mean", data_type="control").metadata.units
    assert units == b"mm"
    put("big", np.arange(300_000.0))
    until(lambda: get("Stats:big:60s:Count") == 300_000)
    assert get("Stats:big:60s:Mean") == 149_999.5
    assert get("Stats:big:60s:P99") == pytest.approx(297_000, rel=0.002)
    # The short window forgets.
    until(lambda: get("Stats:x:Count") == 0)
    assert get("Stats:x:60s:Count") == 4
    assert get("Stats:x:Mean") == 4.0
    put("Stats:Reset", [1])
    until(lambda: get("Stats:x:60s:Count") == 0)


@pytest.mark.parametrize("library", ["trio", "curio"])
def test_statistics_on_each_library(ioc: Callable[..., Any], library: str) -> None:
    if library == "curio" and sys.version_info >= (3, 12):
        pytest.skip("curio 1.6 does not import on Python 3.12 and later")
    ioc("ioc_statistics", "--async-lib", library, env=ENV)
    for number in (1.0, 3.0):
        put("x", [number])
    until(lambda: get("Stats:x:60s:Count") == 2)
    assert get("Stats:x:60s:Mean") == 2.0


def test_a_pv_that_has_no_numbers_ends_the_start_with_one_line(ioc: Callable[..., Any]) -> None:
    process = ioc("ioc_statistics", env=ENV | {"ALSO": "state"}, ready=False, expect_exit=2)
    process.wait(30.0)
    (line,) = [line for line in process.lines if "state" in line]
    assert "no statistics of w:state: it holds ENUM, not numbers" in line
