"""The table against the 122 PVs of a live iocStats IOC, and against the code that uses it."""

import json
import math
from dataclasses import fields
from operator import attrgetter
from pathlib import Path

import pytest

from ioc_ops.channel import ChannelType
from ioc_ops.status import TABLE, Period, Readings, StatusHelper, StatusPv
from ioc_ops.status.table import ACCESS_SEVERITIES, ACCESS_STATES, SCHEDULED

LIVE = json.loads((Path(__file__).parent / "iocstats_live.json").read_text())["pvs"]
ROWS = sorted(TABLE.values(), key=lambda row: row.suffix)

# Names that caproto added; iocStats has no such PV.
OF_CAPROTO = {"SOURCE_FILE", "NumThreads"}

LIMITS = {
    "upper_disp_limit": "hopr",
    "lower_disp_limit": "lopr",
    "upper_alarm_limit": "hihi",
    "upper_warning_limit": "high",
    "lower_warning_limit": "low",
    "lower_alarm_limit": "lolo",
    "upper_ctrl_limit": "drvh",
    "lower_ctrl_limit": "drvl",
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.suffix)
def test_a_row_says_what_iocstats_serves(row: StatusPv) -> None:
    if row.suffix in OF_CAPROTO:
        assert row.suffix not in LIVE
        return
    live = LIVE[row.suffix]
    assert (row.data_type.name, row.length) == (live["dbr"], live["count"])
    if row.data_type is ChannelType.DOUBLE:
        assert (row.units, row.precision) == (live["units"], live["precision"])
        served = {name: getattr(row, field) for name, field in LIMITS.items()}
        assert served == pytest.approx({name: float(live[name]) for name in LIMITS}, nan_ok=True)


def test_access_has_the_states_of_iocstats_and_a_severity_for_each() -> None:
    assert list(ACCESS_STATES) == LIVE["ACCESS"]["enums"]
    assert len(ACCESS_SEVERITIES) == len(ACCESS_STATES)


@pytest.mark.parametrize("row", [r for r in ROWS if r.reading], ids=lambda row: row.suffix)
def test_a_reading_is_a_field_of_readings(row: StatusPv) -> None:
    assert row.reading is not None
    source, field = row.reading.split(".")
    assert field in {f.name for f in fields(getattr(Readings(), source))}
    assert attrgetter(row.reading)(Readings()) is None


def test_rows_without_a_reading_are_set_by_hooks_or_clients() -> None:
    without = {row.suffix for row in ROWS if row.reading is None}
    on_write = {row.suffix for row in ROWS if row.period is Period.ON_WRITE}
    assert without == on_write | {"HEARTBEAT", "START_CNT"}


def test_every_period_that_a_pv_holds_is_such_a_pv() -> None:
    held = {period.value for period in SCHEDULED}
    assert held == {suffix for suffix in TABLE if suffix.endswith("_UPD_TIME")}


def test_the_helper_serves_every_row_and_nothing_else() -> None:
    helper = StatusHelper("x:Ioc:")
    assert sorted(helper.pvdb) == sorted(f"x:Ioc:{suffix}" for suffix in TABLE)


def test_what_survives_a_restart_is_marked_for_autosave() -> None:
    helper = StatusHelper("x:")
    marked = {name for name, pv in helper.pvdb.items() if pv.pvspec.autosave}
    assert marked == {"x:START_CNT", "x:ACCESS"}


def test_before_the_first_reading_numbers_are_undefined_not_in_some_other_alarm() -> None:
    helper = StatusHelper("x:")
    for row in ROWS:
        pv = helper.pvdb[f"x:{row.suffix}"]
        if row.reading and row.data_type is ChannelType.DOUBLE:
            assert (pv.status.name, pv.severity.name) == ("UDF", "INVALID_ALARM"), row.suffix
        else:
            assert pv.severity.name == "NO_ALARM", row.suffix


def test_limits_without_a_value_put_nothing_into_alarm() -> None:
    assert math.isnan(TABLE["HEARTBEAT"].hihi)
    helper = StatusHelper("x:")
    for value in (-1e9, 0.0, 1e9):
        assert helper.pvdb["x:HEARTBEAT"].alarm_of(value) == (0, 0)
