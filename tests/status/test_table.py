"""The table against the 122 PVs of a live iocStats IOC, and against the code that uses it."""

import json
import math
from dataclasses import astuple, fields, replace
from operator import attrgetter
from pathlib import Path

import pytest

from ioc_ops.channel import ChannelType
from ioc_ops.status import TABLE, Period, Readings, StatusHelper, StatusPv
from ioc_ops.status.general_rows import ACCESS_SEVERITIES, ACCESS_STATES
from ioc_ops.status.properties import scan_of
from ioc_ops.status.table import OF_CAPROTO, OWN, SCHEDULED

LIVE = json.loads((Path(__file__).parent / "iocstats_live.json").read_text())["pvs"]
ROWS = sorted(TABLE.values(), key=lambda row: row.suffix)

LIMITS = {
    "upper_disp_limit": "hopr",
    "lower_disp_limit": "lopr",
    "upper_alarm_limit": "hihi",
    "upper_warning_limit": "high",
    "lower_warning_limit": "low",
    "lower_alarm_limit": "lolo",
}


def test_all_names_of_iocstats_are_there_and_of_others_only_those_that_are_told() -> None:
    assert len(LIVE) == 122
    assert set(TABLE) == set(LIVE) | OF_CAPROTO | OWN
    assert len(TABLE) == len(LIVE) + len(OF_CAPROTO) + len(OWN)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.suffix)
def test_a_row_says_what_iocstats_serves(row: StatusPv) -> None:
    if row.suffix in OF_CAPROTO | OWN:
        assert row.suffix not in LIVE
        return
    live = LIVE[row.suffix]
    assert (row.data_type.name, row.length) == (live["dbr"], live["count"])
    if row.data_type is ChannelType.DOUBLE:
        assert (row.units, row.precision) == (live["units"], live["precision"])
        served = {name: getattr(row, field) for name, field in LIMITS.items()}
        # What a record without drive limits shows as its control limits.
        served["upper_ctrl_limit"] = row.drvh or row.hopr
        served["lower_ctrl_limit"] = row.drvl or row.lopr
        assert served == pytest.approx({name: float(live[name]) for name in served}, nan_ok=True)
    elif row.data_type is ChannelType.ENUM:
        assert list(row.states) == live["enums"]


@pytest.mark.parametrize("row", [r for r in ROWS if r.alias_of], ids=lambda row: row.suffix)
def test_an_alias_repeats_its_row(row: StatusPv) -> None:
    original = TABLE[row.alias_of]
    same = {"suffix": row.suffix, "doc": row.doc, "alias_of": row.alias_of, "saved_fields": ()}
    # Tuples, because one NaN counts as the same in those.
    assert astuple(replace(original, **same)) == astuple(row)


@pytest.mark.parametrize("row", [r for r in ROWS if r.alias_of], ids=lambda row: row.suffix)
def test_an_alias_is_the_same_pv(row: StatusPv) -> None:
    helper = StatusHelper("x:")
    pv = helper.pvdb[f"x:{row.suffix}"]
    assert pv is helper.pvdb[f"x:{row.alias_of}"]
    assert pv.name == f"x:{row.alias_of}"
    assert helper.pvdb.aliases[f"x:{row.suffix}"] == pv.name


def test_scan_reads_what_happens() -> None:
    helper = StatusHelper("x:")
    for row in ROWS:
        assert helper.pvdb[f"x:{row.suffix}"].fields["SCAN"].value == scan_of(row), row.suffix
    scans = {row.suffix: scan_of(row) for row in ROWS}
    assert scans["HEARTBEAT"] == scans["TOD"] == scans["GTIM_TIME"] == "1 second"
    assert scans["IOC_CPU_LOAD"] == scans["CA_CLNT_CNT"] == "I/O Intr"
    assert [scans[f"{rate}_UPD_TIME"] for rate in ("01HZ", "05HZ", "1HZ", "2HZ", "10HZ")] == [
        "10 second",
        "2 second",
        "1 second",
        ".5 second",
        ".1 second",
    ]
    assert scans["HOSTNAME"] == scans["ACCESS"] == "Passive"


