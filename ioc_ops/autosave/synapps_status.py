"""The SR_ status PVs of synApps autosave (``save_restoreStatus.db``), for its screens."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from ioc_ops.autosave.health import Health, worst
from ioc_ops.autosave.save_set import SaveSet, save_sets_of
from ioc_ops.autosave.schedule import Method
from ioc_ops.autosave.status_pvs import alarm_of, show
from ioc_ops.channel import AlarmStatus, ChannelData, ChannelType
from ioc_ops.group import PVGroup, ScanSpec, SubGroup, pvproperty, root_of, scan_wrapper
from ioc_ops.server import AsyncLibraryLayer

__all__ = ["SaveRestoreStatus", "SetStatus"]

_STATES = ("No Status", "Failure", "Warning", "Seq Fail", "Ok")
_METHODS = ("None", "Periodic", "Triggered", "Timer", "Monitored", "Manual")
# Value of SR_n_State, and index of SR_n_StateEnum.
_METHOD_CODES = {
    Method.PERIODIC: (1, 1),
    Method.TRIGGERED: (2, 2),
    Method.ON_CHANGE: (12, 4),
    Method.MANUAL: (16, 5),
}
_NOT_SAVED = "Not yet saved"
_UNKNOWN = "Status unknown"


def _states(
    name: str,
    record: str,
    states: Sequence[str],
    doc: str,
    *,
    read_only: bool = True,
    scan: ScanSpec | None = None,
) -> pvproperty:
    return pvproperty(
        name=name,
        dtype=ChannelType.ENUM,
        enum_strings=states,
        value=states[0],
        read_only=read_only,
        record=record,
        scan=scan,
        doc=doc,
    )


def _text(
    name: str, value: str, doc: str, *, startup: Callable[..., Awaitable[None]] | None = None
) -> pvproperty:
    return pvproperty(
        name=name,
        startup=startup,
        dtype=ChannelType.STRING,
        value=value,
        read_only=True,
        record="stringout",
        doc=doc,
    )


class SetStatus(PVGroup):
    """One of the first eight save sets."""

    file = _text("Name", "Not In Use", "The save file")
    method = pvproperty(name="State", value=0, read_only=True, record="longout", doc="Save method")
    method_name = _states("StateEnum", "mbbi", _METHODS, "Save method")
    status = _states("Status", "mbbo", _STATES, "How saving goes")
    reason = _text("StatusStr", _UNKNOWN, "Why")
    saved_at = _text("Time", _NOT_SAVED, "Local time of the newest save")

    async def show(self, save_set: SaveSet) -> None:
        """Bring the PVs up to date."""
        code, index = _METHOD_CODES[save_set.method]
        await show(self.file, _string(save_set.file_manager.filename.name))
        await show(self.method, code)
        await show(self.method_name, _METHODS[index])
        await _show_health(self.status, self.reason, save_set.health)
        await show(self.saved_at, _local(save_set.stats.last_success) or _NOT_SAVED)


class SaveRestoreStatus(PVGroup):
    """What synApps serves under these names, over all save sets of the group tree.

    Macro ``P`` of its screens is the prefix of this group. ``SR_heartbeat`` toggles every second;
    ``SR_deadIfZero`` is 0 when storage has not answered for ``dead_seconds``. ``SR_disable``
    stops saving by itself, for ``SR_disableMaxSecs`` at most; 0 means until it is written again.
    """

    dead_seconds: float = 300.0
    """As the macro DEAD_SECONDS."""

    @scan_wrapper(period=1.0)
    async def _every_second(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        await self.show(save_sets_of(root_of(self)), async_lib.monotonic())
        await instance.write("1" if instance.value == "0" else "0")

    async def _at_startup(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        await instance.write(_local(time.time()))

    heartbeat = _states("SR_heartbeat", "bo", "01", "Toggles every second", scan=_every_second)
    alive = _states("SR_i_am_alive", "bo", "01", "Whether autosave runs")
    dead_if_zero = _states("SR_deadIfZero", "bo", "01", "0 when storage does not answer")
    status = _states("SR_status", "mbbo", _STATES, "How saving goes, worst of all sets")
    reason = _text("SR_statusStr", _UNKNOWN, "Why")
    recently = _text("SR_recentlyStr", _UNKNOWN, "What was done last")
    restore_status = _states("SR_rebootStatus", "mbbo", _STATES, "How restoring went")
    restore_reason = _text("SR_rebootStatusStr", _UNKNOWN, "Why")
    restored_at = _text("SR_rebootTime", "", "Local time of the start", startup=_at_startup)
    disable = _states(
        "SR_disable", "bo", ("Enable", "Disable"), "Stop saving by itself", read_only=False
    )
    disable_seconds = pvproperty(
        name="SR_disableMaxSecs",
        value=0,
        record="longout",
        units="s",
        doc="For how long at most; 0 for no limit",
    )

    set_0 = SubGroup(SetStatus, prefix="SR_0_")
    set_1 = SubGroup(SetStatus, prefix="SR_1_")
    set_2 = SubGroup(SetStatus, prefix="SR_2_")
    set_3 = SubGroup(SetStatus, prefix="SR_3_")
    set_4 = SubGroup(SetStatus, prefix="SR_4_")
    set_5 = SubGroup(SetStatus, prefix="SR_5_")
    set_6 = SubGroup(SetStatus, prefix="SR_6_")
    set_7 = SubGroup(SetStatus, prefix="SR_7_")

    _disabled_since: float | None = None
    _saves_seen: tuple[int, ...] = ()
    _silent_since: float | None = None

    async def show(self, sets: Sequence[SaveSet], now: float) -> None:
        """Bring the PVs up to date, at a monotonic time."""
        slots = [self.groups[f"set_{index}"] for index in range(8)]
        for slot, save_set in zip(slots, sets, strict=False):
            await cast("SetStatus", slot).show(save_set)
        await _show_health(self.status, self.reason, worst(each.health for each in sets))
        await _show_health(
            self.restore_status, self.restore_reason, worst(each.restored.health for each in sets)
        )
        await show(self.alive, "1")
        await show(self.dead_if_zero, "0" if self._is_dead(sets, now) else "1")
        await self._show_newest(sets)
        await self._disable(sets, now)

    def _is_dead(self, sets: Sequence[SaveSet], now: float) -> bool:
        if not any(each.stats.hung for each in sets):
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = now
        return self._silent_since is not None and now - self._silent_since >= self.dead_seconds

    async def _show_newest(self, sets: Sequence[SaveSet]) -> None:
        saves = tuple(each.stats.saves + each.stats.failures for each in sets)
        for before, count, save_set in zip(self._saves_seen, saves, sets, strict=False):
            if before != count:
                outcome = "failed" if save_set.stats.last_error else "succeeded"
                name = save_set.file_manager.filename.name
                await show(self.recently, _string(f"Save of '{name}' {outcome}"))
        self._saves_seen = saves

    async def _disable(self, sets: Sequence[SaveSet], now: float) -> None:
        longest = self.disable_seconds.value
        if self.disable.value == "Enable":
            self._disabled_since = None
        elif self._disabled_since is None:
            self._disabled_since = now
        elif longest > 0 and now - self._disabled_since > longest:
            await self.disable.write("Enable")
        for each in sets:
            each.paused = self.disable.value == "Disable"


async def _show_health(status: ChannelData, reason: ChannelData, health: Health) -> None:
    await show(reason, _string(health.message) or ("Ok" if health.state else _UNKNOWN))
    alarm, severity = alarm_of(health, AlarmStatus.STATE)
    if status.value != _STATES[health.state] or status.severity != severity:
        await status.write(
            _STATES[health.state], verify_value=False, status=alarm, severity=severity
        )


def _local(unix: float) -> str:
    return time.strftime("%a %b %d %H:%M:%S", time.localtime(unix)) if unix else ""


def _string(text: str) -> str:
    """As much of it as a DBR_STRING takes."""
    return text.encode("utf-8", "replace")[:39].decode("utf-8", "ignore")
