"""Panels as these dashboards use them: what they have in common is said once, here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

__all__ = [
    "DATASOURCE",
    "STATES",
    "Column",
    "Query",
    "Steps",
    "curves",
    "number",
    "rows",
    "switched",
    "text_of_label",
    "timeline",
]

DATASOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")

# What a value and all above it look like; the first step has no lower end.
Steps = Sequence[tuple[float | None, str]]
Texts = Mapping[str, tuple[str, str]]

NEUTRAL: Steps = ((None, "text"),)

# The values of the recording rule ioc:epics_ioc_state:max.
STATES: Texts = {
    "0": ("down", "red"),
    "1": ("not ready", "yellow"),
    "2": ("stuck", "orange"),
    "3": ("ready", "green"),
}


@dataclass(frozen=True)
class Query:
    """PromQL with the name of its curves; ``{{label}}`` in a name stands for the label's value."""

    expr: str
    legend: str = "{{ioc}}"


@dataclass(frozen=True)
class Column:
    """A column of a table: a query with one value for each row, and what its numbers look like."""

    title: str
    expr: str
    unit: str = "short"
    decimals: int | None = None
    steps: Steps = ()
    texts: Texts = field(default_factory=dict)


def _target(query: Query, number: int = 0) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .datasource(DATASOURCE)
        .expr(query.expr)
        .legend_format(query.legend)
        .ref_id(ascii_uppercase[number])
    )


def _thresholds(steps: Steps) -> dashboard_builders.ThresholdsConfig:
    return (
        dashboard_builders.ThresholdsConfig()
        .mode(dashboard.ThresholdsMode.ABSOLUTE)
        .steps([dashboard.Threshold(value=value, color=color) for value, color in steps])
    )


def _mappings(texts: Texts) -> list[dashboard.ValueMapping]:
    results = {
        value: dashboard.ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(texts.items())
    }
    return [dashboard.ValueMap(options=results)] if texts else []


def _of_steps() -> dashboard_builders.FieldColor:
    return dashboard_builders.FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS)


def number(
    title: str,
    description: str,
    expr: str,
    *,
    unit: str = "short",
    decimals: int | None = None,
    steps: Steps = NEUTRAL,
    texts: Texts | None = None,
    none: str | None = None,
    width: int = 4,
) -> stat.Panel:
    """One number of now, large; ``none`` is shown where the query has no answer."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .with_target(_target(Query(expr, title)).instant())
        .unit(unit)
        .thresholds(_thresholds(steps))
        .color_scheme(_of_steps())
        .mappings(_mappings(texts or {}))
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(common.BigValueColorMode.VALUE)
        .height(4)
        .span(width)
    )
    if decimals is not None:
        panel.decimals(decimals)
    if none is not None:
        panel.no_value(none)
    return panel


def text_of_label(
    title: str, description: str, expr: str, label: str, *, width: int = 4
) -> stat.Panel:
    """The value of a label of the one series that ``expr`` has, as text."""
    panel = number(title, description, expr, unit="string", width=width)
    query = _target(Query(expr, f"{{{{{label}}}}}")).instant()
    return panel.targets([query]).text_mode(common.BigValueTextMode.NAME)


def curves(
    title: str,
    description: str,
    *queries: Query,
    unit: str = "short",
    decimals: int | None = None,
    steps: Steps | None = None,
    least: float | None = 0,
    most: float | None = None,
    width: int = 12,
    height: int = 8,
) -> timeseries.Panel:
    """Curves over time; ``steps`` are drawn as lines.

    The axis goes from ``least`` to ``most`` at the least; where nothing ever happens it would go to
    100 otherwise.
    """
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .targets([_target(query, each) for each, query in enumerate(queries)])
        .unit(unit)
        .line_width(1)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.AUTO)
        .color_scheme(
            dashboard_builders.FieldColor().mode(dashboard.FieldColorModeId.PALETTE_CLASSIC)
        )
        .legend(
            common_builders.VizLegendOptions()
            .show_legend(True)
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .calcs([])
        )
        .tooltip(
            common_builders.VizTooltipOptions()
            .mode(common.TooltipDisplayMode.MULTI)
            .sort(common.SortOrder.DESCENDING)
        )
        .height(height)
        .span(width)
    )
    if decimals is not None:
        panel.decimals(decimals)
    if least is not None:
        panel.axis_soft_min(least)
    if most is not None:
        panel.axis_soft_max(most)
    if steps is not None:
        lines = common_builders.GraphThresholdsStyleConfig().mode(
            common.GraphThresholdsStyleMode.DASHED
        )
        panel.thresholds(_thresholds(steps)).thresholds_style(lines)
    return panel


def switched(panel: timeseries.Panel) -> timeseries.Panel:
    """``panel`` with steps in its curves instead of slopes: for what is counted, not measured."""
    return panel.line_interpolation(common.LineInterpolation.STEP_AFTER)


def timeline(
    title: str, description: str, query: Query, texts: Texts, *, height: int = 8
) -> statetimeline.Panel:
    """A bar for each series that has the colour of its state."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .with_target(_target(query))
        .unit("short")
        .mappings(_mappings(texts))
        .thresholds(_thresholds(NEUTRAL))
        .color_scheme(_of_steps())
        .show_value(common.VisibilityMode.NEVER)
        .row_height(0.8)
        .fill_opacity(80)
        .legend(
            common_builders.VizLegendOptions()
            .show_legend(True)
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .calcs([])
        )
        .height(height)
        .span(24)
    )


def rows(
    title: str,
    description: str,
    by: Sequence[str],
    columns: Sequence[Column],
    *,
    links: Mapping[str, str] | None = None,
    height: int = 10,
) -> table.Panel:
    """A table with a row for each combination of the labels ``by``.

    ``links`` has an address for the cells of some of these labels.
    """
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit("short")
        .sort_by([common_builders.TableSortByFieldState().display_name(by[0]).desc(False)])
        .height(height)
        .span(24)
    )
    values = [f"Value #{ascii_uppercase[each]}" for each in range(len(columns))]
    for each, column in enumerate(columns):
        target = _target(Query(column.expr, column.title), each)
        panel.with_target(target.format(PromQueryFormat.TABLE).instant())
    panel.with_transformation(dashboard.DataTransformerConfig(id_val="merge", options={}))
    order = {
        "excludeByName": {"Time": True},
        "indexByName": {name: index for index, name in enumerate([*by, *values])},
        "renameByName": {
            value: column.title for value, column in zip(values, columns, strict=True)
        },
    }
    panel.with_transformation(dashboard.DataTransformerConfig(id_val="organize", options=order))
    for column in columns:
        panel.override_by_name(column.title, _looks(column))
    for label, address in (links or {}).items():
        link = [{"title": "Look closer", "url": address}]
        panel.override_by_name(label, [dashboard.DynamicConfigValue(id_val="links", value=link)])
    return panel


def _looks(column: Column) -> list[dashboard.DynamicConfigValue]:
    looks: dict[str, object] = {
        "unit": column.unit,
        "custom.width": 20 + 8 * max(len(column.title), 8),
    }
    if column.decimals is not None:
        looks["decimals"] = column.decimals
    if column.texts:
        looks["mappings"] = _mappings(column.texts)
    if column.steps:
        looks["thresholds"] = _thresholds(column.steps).build()
    if column.steps or column.texts:
        looks["custom.cellOptions"] = {"type": "color-text"}
    return [dashboard.DynamicConfigValue(id_val=name, value=value) for name, value in looks.items()]
