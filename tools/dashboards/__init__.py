"""The Grafana dashboards of IOCs, one a module; tools/generate_dashboards.py writes their JSON."""

from dashboards.autosave import autosave
from dashboards.fleet import fleet
from dashboards.memory import memory
from dashboards.one_ioc import one_ioc

__all__ = ["DASHBOARDS"]

DASHBOARDS = {
    "epics-ioc-fleet.json": fleet,
    "epics-ioc.json": one_ioc,
    "epics-ioc-autosave.json": autosave,
    "epics-ioc-memory.json": memory,
}
