"""The PVs by which operators watch autosave and ask for a save."""

from ioc_ops.autosave.restore import RestoreReport
from ioc_ops.autosave.stats import AutosaveStats
from ioc_ops.channel import AlarmSeverity, AlarmStatus, ChannelData, ChannelType
from ioc_ops.group import PVGroup, pvproperty

__all__ = ["AutosaveStatusPVs"]

_SAVE_STATES = ("No save", "Ok", "Warning", "Failure")
_RESTORE_STATES = ("No file", "Ok", "Warning", "Failure")
_OK = (AlarmStatus.NO_ALARM, AlarmSeverity.NO_ALARM)
_ALARMS = {
    "Warning": (AlarmStatus.WRITE, AlarmSeverity.MINOR_ALARM),
    "Failure": (AlarmStatus.WRITE, AlarmSeverity.MAJOR_ALARM),
}
_TEXT_BYTES = 256


class AutosaveStatusPVs(PVGroup):
    """Status of one save file.

    ``STATUS`` and ``RESTORE_STATUS`` go into MINOR alarm for a warning and into MAJOR for a
    failure, as the SR_ status PVs of synApps do.
    """

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

    async def show_saves(self, state: str, message: str, time: str, stats: AutosaveStats) -> None:
        """Publish how saving goes; PVs that would not change are left alone."""
        await _show(self.message, _clip(message))
        await _show(self.last_save, time)
        await _show(self.saved_pvs, stats.pvs)
        await _show(self.saves, stats.saves)
        await _show(self.failures, stats.failures)
        await _show(self.status, state)

    async def show_restore(self, report: RestoreReport, failure: str = "") -> None:
        """Publish how restoring went; ``failure`` says why there is no report."""
        if failure or (report.path is None and report.rejected):
            state = "Failure"
        elif report.path is None:
            state = "No file"
        else:
            state = "Ok" if report.complete else "Warning"
        await _show(self.restore_message, _clip(failure or _details(report)))
        await _show(self.restore_status, state)


async def _show(channel: ChannelData, value: str | int) -> None:
    if channel.value == value:
        return
    status, severity = _ALARMS.get(value, _OK) if isinstance(value, str) else _OK
    await channel.write(value, verify_value=False, status=status, severity=severity)


def _details(report: RestoreReport) -> str:
    """The summary, then as many reasons as there is room for."""
    reasons = [f"{rejected.path.name}: {rejected.reason}" for rejected in report.rejected]
    reasons += [f"{name}: {reason}" for name, reason in report.skipped.items()]
    return "; ".join([str(report), *reasons])


def _clip(text: str) -> str:
    raw = text.encode("utf-8", "replace")
    if len(raw) < _TEXT_BYTES:
        return text
    return raw[: _TEXT_BYTES - 4].decode("utf-8", "ignore") + "..."
