"""All IOCs at a glance: which of them needs somebody to look at it."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.frame import IOC, Panel, page
from dashboards.panels import STATES, Column, Query, Steps, curves, number, rows, timeline

__all__ = ["fleet"]

_BAD: Steps = ((None, "green"), (1, "red"))
_DOUBTFUL: Steps = ((None, "green"), (1, "orange"))


def fleet() -> Dashboard:
    """The first page to open."""
    return page(
        "epics-ioc-fleet",
        "EPICS IOCs / Fleet",
        "All IOCs at a glance: which are down, stuck, or do not get their values to disk.",
        [
            (
                None,
                [
                    number(
                        "Ready",
                        "IOCs that serve their clients.",
                        f"count(ioc:epics_ioc_state:max{{{IOC}}} == 3) or vector(0)",
                        steps=((None, "green"),),
                    ),
                    number(
                        "Down",
                        "IOCs on Prometheus' list that do not answer.",
                        f"count(ioc:epics_ioc_state:max{{{IOC}}} == 0) or vector(0)",
                        steps=_BAD,
                    ),
                    number(
                        "Stuck",
                        "IOCs whose event loop has given no sign of life for more than 5 s.",
                        f"count(ioc:epics_ioc_state:max{{{IOC}}} == 2) or vector(0)",
                        steps=_BAD,
                    ),
                    number(
                        "Not ready",
                        "IOCs that are starting or stopping.",
                        f"count(ioc:epics_ioc_state:max{{{IOC}}} == 1) or vector(0)",
                        steps=_DOUBTFUL,
                    ),
                    number(
                        "Values not on disk",
                        "IOCs with changes that autosave could not write for more than 5 minutes.",
                        f"count(ioc:epics_ioc_autosave_unsaved_seconds:max{{{IOC}}} > 300)"
                        " or vector(0)",
                        steps=_BAD,
                    ),
                    number(
                        "PVs in major alarm",
                        "Exported PVs in MAJOR or INVALID alarm.",
                        f"count(epics_pv_alarm_severity{{{IOC}}} >= 2) or vector(0)",
                        steps=_DOUBTFUL,
                    ),
                ],
            ),
            (
                None,
                [
                    timeline(
                        "State",
                        "The state of each IOC over time.",
                        Query(f"max by (ioc) (ioc:epics_ioc_state:max{{{IOC}}})"),
                        STATES,
                        height=7,
                    ),
                ],
            ),
            (None, [_table()]),
            (
                "Load",
                [
                    curves(
                        "Updates sent",
                        "Monitor updates sent to clients.",
                        Query(f"sum by (ioc) (ioc:epics_ioc_ca_events_sent:rate5m{{{IOC}}})"),
                        unit="cps",
                    ),
                    curves(
                        "Reads and writes",
                        "Reads and writes by clients.",
                        Query(
                            f"sum by (ioc) (ioc:epics_ioc_ca_reads:rate5m{{{IOC}}}"
                            f" + ioc:epics_ioc_ca_writes:rate5m{{{IOC}}})"
                        ),
                        unit="cps",
                    ),
                    curves(
                        "CPU",
                        "Processor time that each IOC uses; 100 % is one core.",
                        Query(f"sum by (ioc) (ioc:process_cpu_seconds:rate5m{{{IOC}}})"),
                        unit="percentunit",
                    ),
                    curves(
                        "Memory",
                        "Resident memory of each IOC's process.",
                        Query(f"max by (ioc) (process_resident_memory_bytes{{{IOC}}})"),
                        unit="bytes",
                    ),
                ],
            ),
        ],
    )


def _table() -> Panel:
    columns = [
        Column("State", f"max by (ioc) (ioc:epics_ioc_state:max{{{IOC}}})", texts=STATES),
        Column(
            "Up for",
            f"time() - max by (ioc) (epics_ioc_start_timestamp_seconds{{{IOC}}})",
            "s",
            decimals=0,
        ),
        Column("PVs", f"sum by (ioc) (epics_ioc_pvs{{{IOC}}})"),
        Column("Clients", f"sum by (ioc) (epics_ioc_ca_clients{{{IOC}}})"),
        Column(
            "Slow clients",
            f"sum by (ioc) (epics_ioc_ca_circuits_congested{{{IOC}}})",
            steps=_DOUBTFUL,
        ),
        Column(
            "Updates",
            f"sum by (ioc) (ioc:epics_ioc_ca_events_sent:rate5m{{{IOC}}})",
            "cps",
            decimals=1,
        ),
        Column(
            "CPU",
            f"sum by (ioc) (ioc:process_cpu_seconds:rate5m{{{IOC}}})",
            "percentunit",
            decimals=1,
        ),
        Column("Memory", f"max by (ioc) (process_resident_memory_bytes{{{IOC}}})", "bytes", 0),
        Column(
            "Unsaved for",
            f"max by (ioc) (ioc:epics_ioc_autosave_unsaved_seconds:max{{{IOC}}})",
            "s",
            decimals=0,
            steps=((None, "green"), (300, "red")),
        ),
        Column(
            "Not restored",
            f"sum by (ioc) (epics_ioc_autosave_restore_failures{{{IOC}}})",
            steps=_DOUBTFUL,
        ),
    ]
    return rows(
        "IOCs",
        "One line an IOC; click its name to look closer. A cell is empty where an IOC has no such"
        " number: no autosave, nothing unsaved, or no answer.",
        ["ioc"],
        columns,
        links={"ioc": "/d/epics-ioc?var-ioc=${__value.text}&${__url_time_range}"},
    )
