"""What makes a PV behave as a record of EPICS Base."""

from collections.abc import Mapping
from typing import Any

from ioc_ops.channel import AlarmSeverity, ChannelData, ChannelDouble, ChannelNumeric, EventMask
from ioc_ops.group.types import PvpropertyData
from ioc_ops.records import RecordFields, choices_of, fields_of

__all__ = ["finish_record", "record_defaults"]

_VALUE_LOG = int(EventMask.VALUE | EventMask.LOG)


def record_defaults(
    table: str, cls: type[ChannelData], declared: Mapping[str, Any]
) -> dict[str, Any]:
    """Arguments of a PV's class that its record type gives where the declaration says nothing.

    Limits of a record have severities of their own, NO_ALARM where no limits are declared; a
    value that is not a number is undefined; a record with MLST posts only changes.

    Args:
        table: record type of EPICS Base, or motor.
        cls: of the PV.
        declared: what the declaration says.
    """
    if not issubclass(cls, ChannelNumeric):
        return {}
    defaults: dict[str, Any] = {"by_severity": True}
    # A dfanout hands on whatever it is given.
    if issubclass(cls, ChannelDouble) and table != "dfanout":
        defaults["undefined_severity"] = AlarmSeverity.INVALID_ALARM
    for kind, severity in (
        ("alarm", AlarmSeverity.MAJOR_ALARM),
        ("warning", AlarmSeverity.MINOR_ALARM),
    ):
        low, high = (declared.get(f"{side}_{kind}_limit", 0) for side in ("lower", "upper"))
        wanted = severity if low != high else AlarmSeverity.NO_ALARM
        defaults[f"lower_{kind}_severity"] = defaults[f"upper_{kind}_severity"] = wanted
    if "MLST" in fields_of(table):
        defaults["value_atol"] = defaults["log_atol"] = 0
    return defaults


def finish_record(channel: PvpropertyData, fields: type[RecordFields]) -> None:
    """What of a record is no argument of its PV's class."""
    specs = fields_of(fields.table)
    posts = choices_of(specs["MPST"].menu)[0] if "MPST" in specs else ""
    if hasattr(channel, "only_changes") and (specs["VAL"].dbf == "ENUM" or posts == "On Change"):
        channel.only_changes = _VALUE_LOG
    if fields.watches_writes:
        _ = channel.fields  # they put themselves between the putter and the value
