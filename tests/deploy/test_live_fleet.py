"""A real Prometheus scrapes real IOCs, healthy and in trouble, with the rules of deploy/.

Then every query of every dashboard is asked, and the alerts are those of the troubles.
"""

import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from dashboard_files import DASHBOARDS, DashboardFile, Target, filled_in
from fleet.members import Fleet, wait_until
from fleet.prometheus import Prometheus

# Who has which trouble, and the alert for it.
HEALTHY, STUCK, NO_DISK, KILLED, FAILING = "vacuum", "mono", "cryo", "shutter", "detector"
EXPECTED = {
    ("EpicsIocDown", KILLED),
    ("EpicsIocLoopStuck", STUCK),
    ("EpicsIocAutosaveOverdue", NO_DISK),
    ("EpicsIocRestoreIncomplete", NO_DISK),
    ("EpicsIocHookFailing", FAILING),
    ("EpicsIocPvMajorAlarm", FAILING),  # a hook that fails puts its PV into alarm
}
# A loop that is stuck saves nothing: an alert if something was to be saved just then.
POSSIBLE = {("EpicsIocAutosaveOverdue", STUCK)}
AT_START = {("EpicsIocRestoreIncomplete", NO_DISK)}
TROUBLE_TIMEOUT = 45.0
SETTLE_TIMEOUT = 20.0

T = TypeVar("T")

pytestmark = pytest.mark.timeout(200)  # the first test waits for the troubles to be seen


@dataclass
class Live:
    """The fleet when all troubles are seen, and the alerts before there were any."""

    fleet: Fleet
    prometheus: Prometheus
    before: set[tuple[str, str]]


def settled(ask: Callable[[], T], is_right: Callable[[T], object]) -> T:
    """The first answer that is right, or the last: a busy machine is in trouble by itself."""
    deadline = time.monotonic() + SETTLE_TIMEOUT
    while not is_right(answer := ask()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


@pytest.fixture(scope="module")
def live(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    program("prometheus")
    directory = tmp_path_factory.mktemp("fleet")
    names = (HEALTHY, STUCK, NO_DISK, KILLED, FAILING)
    with (
        Fleet(directory / "iocs", names) as fleet,
        Prometheus(directory / "prometheus", fleet.targets, fleet.targets_url) as prometheus,
    ):
        fleet.serve_targets()
        fleet[NO_DISK].spoil_values()
        fleet.start()
        fleet.use()
        ready = "count(ioc:epics_ioc_state:max == 3) == 5 and count(epics_ioc_ca_clients == 1) == 5"
        wait_until(lambda: prometheus.value(ready), "five IOCs with a client", TROUBLE_TIMEOUT)
        # Whoever came late at the start of a busy machine has caught up in between.
        before = settled(prometheus.alerts, lambda found: found <= AT_START)
        fleet[STUCK].stick()
        fleet[NO_DISK].lose_disk()
        fleet[KILLED].kill()
        fleet[FAILING].fail()
        wait_until(lambda: prometheus.alerts() >= EXPECTED, "the alerts", TROUBLE_TIMEOUT)
        yield Live(fleet, prometheus, before)


def test_no_alert_fires_while_all_is_well(live: Live) -> None:
    assert live.before <= AT_START


def test_the_alerts_are_those_of_the_troubles_and_no_others(live: Live) -> None:
    found = settled(live.prometheus.alerts, lambda found: found - POSSIBLE == EXPECTED)
    assert found - POSSIBLE == EXPECTED


def test_the_iocs_are_found_in_the_directory_and_over_http_and_scraped_once(live: Live) -> None:
    found = live.prometheus.own_metric('prometheus_sd_discovered_targets{config="ioc"')
    assert found == 2 * len(live.fleet.members)
    targets = live.prometheus.ask("targets", state="active")["activeTargets"]
    assert {each["labels"]["ioc"] for each in targets} == set(live.fleet.members)
    assert len(targets) == len(live.fleet.members)


def test_all_rules_can_be_evaluated(live: Live) -> None:
    rules = [rule for group in live.prometheus.ask("rules")["groups"] for rule in group["rules"]]
    assert len(rules) > 15
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}


@pytest.mark.parametrize(
    ("ioc", "state"), [(HEALTHY, 3), (NO_DISK, 3), (FAILING, 3), (STUCK, 2), (KILLED, 0)]
)
def test_the_state_on_the_dashboards(live: Live, ioc: str, state: int) -> None:
    query = f'ioc:epics_ioc_state:max{{ioc="{ioc}"}}'
    assert settled(lambda: numbers(live.prometheus.value(query)), [state].__eq__) == [state]


def test_promtool_finds_nothing_wrong_with_the_metrics(
    live: Live, program: Callable[[str], str]
) -> None:
    url = f"http://127.0.0.1:{live.fleet[HEALTHY].metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=20) as answer:
        text = answer.read()
    assert b"epics_ioc_ready" in text
    done = subprocess.run(
        [program("promtool"), "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def numbers(series: list[dict[str, Any]]) -> list[float]:
    """What an instant query has found."""
    return [float(each["value"][1]) for each in series]


def asked(prometheus: Prometheus, target: Target, ioc: str) -> list[dict[str, Any]]:
    """The series that a panel gets."""
    expr = filled_in(target.expr, ioc, "5s", "30s")
    if target.instant:
        return prometheus.value(expr)
    now = time.time()
    span = {"start": now - 30, "end": now, "step": 0.5}
    result: list[dict[str, Any]] = prometheus.ask("query_range", query=expr, **span)["result"]
    return result


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)
def test_every_query_has_an_answer_with_the_labels_that_it_shows(
    live: Live, dashboard: DashboardFile
) -> None:
    several = dashboard.variables["ioc"].get("includeAll")

    def wrong() -> Iterator[str]:
        for target in dashboard.targets():
            series = asked(live.prometheus, target, ".+" if several else HEALTHY)
            if not series:
                yield f"{target.panel}: no data for {target.expr}"
            elif not all(target.labels <= each["metric"].keys() for each in series):
                yield f"{target.panel}: not all of {target.labels} in {series[0]['metric']}"

    found = settled(lambda: list(wrong()), lambda found: not found)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)
def test_all_iocs_can_be_chosen(live: Live, dashboard: DashboardFile) -> None:
    query = dashboard.variables["ioc"]["query"]["query"]
    selector, _, label = query.removeprefix("label_values(").removesuffix(")").rpartition(", ")
    found = live.prometheus.ask(f"label/{label}/values", **{"match[]": selector})
    assert set(found) == set(live.fleet.members)


@pytest.mark.parametrize(
    ("panel", "value"),
    [("Ready", 3), ("Down", 1), ("Stuck", 1), ("Not ready", 0)],
)
def test_the_fleet_is_counted(live: Live, panel: str, value: int) -> None:
    dashboard = next(each for each in DASHBOARDS if each.name == "epics-ioc-fleet")
    target = next(each for each in dashboard.targets() if each.panel == panel)
    found = settled(lambda: numbers(asked(live.prometheus, target, ".+")), [value].__eq__)
    assert found == [value]