def test_access_has_the_states_of_iocstats_and_a_severity_for_each() -> None:
    assert list(ACCESS_STATES) == LIVE["ACCESS"]["enums"]
    assert len(ACCESS_SEVERITIES) == len(ACCESS_STATES)


@pytest.mark.parametrize("row", [r for r in ROWS if r.reading], ids=lambda row: row.suffix)
def test_a_reading_is_a_field_of_readings(row: StatusPv) -> None:
    assert row.reading is not None
    source, _, field = row.reading.rpartition(".")
    assert field in {f.name for f in fields(attrgetter(source)(Readings()))}
    assert attrgetter(row.reading)(Readings()) is None


def test_rows_without_a_reading_are_set_by_hooks_or_clients() -> None:
    without = {row.suffix for row in ROWS if row.reading is None and not row.variable}
    on_write = {row.suffix for row in ROWS if row.period is Period.ON_WRITE}
    monitors = {row.suffix for row in ROWS if row.period is Period.SCAN} | {"SCANMON_SEVR"}
    assert without == on_write | monitors | {"HEARTBEAT", "START_CNT"}


def test_every_period_that_a_pv_holds_is_such_a_pv() -> None:
    held = {period.value for period in SCHEDULED}
    assert held == {row.suffix for row in ROWS if row.drvh} - {"UPD_TIME"}


def test_the_helper_serves_every_row_and_nothing_else() -> None:
    helper = StatusHelper("x:Ioc:")
    assert sorted(helper.pvdb) == sorted(f"x:Ioc:{suffix}" for suffix in TABLE)


def test_what_survives_a_restart_is_marked_for_autosave() -> None:
    helper = StatusHelper("x:")
    marks = {pv.name: pv.pvspec.autosave for pv in helper.pvdb.values() if pv.pvspec.autosave}
    assert {name for name, mark in marks.items() if mark is True} == {"x:START_CNT", "x:ACCESS"}
    # Of the others their limits are saved, not their values.
    fields = {f"x:{row.suffix}": row.saved_fields for row in ROWS if row.saved_fields}
    assert {name: mark for name, mark in marks.items() if mark is not True} == fields


def test_fields_to_be_saved_are_those_that_iocstats_names() -> None:
    upper = ("HIHI", "HIGH")
    lower = ("LOW", "LOLO")
    both = ("HOPR", "LOPR", *upper, *lower, "HHSV", "HSV", "LSV", "LLSV")
    free = ("HOPR", "LOPR", *lower, "LSV", "LLSV")
    saved = {row.suffix: row.saved_fields for row in ROWS if row.saved_fields}
    assert saved.pop("LOOP_LAG_MAX") == ("HOPR", "LOPR", *upper, "HHSV", "HSV")
    assert saved == {
        "CA_CLNT_CNT": both,
        "CA_CONN_CNT": both,
        "SYS_CPU_LOAD": both,
        "IOC_CPU_LOAD": both,
        "SUSP_TASK_CNT": both,
        "FD_FREE": free,
        "MEM_FREE": free,
    }


def test_before_the_first_reading_numbers_are_undefined_not_in_some_other_alarm() -> None:
    helper = StatusHelper("x:")
    for row in ROWS:
        pv = helper.pvdb[f"x:{row.suffix}"]
        if row.numeric and (row.reading or row.seconds):
            assert (pv.status.name, pv.severity.name) == ("UDF", "INVALID_ALARM"), row.suffix
        else:
            assert pv.severity.name == "NO_ALARM", row.suffix


def test_limits_without_a_value_put_nothing_into_alarm() -> None:
    assert math.isnan(TABLE["HEARTBEAT"].hihi)
    helper = StatusHelper("x:")
    for value in (-1e9, 0.0, 1e9):
        assert helper.pvdb["x:HEARTBEAT"].alarm_of(value) == (0, 0)


@pytest.mark.parametrize("row", [r for r in ROWS if r.saved_fields], ids=lambda row: row.suffix)
def test_fields_to_be_saved_exist_and_can_be_written(row: StatusPv) -> None:
    fields_of = StatusHelper("x:").pvdb[f"x:{row.suffix}"].fields
    for name in row.saved_fields:
        fields_of[name].restore(fields_of[name].value)
