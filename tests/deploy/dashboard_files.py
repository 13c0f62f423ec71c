"""The dashboards as Grafana reads them: panels, queries, variables."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DIRECTORY = ROOT / "deploy" / "grafana" / "dashboards"


@dataclass(frozen=True)
class Target:
    """A query of a panel."""

    panel: str
    expr: str
    legend: str
    instant: bool
    rows: frozenset[str] = frozenset()
    """The labels by which a table has its rows."""

    @property
    def labels(self) -> set[str]:
        """The labels that the names of its curves, or its rows, show."""
        return set(re.findall(r"\{\{(\w+)\}\}", self.legend)) | self.rows


def rows_of(panel: dict[str, Any]) -> frozenset[str]:
    """The columns of a table that are labels, not values."""
    for transformation in panel.get("transformations") or ():
        if transformation["id"] == "organize":
            columns = transformation["options"]["indexByName"]
            return frozenset(name for name in columns if not name.startswith("Value"))
    return frozenset()


@dataclass(frozen=True)
class DashboardFile:
    """A dashboard."""

    name: str
    content: dict[str, Any]

    @property
    def panels(self) -> list[dict[str, Any]]:
        """Without the headings of rows."""
        return [panel for panel in self.content["panels"] if panel["type"] != "row"]

    @property
    def variables(self) -> dict[str, dict[str, Any]]:
        """By name."""
        return {each["name"]: each for each in self.content["templating"]["list"]}

    def targets(self) -> Iterator[Target]:
        """All queries."""
        for panel in self.panels:
            for target in panel["targets"]:
                yield Target(
                    panel["title"],
                    target["expr"],
                    target["legendFormat"],
                    target.get("instant", False),
                    rows_of(panel),
                )


DASHBOARDS = [
    DashboardFile(path.stem, json.loads(path.read_text())) for path in sorted(DIRECTORY.glob("*"))
]


def filled_in(expr: str, ioc: str, interval: str, shown: str) -> str:
    """A query as Grafana sends it."""
    return (
        expr.replace("$__rate_interval", interval).replace("$__range", shown).replace("$ioc", ioc)
    )
