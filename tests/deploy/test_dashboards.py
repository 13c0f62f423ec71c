"""The dashboards are what the code says, and keep the rules of Grafana's dashboard-linter.

The linter itself is a Go program that no package registry has; its rules are published. Where
they ask for matchers of job and instance, ours ask for the IOC.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from dashboard_files import DASHBOARDS, DIRECTORY, ROOT, DashboardFile, Target, filled_in

each_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)

OVER_COUNTERS = {"rate", "increase"}


def test_files_are_current(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, str(ROOT / "tools" / "generate_dashboards.py"), str(tmp_path)], check=True
    )
    written = {path.name: path.read_text() for path in DIRECTORY.glob("*.json")}
    fresh = {path.name: path.read_text() for path in tmp_path.glob("*.json")}
    assert written == fresh, "run: python tools/generate_dashboards.py"
    assert len(written) == 4


def parsed(target: Target) -> Any:
    """The expression of a query; raises ValueError if it is no PromQL."""
    return promql_parser.parse(filled_in(target.expr, "sim", "5m", "1h"))


def calls(node: Any, inside: tuple[str, ...] = ()) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Every selector of an expression, with the functions that it is an argument of."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node, inside
        return
    if isinstance(node, promql_parser.Call):
        inside = (*inside, node.func.name)
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        child = getattr(node, name, None)
        if child is not None and not isinstance(child, str):
            yield from calls(child, inside)
    for argument in getattr(node, "args", None) or ():
        yield from calls(argument, inside)


@each_dashboard
def test_uneditable_and_found_by_its_uid(dashboard: DashboardFile) -> None:
    assert dashboard.content["editable"] is False
    assert dashboard.content["uid"] == dashboard.name
    assert dashboard.content["description"]


@each_dashboard
def test_people_choose_the_data_source(dashboard: DashboardFile) -> None:
    variable = dashboard.variables["datasource"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    for panel in dashboard.panels:
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}", panel["title"]


@each_dashboard
def test_people_choose_the_ioc_and_new_ones_appear(dashboard: DashboardFile) -> None:
    variable = dashboard.variables["ioc"]
    assert variable["query"]["query"].startswith("label_values(")
    assert variable["datasource"]["uid"] == "${datasource}"
    assert variable["refresh"] == 2, "not when the time range changes"
    if variable.get("includeAll"):
        assert variable["allValue"] == ".+"


@each_dashboard
def test_panels_say_what_they_show(dashboard: DashboardFile) -> None:
    titles = [panel["title"] for panel in dashboard.panels]
    assert len(set(titles)) == len(titles)
    for panel in dashboard.panels:
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]


@each_dashboard
def test_panels_have_room_and_do_not_overlap(dashboard: DashboardFile) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard.content["panels"]:
        place = panel["gridPos"]
        x, y, width, height = (place.get(name, 0) for name in "xywh")
        cells = {(column, row) for column in range(x, x + width) for row in range(y, y + height)}
        assert x + width <= 24, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells
    numbers = [panel["id"] for panel in dashboard.content["panels"]]
    assert len(set(numbers)) == len(numbers)


@each_dashboard
def test_queries_are_of_the_chosen_iocs(dashboard: DashboardFile) -> None:
    for target in dashboard.targets():
        selectors = [selector for selector, _ in calls(parsed(target))]
        assert selectors, target.expr
        for selector in selectors:
            matchers = [(each.name, each.op, each.value) for each in selector.matchers.matchers]
            assert ("ioc", promql_parser.MatchOp.Re, "sim") in matchers, target.expr


@each_dashboard
def test_counters_are_shown_as_rates_and_nothing_else_is(dashboard: DashboardFile) -> None:
    for target in dashboard.targets():
        for selector, functions in calls(parsed(target)):
            counter = selector.name.endswith(("_total", "_count", "_sum", "_bucket"))
            assert counter == bool(OVER_COUNTERS & set(functions)), target.expr


@each_dashboard
def test_ranges_follow_the_scrape_interval_or_the_time_shown(dashboard: DashboardFile) -> None:
    for target in dashboard.targets():
        assert "[5m]" not in target.expr
        if "rate(" in target.expr:
            assert "[$__rate_interval]" in target.expr
        elif "[" in target.expr:
            assert "[$__range]" in target.expr


@each_dashboard
def test_links_lead_to_dashboards_that_are_there(dashboard: DashboardFile) -> None:
    known = {each.content["uid"] for each in DASHBOARDS}
    for panel in dashboard.panels:
        for override in panel["fieldConfig"]["overrides"] or ():
            for look in override["properties"]:
                if look["id"] == "links":
                    for link in look["value"]:
                        assert link["url"].removeprefix("/d/").partition("?")[0] in known


def test_the_rules_can_be_broken() -> None:
    """The walk through an expression finds what it is meant to find."""
    wrong = parsed(Target("x", 'sum(a_total) / max(rate(b_total{ioc=~"$ioc"}[5m]))', "", False))
    found = {selector.name: functions for selector, functions in calls(wrong)}
    assert found == {"a_total": (), "b_total": ("rate",)}
