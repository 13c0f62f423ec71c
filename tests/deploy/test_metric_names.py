"""Rules and dashboards ask for metrics that there are: also where no Prometheus can be run."""

from collections.abc import Iterator
from pathlib import Path

import promql_parser
import pytest
import yaml
from dashboard_files import DASHBOARDS, filled_in
from test_dashboards import calls

from ioc_ops.metrics.families import AUTOSAVE_FAMILIES, IOC_FAMILIES, PV_FAMILIES, Kind

RULES = Path(__file__).parents[2] / "deploy" / "prometheus"

# Of Prometheus itself, and of the stock collectors of prometheus-client.
OTHERS = frozenset(
    "up epics_ioc_info process_open_fds process_max_fds process_resident_memory_bytes"
    " process_virtual_memory_bytes process_start_time_seconds process_cpu_seconds_total"
    " python_gc_collections_total python_gc_objects_collected_total"
    " python_gc_objects_uncollectable_total".split()
)


def recorded() -> Iterator[str]:
    """The names of the recording rules."""
    for group in yaml.safe_load((RULES / "rules.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["record"]


def served() -> Iterator[str]:
    """The names of all series that an IOC has."""
    for family in (*IOC_FAMILIES, *AUTOSAVE_FAMILIES, *PV_FAMILIES):
        if family.kind is Kind.HISTOGRAM:
            yield f"{family.name}_bucket"
        else:
            yield family.name


def expressions() -> Iterator[str]:
    """All PromQL in deploy/."""
    for dashboard in DASHBOARDS:
        yield from (target.expr for target in dashboard.targets())
    for name in ("rules.yaml", "alerts.yaml"):
        for group in yaml.safe_load((RULES / name).read_text())["groups"]:
            yield from (rule["expr"] for rule in group["rules"])


KNOWN = {*OTHERS, *recorded(), *served()}


@pytest.mark.parametrize("expr", sorted(set(expressions())))
def test_every_metric_is_there(expr: str) -> None:
    selectors = calls(promql_parser.parse(filled_in(expr, "sim", "5m", "1h")))
    names = {selector.name for selector, _ in selectors}
    assert names
    assert names <= KNOWN


def test_every_recording_rule_is_used() -> None:
    asked = " ".join(expressions())
    assert [name for name in recorded() if name not in asked] == []
