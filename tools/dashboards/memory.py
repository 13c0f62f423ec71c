"""Memory: which IOC grows, and what in it."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.frame import IOC, page
from dashboards.panels import Column, Query, Steps, curves, rows

__all__ = ["memory"]

_GROWTH: Steps = ((None, "green"), (1_000_000, "orange"), (10_000_000, "red"))
_RESIDENT = f"process_resident_memory_bytes{{{IOC}}}"


def memory() -> Dashboard:
    """Of as many IOCs as people choose."""
    about = "Memory: which IOC grows, and how much of that is Python's own."
    columns = [
        Column("Resident", f"max by (ioc) ({_RESIDENT})", "bytes", 1),
        Column(
            "Growth per hour",
            f"max by (ioc) (deriv({_RESIDENT}[$__range])) * 3600",
            "bytes",
            1,
            steps=_GROWTH,
        ),
        Column("Virtual", f"max by (ioc) (process_virtual_memory_bytes{{{IOC}}})", "bytes", 1),
        Column("PVs", f"sum by (ioc) (epics_ioc_pvs{{{IOC}}})"),
        Column("Connections", f"sum by (ioc) (epics_ioc_ca_circuits{{{IOC}}})"),
        Column("Monitors", f"sum by (ioc) (epics_ioc_ca_subscriptions{{{IOC}}})"),
        Column(
            "Not collectable",
            f"sum by (ioc) (increase(python_gc_objects_uncollectable_total{{{IOC}}}[$__range]))",
            decimals=0,
            steps=((None, "green"), (1, "orange")),
        ),
    ]
    return page(
        "epics-ioc-memory",
        "EPICS IOCs / Memory",
        about,
        [
            (
                None,
                [
                    rows(
                        "Who grows",
                        "Growth is the slope over the time that is shown: choose a day to find a"
                        " slow leak.",
                        ["ioc"],
                        columns,
                        links={"ioc": "/d/epics-ioc?var-ioc=${__value.text}&${__url_time_range}"},
                    )
                ],
            ),
            (
                "Over time",
                [
                    curves(
                        "Resident memory",
                        "What the process holds in RAM.",
                        Query(f"max by (ioc) ({_RESIDENT})"),
                        unit="bytes",
                    ),
                    curves(
                        "Traced memory",
                        "What Python has allocated since tracing was switched on (EnableTracing of"
                        " the memory PVs), and the most that it was; no curve while it is off.",
                        Query(
                            f"max by (ioc) (epics_ioc_tracemalloc_current_bytes{{{IOC}}})",
                            "{{ioc}} now",
                        ),
                        Query(
                            f"max by (ioc) (epics_ioc_tracemalloc_peak_bytes{{{IOC}}})",
                            "{{ioc}} peak",
                        ),
                        unit="bytes",
                    ),
                    curves(
                        "Full garbage collections",
                        "How often the collector looked through all objects.",
                        Query(
                            'sum by (ioc) (rate(python_gc_collections_total{generation="2",'
                            f" {IOC}}}[$__rate_interval]))"
                        ),
                        unit="cps",
                    ),
                    curves(
                        "Objects that it freed",
                        "Objects in reference cycles; a rising rate shows code that makes ever"
                        " more of them.",
                        Query(
                            "sum by (ioc) (rate(python_gc_objects_collected_total"
                            f"{{{IOC}}}[$__rate_interval]))"
                        ),
                        unit="cps",
                    ),
                ],
            ),
        ],
    )
