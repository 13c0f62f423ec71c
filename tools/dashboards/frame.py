"""What the dashboards have around their panels: variables, links between them, rows."""

from collections.abc import Sequence
from typing import TypeAlias

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

from dashboards.panels import DATASOURCE

__all__ = ["IOC", "Panel", "Row", "page"]

Panel: TypeAlias = Builder[dashboard.Panel]
Row: TypeAlias = tuple[str | None, Sequence[Panel]]
"""A heading, or none, and the panels below it."""

# Of those that are down, too.
_NAMES = "label_values(ioc:epics_ioc_state:max, ioc)"
_TAG = "epics-ioc"

IOC = 'ioc=~"$ioc"'
"""The matcher that every query has."""


def _datasource() -> builders.DatasourceVariable:
    return builders.DatasourceVariable("datasource").label("Data source").type("prometheus")


def _ioc(several: bool) -> builders.QueryVariable:
    variable = (
        builders.QueryVariable("ioc")
        .label("IOC")
        .datasource(DATASOURCE)
        .query({"query": _NAMES, "refId": "ioc"})
        .definition(_NAMES)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
        .multi(several)
        .include_all(several)
    )
    if several:
        # Other things that Prometheus scrapes have no such label.
        all_of_them = dashboard.VariableOption(text="All", value="$__all")
        variable.all_value(".+").current(all_of_them)
    return variable


def page(
    uid: str, title: str, description: str, rows: Sequence[Row], *, several: bool = True
) -> dashboard.Dashboard:
    """A dashboard of ``rows``; ``several`` lets people choose more than one IOC."""
    built = (
        builders.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([_TAG])
        .timezone("browser")
        .readonly()
        .refresh("30s")
        .time("now-1h", "now")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .with_variable(_datasource())
        .with_variable(_ioc(several))
        .link(
            builders.DashboardLink("IOCs")
            .type(dashboard.DashboardLinkType.DASHBOARDS)
            .tags([_TAG])
            .as_dropdown(True)
            .keep_time(True)
            .include_vars(True)
        )
    )
    for heading, panels in rows:
        if heading is not None:
            built.with_row(builders.Row(heading))
        for panel in panels:
            built.with_panel(panel)
    whole = built.build()
    for link in whole.links or []:
        # The builder knows only the menu, where nobody would look for them.
        link.placement = None  # type: ignore[assignment]
    # Grafana numbers panels that have no number; a file that it writes back shall be the same.
    for number, placed in enumerate(whole.panels or [], 1):
        placed.id_val = number
    return whole
