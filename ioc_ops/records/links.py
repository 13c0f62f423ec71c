"""What ties a field to its record: how it is read, and what writing it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ioc_ops.channel import AlarmSeverity, ChannelData, ChannelEnum, ChannelNumeric, Value

__all__ = ["LINKS", "STATE_NAMES", "STATE_SEVERITIES", "Link"]

Record = Any
"""A PV whose fields these are; which attributes it has depends on its type."""


def _always(record: Record) -> bool:
    return True


def _numeric(record: Record) -> bool:
    return isinstance(record, ChannelNumeric)


def _enumerated(record: Record) -> bool:
    return isinstance(record, ChannelEnum)


@dataclass(frozen=True, slots=True)
class Link:
    """One field.

    ``read`` gives what the field shows, ``write`` changes the record, ``act`` is awaited
    when a client writes the field; ``applies`` tells for which PVs the field is tied at all.
    """

    read: Callable[[Record], Value]
    write: Callable[[Record, Value], None] | None = None
    act: Callable[[Any, Value], Any] | None = None
    applies: Callable[[Record], bool] = _always


def _metadata(name: str, default: Value = None) -> Link:
    def read(record: Record) -> Value:
        value = getattr(record.metadata, name)
        return default if value is None else value

    def write(record: Record, value: Value) -> None:
        record.update_metadata(**{name: value})

    return Link(read, write, applies=_numeric)


def _severity(name: str) -> Link:
    def read(record: Record) -> Value:
        return int(getattr(record.metadata, name))

    def write(record: Record, value: Value) -> None:
        names = ("NO_ALARM", "MINOR", "MAJOR", "INVALID")
        record.update_metadata(**{name: AlarmSeverity(names.index(value))})

    return Link(read, write, applies=_numeric)


def _state_name(index: int) -> Link:
    def read(record: Record) -> Value:
        states = record.enum_strings
        return states[index] if index < len(states) else ""

    def write(record: Record, value: Value) -> None:
        states = [*record.enum_strings, *[""] * 16][: max(len(record.enum_strings), index + 1)]
        states[index] = value
        while states and not states[-1]:
            states.pop()
        record.update_metadata(enum_strings=tuple(states))

    return Link(read, write, applies=_enumerated)


def _state_severity(index: int) -> Link:
    def read(record: Record) -> Value:
        severities = record.state_severities
        return int(severities[index]) if index < len(severities) else 0

    def write(record: Record, value: Value) -> None:
        names = ("NO_ALARM", "MINOR", "MAJOR", "INVALID")
        severities = [*record.state_severities, *[0] * 16][:16]
        severities[index] = names.index(value)
        record.set_state_severities(tuple(severities))

    return Link(read, write, applies=_enumerated)


async def _process(field: Any, value: Value) -> None:
    record: ChannelData = field.record
    await record.write(record.value)


def _acknowledge(record: Record, value: Value) -> None:
    record.alarm.acknowledge(("NO_ALARM", "MINOR", "MAJOR", "INVALID").index(value))


def _require_acknowledge(record: Record, value: Value) -> None:
    record.alarm.require_acknowledge(value == "YES")


def _disable(record: Record, value: Value) -> None:
    record.blocked = bool(value)


def _index(record: Record, value: Value) -> None:
    record.assign(record.convert(int(value)))


def _group(record: Record, value: Value) -> None:
    record.asg = value or "DEFAULT"


def _describe(record: Record, value: Value) -> None:
    record.description = value


# Index in menuFtype by native DBR type.
_FTYPES = (0, 3, 9, 11, 2, 5, 10)

STATE_NAMES = tuple(
    "ZRST ONST TWST THST FRST FVST SXST SVST EIST NIST TEST ELST TVST TTST FTST FFST".split()
)
"""Fields of mbbi and mbbo with the names of their states, in order."""

STATE_SEVERITIES = tuple([name[:2] + "SV" for name in STATE_NAMES])
"""Fields with the alarm severities of those states."""

LINKS: dict[str, Link] = {
    "NAME": Link(lambda record: record.name),
    "RTYP": Link(lambda record: record.reported_record_type),
    "DESC": Link(lambda record: record.description, _describe),
    "ASG": Link(lambda record: getattr(record, "asg", ""), _group),
    "STAT": Link(lambda record: record.alarm.status),
    "SEVR": Link(lambda record: record.alarm.severity),
    "AMSG": Link(lambda record: record.alarm.alarm_string),
    "ACKS": Link(lambda record: record.alarm.severity_to_acknowledge, _acknowledge),
    "ACKT": Link(lambda record: int(record.alarm.must_acknowledge_transient), _require_acknowledge),
    "DISP": Link(lambda record: int(record.blocked), _disable),
    "PROC": Link(lambda record: 0, act=_process),
    "EGU": _metadata("units", ""),
    "PREC": _metadata("precision", 0),
    "HOPR": _metadata("upper_disp_limit", 0),
    "LOPR": _metadata("lower_disp_limit", 0),
    "DRVH": _metadata("drive_high", 0),
    "DRVL": _metadata("drive_low", 0),
    "HIHI": _metadata("upper_alarm_limit", 0),
    "LOLO": _metadata("lower_alarm_limit", 0),
    "HIGH": _metadata("upper_warning_limit", 0),
    "LOW": _metadata("lower_warning_limit", 0),
    "HHSV": _severity("upper_alarm_severity"),
    "LLSV": _severity("lower_alarm_severity"),
    "HSV": _severity("upper_warning_severity"),
    "LSV": _severity("lower_warning_severity"),
    "HYST": _metadata("hysteresis", 0),
    "MDEL": _metadata("value_atol", 0),
    "ADEL": _metadata("log_atol", 0),
    "ZNAM": _state_name(0),
    "ONAM": _state_name(1),
    "ZSV": _state_severity(0),
    "OSV": _state_severity(1),
    "NORD": Link(lambda record: record.length),
    "NELM": Link(lambda record: record.max_length),
    "FTVL": Link(lambda record: _FTYPES[record.data_type]),
    "SIZV": Link(lambda record: record.max_length),
    "LEN": Link(lambda record: record.length + 1),
    **{name: _state_name(index) for index, name in enumerate(STATE_NAMES)},
    **{name: _state_severity(index) for index, name in enumerate(STATE_SEVERITIES)},
}
"""By field name. A field that is not here keeps what is written to it, and no more."""
