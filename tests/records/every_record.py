"""A record of every type: a .db file for EPICS Base, and the same as an IOC of ours."""

from typing import Any

from ioc_ops.ca import ChannelType
from ioc_ops.records import record_types
from ioc_ops.server import PVGroup, pvproperty

TYPES = [kind for kind in record_types() if kind != "motor"]

DECLARED: dict[str, dict[str, Any]] = {
    "aSub": {"value": 0},
    "aai": {"value": [], "dtype": float, "max_length": 4},
    "aao": {"value": [], "dtype": float, "max_length": 4},
    "bi": {"value": 0, "dtype": ChannelType.ENUM, "enum_strings": ("Out", "In")},
    "bo": {"value": 0, "dtype": ChannelType.ENUM, "enum_strings": ("Shut", "Open")},
    "compress": {"value": [], "dtype": float, "max_length": 4},
    "histogram": {"value": [0.0] * 4},
    "lsi": {"value": "", "dtype": str, "max_length": 41},
    "lso": {"value": "", "dtype": str, "max_length": 41},
    "mbbi": {"value": 0, "dtype": ChannelType.ENUM, "enum_strings": ("Stop", "Go", "Wait")},
    "mbbo": {"value": 0, "dtype": ChannelType.ENUM, "enum_strings": ("Stop", "Go", "Wait")},
    "printf": {"value": "", "dtype": str, "max_length": 41},
    "subArray": {"value": [], "dtype": float, "max_length": 4},
    "waveform": {"value": [], "dtype": float, "max_length": 4},
}
"""What is declared where the record type alone does not tell."""

_STATES = {
    "bi": {"ZNAM": "Out", "ONAM": "In"},
    "bo": {"ZNAM": "Shut", "ONAM": "Open"},
    "mbbi": {"ZRST": "Stop", "ONST": "Go", "TWST": "Wait"},
    "mbbo": {"ZRST": "Stop", "ONST": "Go", "TWST": "Wait"},
}
_DOUBLES = {"FTVL": "DOUBLE", "NELM": "4"}
FIELDS: dict[str, dict[str, str]] = {
    **_STATES,
    "aai": _DOUBLES,
    "aao": _DOUBLES,
    "waveform": _DOUBLES,
    "subArray": {"FTVL": "DOUBLE", "NELM": "4", "MALM": "4"},
    "compress": {"NSAM": "4"},
    "histogram": {"NELM": "4"},
}
"""The same for EPICS Base."""


def database() -> str:
    """The .db file."""
    lines = []
    for kind in TYPES:
        fields = " ".join(f'field({k}, "{v}")' for k, v in FIELDS.get(kind, {}).items())
        lines.append(f'record({kind}, "R:{kind}") {{ {fields} }}')
    lines.append('record(longout, "R:fence") {}')
    lines.append('record(mbbo, "R:bare") {}')
    return "\n".join(lines) + "\n"


def every_record() -> PVGroup:
    """Our IOC."""
    body = {kind: pvproperty(record=kind, **DECLARED.get(kind, {})) for kind in TYPES}
    body["fence"] = pvproperty(record="longout")
    body["bare"] = pvproperty(record="mbbo")
    group: PVGroup = type("EveryRecord", (PVGroup,), body)(prefix="R:")
    return group
