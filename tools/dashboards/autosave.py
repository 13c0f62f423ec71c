"""Autosave: is what was set safe on disk, and did it come back?"""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.frame import IOC, Panel, Row, page
from dashboards.panels import Column, Query, Steps, curves, number, rows, switched

__all__ = ["autosave"]

_SET = "{{ioc}} {{set}}"
_BAD: Steps = ((None, "green"), (1, "red"))
_DOUBTFUL: Steps = ((None, "green"), (1, "orange"))


def _of(metric: str) -> str:
    return f"max by (ioc, set) (epics_ioc_autosave_{metric}{{{IOC}}})"


# The clocks of an IOC and of Prometheus may differ a little.
_UNSAVED = f"clamp_min(time() - {_of('unsaved_since_timestamp_seconds')}, 0)"


def _counted(metric: str) -> str:
    return f"sum by (ioc, set) (increase(epics_ioc_autosave_{metric}{{{IOC}}}[$__range]))"


def autosave() -> Dashboard:
    """Of as many IOCs as people choose."""
    about = "Autosave: is what was set safe on disk, and did it come back after the last start?"
    pages: list[Row] = [(None, _now()), (None, [_sets()]), ("Over time", _over_time())]
    return page("epics-ioc-autosave", "EPICS IOCs / Autosave", about, pages)


def _now() -> list[Panel]:
    return [
        number(
            "Save files",
            "One for each AutosaveHelper.",
            f"count({_of('pvs')}) or vector(0)",
        ),
        number(
            "Values kept",
            "PVs and fields that are saved.",
            f"sum(epics_ioc_autosave_pvs{{{IOC}}})",
            none="0",
        ),
        number(
            "Longest unsaved",
            "For how long the oldest change has been waiting to be on disk.",
            "clamp_min(time()"
            f" - min(epics_ioc_autosave_unsaved_since_timestamp_seconds{{{IOC}}}), 0)"
            " or vector(0)",
            unit="s",
            decimals=0,
            steps=((None, "green"), (60, "orange"), (300, "red")),
        ),
        number(
            "Saves that failed",
            "In the time that is shown.",
            f"sum(increase(epics_ioc_autosave_failures_total{{{IOC}}}[$__range])) or vector(0)",
            decimals=0,
            steps=_BAD,
        ),
        number(
            "Values not restored",
            "That the last start could not give back.",
            f"sum(epics_ioc_autosave_restore_failures{{{IOC}}})",
            steps=_DOUBTFUL,
            none="0",
        ),
        number(
            "Storage hung",
            "Sets whose disk takes longer to answer than it may.",
            f"sum(epics_ioc_autosave_storage_hung{{{IOC}}})",
            steps=_BAD,
            none="0",
        ),
    ]


def _sets() -> Panel:
    columns = [
        Column(
            "Newest save",
            f"clamp_min(time() - {_of('last_success_timestamp_seconds')}, 0)",
            "s",
            decimals=0,
        ),
        Column(
            "Unsaved for",
            _UNSAVED,
            "s",
            decimals=0,
            steps=((None, "green"), (60, "orange"), (300, "red")),
        ),
        Column("Saves", _counted("saves_total"), decimals=0),
        Column("Failed", _counted("failures_total"), decimals=0, steps=_DOUBTFUL),
        Column("Took", _of("duration_seconds"), "s"),
        Column("Size", _of("size_bytes"), "bytes"),
        Column("Values", _of("pvs")),
        Column("Restored", _of("restored_pvs")),
        Column("Not restored", _of("restore_failures"), steps=_DOUBTFUL),
        Column("Passed over", _of("restore_passed_over_files"), steps=_DOUBTFUL),
        Column("Carried on", _of("carried_pvs")),
        Column("Generations", _of("files")),
    ]
    return rows(
        "Sets",
        "One line a save file. Nothing is written while nothing changes: an old save is no"
        " trouble, a change that is not on disk is. Saves and failures are those of the time that"
        " is shown.",
        ["ioc", "set"],
        columns,
        links={"ioc": "/d/epics-ioc?var-ioc=${__value.text}&${__url_time_range}"},
    )


def _over_time() -> list[Panel]:
    return [
        curves(
            "Unsaved for",
            "For how long there have been changes that are not on disk; no curve where there"
            " are none.",
            Query(_UNSAVED, _SET),
            unit="s",
            steps=((None, "transparent"), (300, "red")),
        ),
        curves(
            "Saves",
            "How often files are written: at most once in the helper's period.",
            Query(
                "sum by (ioc, set)"
                f" (rate(epics_ioc_autosave_saves_total{{{IOC}}}[$__rate_interval]))",
                _SET,
            ),
            unit="cps",
        ),
        curves(
            "Failed saves",
            "How often a file could not be written; the log of the IOC says why.",
            Query(
                "sum by (ioc, set)"
                f" (rate(epics_ioc_autosave_failures_total{{{IOC}}}[$__rate_interval]))",
                _SET,
            ),
            unit="cps",
            most=0.1,
        ),
        curves(
            "Time a save takes",
            "Of the last save, from the values to the disk.",
            Query(_of("duration_seconds"), _SET),
            unit="s",
        ),
        curves("Size", "Of the newest save file.", Query(_of("size_bytes"), _SET), unit="bytes"),
        switched(
            curves(
                "Generations",
                "Dated files beside the newest.",
                Query(_of("files"), _SET),
            )
        ),
    ]
