"""From a row of the table to a pvproperty, and from readings to PVs."""

import logging
from collections.abc import Awaitable, Callable, Collection
from operator import attrgetter

from ioc_ops.channel import AlarmSeverity, AlarmStatus, ChannelType
from ioc_ops.group import PVGroup, PvpropertyData, pvproperty
from ioc_ops.status.formats import clip
from ioc_ops.status.readings import Readings
from ioc_ops.status.table import ACCESS_STATES, TABLE, Period, StatusPv

__all__ = ["mark_unread", "show", "status_pv"]

# Hooks are functions of a group's class; each checks its own arguments.
Hook = Callable[..., Awaitable[None]]

_log = logging.getLogger(__name__)

_NOT_AVAILABLE = "<not available>"


def status_pv(suffix: str, *, put: Hook | None = None, startup: Hook | None = None) -> pvproperty:
    """The property of a row of ``TABLE``; KeyError if there is no such row."""
    row = TABLE[suffix]
    # True is what ioc_ops.autosave takes for its usual tag; it is a brother, not to be imported.
    saved = True if row.saved else None
    if row.data_type is ChannelType.DOUBLE:
        return pvproperty(
            name=row.suffix,
            value=row.value,
            dtype=row.data_type,
            doc=row.doc,
            put=put,
            startup=startup,
            read_only=row.read_only,
            autosave=saved,
            units=row.units,
            precision=row.precision,
            lower_disp_limit=row.lopr,
            upper_disp_limit=row.hopr,
            lower_ctrl_limit=row.drvl,
            upper_ctrl_limit=row.drvh,
            upper_alarm_limit=row.hihi,
            upper_warning_limit=row.high,
            lower_warning_limit=row.low,
            lower_alarm_limit=row.lolo,
            # MDEL and ADEL of the records are 0: an update with the same value posts nothing.
            value_atol=0.0,
            log_atol=0.0,
        )
    if row.data_type is ChannelType.ENUM:
        return pvproperty(
            name=row.suffix,
            value=row.value,
            dtype=row.data_type,
            enum_strings=ACCESS_STATES,
            doc=row.doc,
            put=put,
            startup=startup,
            read_only=row.read_only,
            autosave=saved,
        )
    return pvproperty(
        name=row.suffix,
        value=row.value,
        dtype=row.data_type,
        max_length=row.length,
        doc=row.doc,
        put=put,
        startup=startup,
        read_only=row.read_only,
        autosave=saved,
    )


def mark_unread(group: PVGroup) -> None:
    """Put the numbers of ``group`` that are still to be read into UDF/INVALID, as records are.

    Their initial 0 means nothing, and for some it lies beyond an alarm limit.
    """
    for instance in group.pvdb.values():
        row = _row_of(instance)
        if row and row.reading and row.data_type is ChannelType.DOUBLE:
            instance.alarm.change(AlarmStatus.UDF, AlarmSeverity.INVALID_ALARM)


async def show(group: PVGroup, readings: Readings, periods: Collection[Period]) -> None:
    """Write to the PVs of ``group`` that belong to ``periods`` what was read.

    A number that could not be read makes its PV UDF/INVALID with the value it had; a missing
    text reads ``<not available>``. A PV that cannot be written costs itself alone.
    """
    for instance in group.pvdb.values():
        row = _row_of(instance)
        if row is None or row.reading is None or row.period not in periods:
            continue
        try:
            await _write(instance, row, attrgetter(row.reading)(readings))
        except Exception:
            _log.exception("status: cannot update %s", instance.name)


def _row_of(instance: PvpropertyData) -> StatusPv | None:
    return TABLE.get(instance.pvspec.name)


async def _write(instance: PvpropertyData, row: StatusPv, value: float | str | None) -> None:
    # verify_value=False: the control limits of these records are those of their displays, and
    # what was read is true on either side of them.
    if row.data_type is not ChannelType.DOUBLE:
        text = _NOT_AVAILABLE if value is None else str(value)
        if row.data_type is ChannelType.CHAR:
            # The arrays of iocStats hold a terminating NUL as well: as much text fits here.
            text = clip(text, row.length - 1)
        await instance.write(text, verify_value=False)
    elif value is None:
        await instance.alarm.write(status=AlarmStatus.UDF, severity=AlarmSeverity.INVALID_ALARM)
    else:
        await instance.write(float(value), verify_value=False)
