"""Ours: plain PVs of the names, types and metadata of the records in base_ioc.py."""

from typing import Any

from ioc_ops.channel import (
    AccessRights,
    ChannelByte,
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelFloat,
    ChannelInteger,
    ChannelShort,
    ChannelString,
)
from ioc_ops.server import run


class Reading(ChannelDouble):
    """Clients may not write."""

    read_only = True


class Counting(ChannelInteger):
    """Clients may not write."""

    read_only = True


class Nothing(ChannelDouble):
    """Clients may neither read nor write."""

    def check_access(self, hostname: str, username: str) -> AccessRights:
        return AccessRights.NO_ACCESS


LIMITS: dict[str, Any] = {
    "upper_disp_limit": 100,
    "lower_disp_limit": -100,
    "upper_alarm_limit": 80,
    "upper_warning_limit": 70,
    "lower_warning_limit": -70,
    "lower_alarm_limit": -80,
}
DRIVEN = LIMITS | {"upper_ctrl_limit": 90, "lower_ctrl_limit": -90}
WAVEFORM: dict[str, Any] = {
    "units": "mm",
    "upper_disp_limit": 100,
    "lower_disp_limit": -100,
    "upper_ctrl_limit": 100,
    "lower_ctrl_limit": -100,
    "reported_record_type": "waveform",
}


def record(kind: str) -> dict[str, str]:
    return {"reported_record_type": kind}


CHANNELS: list[ChannelData] = [
    ChannelDouble(1.5, name="ao", precision=3, units="mm", **LIMITS, **record("ao")),
    ChannelDouble(1.5, name="al", precision=3, units="mm", **DRIVEN, **record("ao")),
    ChannelInteger(7, name="lo", units="counts", **LIMITS, **record("longout")),
    ChannelEnum(1, name="mb", enum_strings=("Off", "On", "Fault"), **record("mbbo")),
    ChannelEnum(0, name="bo", enum_strings=("Open", "Closed"), **record("bo")),
    ChannelString("hello", name="so", **record("stringout")),
    Reading(2.5, name="ro", precision=3, **record("ao")),
    Nothing(2.5, name="no", precision=3, **record("ao")),
    Counting(0, name="wd.NORD", **record("waveform")),
    ChannelDouble([], name="wd", max_length=5, precision=3, **WAVEFORM),
    ChannelFloat([], name="wf", max_length=5, precision=3, **WAVEFORM),
    ChannelInteger([], name="wl", max_length=5, **WAVEFORM),
    ChannelShort([], name="ws", max_length=5, **WAVEFORM),
    ChannelByte(b"", name="wc", max_length=12, strip_null_terminator=False, **record("waveform")),
    ChannelString([], name="wt", max_length=3, **record("waveform")),
    ChannelFloat(0.0, name="f1", precision=0, **record("waveform")),
    ChannelShort(0, name="s1", **record("waveform")),
]


def main() -> None:
    """Serve until SIGTERM."""

    async def ready(async_lib: object) -> None:
        print("ready", flush=True)

    run({channel.name: channel for channel in CHANNELS}, startup_hook=ready)


main()
