"""What a numeric field shows beside its value: units, precision and ranges of its record.

In EPICS Base that is code of each record type (get_units, get_precision, get_graphic_double,
get_control_double); here it is four columns of the table of fields.
"""

from collections.abc import Callable, Mapping

from ioc_ops.channel import AlarmSeverity, ChannelData, ChannelNumeric, Metadata
from ioc_ops.channel.metadata import PLAIN, shared_metadata
from ioc_ops.records.tables import FieldSpec

__all__ = ["metadata_of"]

_Range = tuple[float, float]

# Range of a database type (getMaxRangeValues in EPICS Base recGbl.c).
_RANGES: dict[str, _Range] = {
    "UCHAR": (0, 0xFF),
    "SHORT": (-0x8000, 0x7FFF),
    "USHORT": (0, 0xFFFF),
    "ENUM": (0, 0xFFFF),
    "LONG": (-0x80000000, 0x7FFFFFFF),
    "ULONG": (0, 0xFFFFFFFF),
    "INT64": (-(2.0**63), 2.0**63),
    "UINT64": (0, 2.0**64),
    "FLOAT": (-1e30, 1e30),
    "DOUBLE": (-1e300, 1e300),
    "NOACCESS": (-1e300, 1e300),
}
_NO_SEVERITIES = tuple(
    [
        (f"{side}_{kind}_severity", AlarmSeverity.NO_ALARM)
        for side in ("upper", "lower")
        for kind in ("alarm", "warning")
    ]
)
# Ranges that the record shows for its value, and so knows without its fields.
_OWN: dict[str, Callable[[Metadata], _Range]] = {
    "LOPR:HOPR": lambda own: (own.limits.lower_disp, own.limits.upper_disp),
    "DRVL:DRVH": lambda own: (own.limits.lower_ctrl, own.limits.upper_ctrl),
}


def metadata_of(spec: FieldSpec, fields: Mapping[str, ChannelData]) -> Metadata:
    """What a field shows as things are.

    Args:
        spec: of the field.
        fields: of its record; ``VAL`` is the record's PV.
    """
    record = fields["VAL"]
    own = record.metadata if isinstance(record, ChannelNumeric) else PLAIN
    lower_disp, upper_disp = _range(spec.display, spec.dbf, own, fields)
    lower_ctrl, upper_ctrl = _range(spec.control, spec.dbf, own, fields)
    return shared_metadata(
        ("units", spec.units.replace("EGU", own.units)),
        ("precision", own.precision if spec.precision == "PREC" else _number(spec.precision)),
        ("upper_disp_limit", upper_disp),
        ("lower_disp_limit", lower_disp),
        ("upper_ctrl_limit", upper_ctrl),
        ("lower_ctrl_limit", lower_ctrl),
        # A field has no alarm limits of its own, which shows as NaN.
        ("by_severity", True),
        *_NO_SEVERITIES,
    )


def _number(text: str) -> int | None:
    return int(text) if text else None


def _range(text: str, dbf: str, own: Metadata, fields: Mapping[str, ChannelData]) -> _Range:
    if not text:
        return _RANGES[dbf]
    if text in _OWN:
        return _OWN[text](own)
    low, high = text.split(":")
    return _bound(low, fields), _bound(high, fields)


def _bound(text: str, fields: Mapping[str, ChannelData]) -> float:
    return float(fields[text].value if text in fields else text)
