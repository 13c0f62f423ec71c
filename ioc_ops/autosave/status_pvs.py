"""The PVs by which operators watch one save set, ask for a save and take values back."""

import time
from itertools import islice

from ioc_ops.autosave.health import Health, State
from ioc_ops.autosave.restore import RestoreReport
from ioc_ops.autosave.stats import AutosaveStats
from ioc_ops.channel import AlarmSeverity, AlarmStatus, ChannelData, ChannelType
from ioc_ops.group import PVGroup, pvproperty

__all__ = ["AutosaveStatusPVs", "alarm_of", "clip", "show"]

_SAVE_STATES = ("No save", "Ok", "Warning", "Failure")
_RESTORE_STATES = ("No file", "Ok", "Warning", "Failure")
_INDICES = {State.NO_STATUS: 0, State.OK: 1, State.WARNING: 2}
_FAILURE = 3
_ALARMS = {
    State.NO_STATUS: AlarmSeverity.NO_ALARM,
    State.OK: AlarmSeverity.NO_ALARM,
    State.WARNING: AlarmSeverity.MINOR_ALARM,
}
_TEXT_BYTES = 256
_REPORT_BYTES = 16384


class AutosaveStatusPVs(PVGroup):
    """Status of one save file.

    ``STATUS`` and ``RESTORE_STATUS`` go into MINOR alarm for a warning and into MAJOR for a
    failure, as the SR_ status PVs of synApps do.
    """

    _shown: RestoreReport | None = None

    status = pvproperty(
        name="STATUS",
        dtype=ChannelType.ENUM,
        enum_strings=_SAVE_STATES,
        value="No save",
        read_only=True,
        doc="Whether the last save succeeded",
    )
    message = pvproperty(
        name="MESSAGE", value="", max_length=_TEXT_BYTES, read_only=True, doc="Why it did not"
    )
    last_save = pvproperty(
        name="TIME",
        dtype=ChannelType.STRING,
        value="",
        read_only=True,
        doc="Local time of the newest save on disk",
    )
    file = pvproperty(
        name="FILE", value="", max_length=_TEXT_BYTES, read_only=True, doc="The save file"
    )
    saved_pvs = pvproperty(name="PVS", value=0, read_only=True, doc="PVs and fields saved")
    saves = pvproperty(name="SAVES", value=0, read_only=True, doc="Saves since the start")
    failures = pvproperty(
        name="FAILURES", value=0, read_only=True, doc="Failed saves since the start"
    )
    restore_status = pvproperty(
        name="RESTORE_STATUS",
        dtype=ChannelType.ENUM,
        enum_strings=_RESTORE_STATES,
        value="No file",
        read_only=True,
        doc="Whether the values of the last run came back",
    )
    restore_message = pvproperty(
        name="RESTORE_MESSAGE",
        value="",
        max_length=_TEXT_BYTES,
        read_only=True,
        doc="What was restored, and what not",
    )
    restore_details = pvproperty(
        name="RESTORE_REPORT",
        value="",
        max_length=_REPORT_BYTES,
        read_only=True,
        doc="The same PV by PV, one a line",
    )

    async def show_saves(self, health: Health, stats: AutosaveStats) -> None:
        """Publish how saving goes; PVs that would not change are left alone."""
        last = stats.last_success
        text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last)) if last else ""
        await show(self.message, clip(health.message))
        await show(self.last_save, text)
        await show(self.saved_pvs, stats.pvs)
        await show(self.saves, stats.saves)
        await show(self.failures, stats.failures)
        await show(self.status, _SAVE_STATES[_index(health)], health)

    async def show_restore(self, health: Health, report: RestoreReport) -> None:
        """Publish how restoring went."""
        if report is not self._shown:
            self._shown = report
            lines = islice(report.lines(), _REPORT_BYTES // 2)
            await show(self.restore_details, clip("\n".join(lines), _REPORT_BYTES))
        await show(self.restore_message, clip(health.message))
        await show(self.restore_status, _RESTORE_STATES[_index(health)], health)


def _index(health: Health) -> int:
    return _INDICES.get(health.state, _FAILURE)


def alarm_of(health: Health, status: AlarmStatus) -> tuple[AlarmStatus, AlarmSeverity]:
    """The alarm of a status PV: MINOR for a warning, MAJOR for any failure."""
    severity = _ALARMS.get(health.state, AlarmSeverity.MAJOR_ALARM)
    return (status if severity else AlarmStatus.NO_ALARM), severity


async def show(channel: ChannelData, value: str | int, health: Health | None = None) -> None:
    """Write a status PV unless it has the value already."""
    if channel.value != value:
        status, severity = alarm_of(health or Health(State.OK), AlarmStatus.WRITE)
        await channel.write(value, verify_value=False, status=status, severity=severity)


def clip(text: str, size: int = _TEXT_BYTES) -> str:
    """As much of a text as a PV of that many bytes takes."""
    raw = text.encode("utf-8", "replace")
    if len(raw) < size:
        return raw.decode()
    return raw[: size - 4].decode("utf-8", "ignore") + "..."
