"""What ties a field to its record: how it is read, and what writing it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from ioc_ops.ca import EventMask
from ioc_ops.channel import (
    AlarmSeverity,
    ChannelChar,
    ChannelDouble,
    ChannelEnum,
    ChannelInteger,
    ChannelNumeric,
    ChannelShort,
    ChannelString,
    StateAlarms,
    Value,
)
from ioc_ops.channel.convert import encode_text
from ioc_ops.records.following import process
from ioc_ops.records.tables import choices_of, fields_of

__all__ = ["STATE_NAMES", "STATE_SEVERITIES", "Link", "links_of"]

Record = Any
"""A PV whose fields these are; which attributes it has depends on its type."""

_VALUE = int(EventMask.VALUE | EventMask.LOG)
_ALARM = int(EventMask.ALARM)
_PROPERTY = int(EventMask.PROPERTY)

STATE_NAMES = tuple(
    "ZRST ONST TWST THST FRST FVST SXST SVST EIST NIST TEST ELST TVST TTST FTST FFST".split()
)
"""Fields of mbbi and mbbo with the names of their states, in order."""

STATE_SEVERITIES = tuple([name[:2] + "SV" for name in STATE_NAMES])
"""Fields with the alarm severities of those states."""

_BITS = 32
_ALL_BITS = (1 << _BITS) - 1
# Index in menuFtype by native DBR type.
_FTYPES = (0, 3, 9, 11, 2, 5, 10)


def _always(record: Record) -> bool:
    return True


def _numeric(record: Record) -> bool:
    return isinstance(record, ChannelNumeric)


def _integer(record: Record) -> bool:
    return isinstance(record, (ChannelInteger, ChannelShort)) and not record.is_array


def _scalar(record: Record) -> bool:
    return _numeric(record) and not record.is_array


def _floating(record: Record) -> bool:
    return isinstance(record, ChannelDouble)


def _text(record: Record) -> bool:
    return isinstance(record, ChannelChar) or (
        isinstance(record, ChannelString) and not record.is_array
    )


def _enumerated(record: Record) -> bool:
    return isinstance(record, ChannelEnum)


@dataclass(frozen=True, slots=True)
class Link:
    """One field.

    ``read`` gives what the field shows, ``write`` changes the record (and leaves it to the field
    to tell others), ``act`` is awaited when somebody writes the field; ``events`` of the record
    change what it shows, and ``applies`` tells for which PVs the field is tied at all.
    """

    read: Callable[[Record], Value]
    write: Callable[[Record, Value], None] | None = None
    act: Callable[[Any, Value], Any] | None = None
    events: int = 0
    applies: Callable[[Record], bool] = _always


def _severity_of(choice: Value) -> AlarmSeverity:
    return AlarmSeverity(choices_of("menuAlarmSevr").index(choice))


# -- metadata ---------------------------------------------------------------------------


def _metadata(name: str, default: Value = 0) -> Link:
    def read(record: Record) -> Value:
        value = getattr(record.metadata, name)
        return default if value is None else value

    def write(record: Record, value: Value) -> None:
        record.update_metadata(publish=False, **{name: value})

    return Link(read, write, events=_PROPERTY, applies=_numeric)


def _severity(name: str, applies: Callable[[Record], bool] = _numeric) -> Link:
    def read(record: Record) -> Value:
        return int(getattr(record.metadata, name))

    def write(record: Record, value: Value) -> None:
        record.update_metadata(publish=False, **{name: _severity_of(value)})

    return Link(read, write, events=_PROPERTY, applies=applies)


# -- states -----------------------------------------------------------------------------


def _state_name(index: int, *, posts_value: bool) -> Link:
    def read(record: Record) -> Value:
        states = record.enum_strings
        return states[index] if index < len(states) else ""

    def write(record: Record, value: Value) -> None:
        states = [*record.enum_strings, *[""] * 16][: max(len(record.enum_strings), index + 1)]
        states[index] = value
        while states and not states[-1]:
            states.pop()
        record.update_metadata(publish=False, enum_strings=tuple(states))
        if posts_value and index == record.raw_value:
            record.post(_VALUE)  # special() in mbbiRecord.c, and not in biRecord.c

    return Link(read, write, events=_PROPERTY, applies=_enumerated)


def _state_alarm(
    read_from: Callable[[StateAlarms], int], change: Callable[[StateAlarms, int], StateAlarms]
) -> Link:
    def read(record: Record) -> Value:
        return read_from(record.state_alarms or StateAlarms())

    def write(record: Record, value: Value) -> None:
        record.state_alarms = change(record.state_alarms or StateAlarms(), _severity_of(value))

    return Link(read, write, applies=_enumerated)


def _state_severity(index: int) -> Link:
    def change(alarms: StateAlarms, severity: int) -> StateAlarms:
        states = list(alarms.states)
        states[index] = severity
        return replace(alarms, states=tuple(states))

    return _state_alarm(lambda alarms: alarms.states[index], change)


# -- values -----------------------------------------------------------------------------


async def _process(field: Any, value: Value) -> None:
    await process(field.record)


async def _write_index(field: Any, value: Value) -> None:
    await field.record.write(int(value))


def _bit(index: int) -> Link:
    def read(record: Record) -> Value:
        return int(record.value) >> index & 1

    async def act(field: Any, value: Value) -> None:
        number = int(field.record.value) & _ALL_BITS & ~(1 << index) | bool(value) << index
        # VAL is a signed integer of as many bits.
        await field.record.write(number - _ALL_BITS - 1 if number >> _BITS - 1 else number)

    return Link(read, act=act, events=_VALUE, applies=_integer)


def _value(read: Callable[[Record], Value], applies: Callable[[Record], bool] = _always) -> Link:
    return Link(read, events=_VALUE, applies=applies)


def _posted(name: str) -> Link:
    def read(record: Record) -> Value:
        return record.value if record.deadband is None else getattr(record.deadband, name)

    return _value(read, _scalar)


def _posts(event: int) -> Link:
    def read(record: Record) -> Value:
        return "On Change" if record.only_changes & event else "Always"

    def write(record: Record, value: Value) -> None:
        kept = record.only_changes & ~event
        record.only_changes = kept | event if value == "On Change" else kept

    return Link(read, write, applies=lambda record: hasattr(record, "only_changes"))


# -- what changes a record without being part of its value ------------------------------


def _acknowledge(record: Record, value: Value) -> None:
    record.alarm.acknowledge(_severity_of(value))


def _require_acknowledge(record: Record, value: Value) -> None:
    record.alarm.require_acknowledge(value == "YES")


def _disable(record: Record, value: Value) -> None:
    record.blocked = bool(value)


def _group(record: Record, value: Value) -> None:
    record.asg = value or "DEFAULT"


def _describe(record: Record, value: Value) -> None:
    record.description = value


_EVERY: dict[str, Link] = {
    "NAME": Link(lambda record: record.name),
    "RTYP": Link(lambda record: record.reported_record_type),
    "DESC": Link(lambda record: record.description, _describe),
    "ASG": Link(lambda record: "" if record.asg == "DEFAULT" else record.asg, _group),
    "STAT": Link(lambda record: record.alarm.status, events=_ALARM),
    "SEVR": Link(lambda record: record.alarm.severity, events=_ALARM),
    "AMSG": Link(lambda record: record.alarm.alarm_string, events=_ALARM),
    "ACKS": Link(lambda record: record.alarm.severity_to_acknowledge, _acknowledge, events=_ALARM),
    "ACKT": Link(
        lambda record: int(record.alarm.must_acknowledge_transient),
        _require_acknowledge,
        events=_ALARM,
    ),
    "DISP": Link(lambda record: int(record.blocked), _disable),
    "PROC": Link(lambda record: 0, act=_process),
}

_NUMBER: dict[str, Link] = {
    "EGU": _metadata("units", ""),
    "PREC": _metadata("precision"),
    "HOPR": _metadata("upper_disp_limit"),
    "LOPR": _metadata("lower_disp_limit"),
    "DRVH": _metadata("drive_high"),
    "DRVL": _metadata("drive_low"),
    "HIHI": _metadata("upper_alarm_limit"),
    "LOLO": _metadata("lower_alarm_limit"),
    "HIGH": _metadata("upper_warning_limit"),
    "LOW": _metadata("lower_warning_limit"),
    "HHSV": _severity("upper_alarm_severity"),
    "LLSV": _severity("lower_alarm_severity"),
    "HSV": _severity("upper_warning_severity"),
    "LSV": _severity("lower_warning_severity"),
    "HYST": _metadata("hysteresis"),
    "MDEL": _metadata("value_atol"),
    "ADEL": _metadata("log_atol"),
    "MLST": _posted("posted"),
    "ALST": _posted("logged"),
    "LALM": _value(
        lambda record: record.value if record.limit_passed is None else record.limit_passed,
        _scalar,
    ),
}

_UNDEFINED: dict[str, Link] = {
    "UDF": Link(
        lambda record: int(not record.is_array and record.value != record.value),
        events=_VALUE,
        applies=_floating,
    ),
    "UDFS": _severity("undefined_severity", _floating),
}

_STATES: dict[str, Link] = {
    "SDEF": Link(
        lambda record: int(any(record.enum_strings)), events=_PROPERTY, applies=_enumerated
    ),
    "RVAL": Link(
        lambda record: record.raw_value, act=_write_index, events=_VALUE, applies=_enumerated
    ),
    "UNSV": _state_alarm(lambda a: a.unknown, lambda a, severity: replace(a, unknown=severity)),
    "COSV": _state_alarm(lambda a: a.change, lambda a, severity: replace(a, change=severity)),
    "ZNAM": _state_name(0, posts_value=False),
    "ONAM": _state_name(1, posts_value=False),
    "ZSV": _state_severity(0),
    "OSV": _state_severity(1),
    **{name: _state_name(index, posts_value=True) for index, name in enumerate(STATE_NAMES)},
    **{name: _state_severity(index) for index, name in enumerate(STATE_SEVERITIES)},
}

_POSTS = {"MPST": _posts(EventMask.VALUE), "APST": _posts(EventMask.LOG)}
_SIZE = Link(lambda record: record.max_length)
_ARRAY: dict[str, Link] = {
    "NELM": _SIZE,
    "MALM": _SIZE,
    "NSAM": _SIZE,
    "NORD": _value(lambda record: record.length),
    "NUSE": _value(lambda record: record.length),
    "FTVL": Link(lambda record: _FTYPES[record.data_type]),
    **_POSTS,
    **{name: _NUMBER[name] for name in ("EGU", "PREC", "HOPR", "LOPR")},
}
_TEXT: dict[str, Link] = {
    **_POSTS,
    "SIZV": _SIZE,
    "LEN": _value(lambda r: len(encode_text(r.value, r.string_encoding)) + 1, _text),
}
_DIRECT = {f"B{index:X}": _bit(index) for index in range(_BITS)}
_OUTPUT = {"OVAL": _value(lambda record: record.value, _scalar)}
# The motor record shows its soft limits as its range, and has no use for HOPR and LOPR.
_MOTOR = {"HLM": _NUMBER["HOPR"], "LLM": _NUMBER["LOPR"]}
_MOTOR |= {name: link for name, link in _NUMBER.items() if name not in ("HOPR", "LOPR")}

_BY_TYPE: dict[str, Mapping[str, Link]] = {
    **dict.fromkeys(("bi", "bo", "mbbi", "mbbo"), _STATES),
    **dict.fromkeys(("mbbiDirect", "mbboDirect"), _DIRECT),
    **dict.fromkeys(("aai", "aao", "waveform", "subArray", "compress", "histogram"), _ARRAY),
    **dict.fromkeys(("lsi", "lso", "printf"), _TEXT),
    **dict.fromkeys(("stringin", "stringout"), _POSTS),
    "ao": _NUMBER | _UNDEFINED | _OUTPUT,
    "motor": _MOTOR | _UNDEFINED,
    "dfanout": _NUMBER,  # hands on whatever it is given
}
"""What a name means depends on the type: HIGH of ai is a limit, that of bo a time."""


@cache
def links_of(record_type: str) -> Mapping[str, Link]:
    """The tied fields of a record type by name; any other keeps what is written to it."""
    links = _EVERY | dict(_BY_TYPE.get(record_type, _NUMBER | _UNDEFINED))
    return {name: link for name, link in links.items() if name in fields_of(record_type)}
