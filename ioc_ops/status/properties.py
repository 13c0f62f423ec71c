"""From a row of the table to a pvproperty, and from readings to PVs."""

import logging
from collections.abc import Awaitable, Callable, Collection
from math import isnan
from operator import attrgetter
from typing import Any

from ioc_ops.channel import AlarmSeverity, AlarmStatus, ChannelEnum, ChannelType, StateAlarms
from ioc_ops.group import PVGroup, PvpropertyData, pvproperty
from ioc_ops.status.formats import clip
from ioc_ops.status.readings import Readings
from ioc_ops.status.row import Period, StatusPv
from ioc_ops.status.table import SCHEDULED, TABLE

__all__ = ["prepare", "scan_of", "show", "status_pv"]

# Hooks are functions of a group's class; each checks its own arguments.
Hook = Callable[..., Awaitable[None]]

_log = logging.getLogger(__name__)

_NOT_AVAILABLE = "<not available>"

_MAJOR, _MINOR = AlarmSeverity.MAJOR_ALARM, AlarmSeverity.MINOR_ALARM
_MOST_STATES = 16

_PASSIVE = "Passive"

# By suffix of the PV whose other names they are.
_ALIASES: dict[str, list[str]] = {}
for _row in TABLE.values():
    if _row.alias_of:
        _ALIASES.setdefault(_row.alias_of, []).append(_row.suffix)


def status_pv(suffix: str, *, put: Hook | None = None, startup: Hook | None = None) -> pvproperty:
    """The property of a row of ``TABLE``; KeyError if there is no such row."""
    row = TABLE[suffix]
    return pvproperty(
        name=row.suffix,
        value=row.value,
        dtype=row.data_type,
        record=row.record,
        max_length=row.length if row.length > 1 else None,
        doc=row.doc,
        put=put,
        startup=startup,
        read_only=row.read_only,
        # What ioc_ops.autosave, a brother that is not to be imported, takes for a tag: True saves
        # the value, a tuple these fields alone. Values that change all the time would be written
        # to the disk all the time.
        autosave=row.saved or row.saved_fields or None,
        **_metadata(row),
    )


def _metadata(row: StatusPv) -> dict[str, Any]:
    if row.states:
        return {"enum_strings": row.states}
    if not row.numeric:
        return {}
    said: dict[str, Any] = {"units": row.units}
    if row.data_type is ChannelType.DOUBLE:
        said["precision"] = row.precision
    said["lower_disp_limit"], said["upper_disp_limit"] = row.lopr, row.hopr
    if row.drvh:
        said["drive_low"], said["drive_high"] = row.drvl, row.drvh
    for name, limit, severity in (
        ("upper_alarm", row.hihi, _MAJOR),
        ("upper_warning", row.high, _MINOR),
        ("lower_warning", row.low, _MINOR),
        ("lower_alarm", row.lolo, _MAJOR),
    ):
        given = not isnan(limit)
        said[f"{name}_severity"] = severity if given else AlarmSeverity.NO_ALARM
        if given:
            said[f"{name}_limit"] = limit
    return said


def scan_of(row: StatusPv) -> str:
    """What SCAN of a PV reads: one of menuScan of EPICS Base.

    PVs whose period clients set are I/O Intr, as in iocStats.
    """
    if row.period is Period.SECOND:
        return "1 second"
    if row.period is Period.SCAN:
        return f"{row.seconds:g} second".removeprefix("0")
    return "I/O Intr" if row.period in SCHEDULED else _PASSIVE


def prepare(group: PVGroup) -> None:
    """Give the PVs of ``group`` what a declaration cannot say: aliases, SCAN, states' severities.

    Numbers that are still to be read are UDF/INVALID, as records are: their initial 0 means
    nothing, and for some it lies beyond an alarm limit.
    """
    for attr, instance in list(group.attr_pvdb.items()):
        row = _row_of(instance)
        if row is None:
            continue
        for alias in _ALIASES.get(row.suffix, ()):
            group.add_alias(alias, attr)
        scan = scan_of(row)
        if scan != _PASSIVE:
            instance.fields["SCAN"].restore(scan)
        if row.numeric and (row.reading or row.seconds):
            instance.alarm.change(AlarmStatus.UDF, AlarmSeverity.INVALID_ALARM)
        if row.record == "sub":
            instance.fields["BRSV"].restore("INVALID")  # as every sub record of iocStats has it
        if row.severities and isinstance(instance, ChannelEnum):
            unused = (0,) * (_MOST_STATES - len(row.severities))
            instance.state_alarms = StateAlarms(states=row.severities + unused)


async def show(group: PVGroup, readings: Readings, periods: Collection[Period]) -> None:
    """Write to the PVs of ``group`` that belong to ``periods`` what was read.

    A number that could not be read makes its PV UDF/INVALID with the value it had; a missing
    text reads ``<not available>``, an environment variable that is not set its default. A PV
    that cannot be written costs itself alone.
    """
    for instance in group.attr_pvdb.values():
        row = _row_of(instance)
        if row is None or row.period not in periods:
            continue
        try:
            if row.variable:
                value = readings.host.environment.get(row.variable, str(row.value))
                await instance.write(clip(value), verify_value=False)
            elif row.reading is not None:
                await _write(instance, row, attrgetter(row.reading)(readings))
        except Exception:
            _log.exception("status: cannot update %s", instance.name)


def _row_of(instance: PvpropertyData) -> StatusPv | None:
    return TABLE.get(instance.pvspec.name)


async def _write(instance: PvpropertyData, row: StatusPv, value: float | str | None) -> None:
    # verify_value=False: what was read is true whatever clients may write, and no hook is to run.
    if not row.numeric:
        text = _NOT_AVAILABLE if value is None else str(value)
        # The arrays of iocStats hold a terminating NUL as well.
        text = clip(text, row.length - 1) if row.length > 1 else clip(text)
        await instance.write(text, verify_value=False)
    elif value is None:
        await instance.alarm.write(status=AlarmStatus.UDF, severity=AlarmSeverity.INVALID_ALARM)
    else:
        await instance.write(float(value), verify_value=False)
