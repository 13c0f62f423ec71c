"""How punctual the IOC is: the scan monitors of iocStats (iocAdminScanMon.db).

iocStats measures the scan threads of EPICS Base with a record in each. Here all scans run on one
loop: a timer on it that serves all rates stands for that record, and beside it each scan hook of
a rate counts, so that a hook which is slower than its period shows as well.
"""

import math
from collections.abc import Mapping
from typing import Any

from ioc_ops.channel import AlarmSeverity, AlarmStatus
from ioc_ops.group import PVGroup, PvpropertyData
from ioc_ops.server import AsyncLibraryLayer, current_context
from ioc_ops.status.family_rows import SCAN_RATES
from ioc_ops.status.properties import status_pv

__all__ = ["ScanMonitors", "limits_of"]

_GRID = 0.1  # seconds: all periods are multiples
_EARLY = 0.1  # of the grid; a timer may go off a little before its time
_TOLERANCES = {"B": 1.0, "C": 5.0}  # percent


def limits_of(period: float, minor: float, major: float, *, absolute: bool) -> Mapping[str, float]:
    """Alarm limits as scanMon.c sets them at each call.

    Args:
        period: seconds.
        minor: percent of the period by which a scan may be late, else MINOR.
        major: likewise, MAJOR.
        absolute: the value is the time between two scans, not what it differs by.
    """
    one, b, c = float(absolute), minor / 100, major / 100
    return {
        "upper_alarm_limit": period * (one + c),
        "upper_warning_limit": period * (one + b),
        "lower_warning_limit": -period if absolute else -period * b,
        "lower_alarm_limit": -period if absolute else -period * c,
    }


class _Monitor:
    """The two PVs of a rate."""

    def __init__(self, mode: PvpropertyData, time: PvpropertyData, period: float) -> None:
        self.time = time
        self.period = period
        self.every = round(period / _GRID)
        """Ticks of the grid."""
        self._mode: Any = mode
        self._tolerances: list[Any] = [time.fields[field] for field in _TOLERANCES]
        self._set: tuple[object, ...] = ()
        """From what the limits were set, and what they were then: nothing to do for the same."""
        for field, percent in zip(self._tolerances, _TOLERANCES.values(), strict=True):
            field.restore(percent)

    async def show(self, passed: float) -> None:
        """A scan comes so many seconds after the last one."""
        absolute = self._mode.raw_value == 1
        pv: Any = self.time
        asked = (absolute, *[field.value for field in self._tolerances])
        if self._set != (*asked, pv.metadata):
            minor, major = map(_percent, asked[1:], _TOLERANCES.values())
            limits = limits_of(self.period, minor, major, absolute=absolute)
            if any(getattr(pv, name) != limit for name, limit in limits.items()):
                pv.update_metadata(**limits)
            self._set = (*asked, pv.metadata)
        await pv.write(passed if absolute else passed - self.period, verify_value=False)


class ScanMonitors(PVGroup):
    """The 15 PVs of the scan monitors."""

    def __init__(
        self,
        prefix: str = "",
        *,
        macros: Mapping[str, str] | None = None,
        parent: PVGroup | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(prefix, macros=macros, parent=parent, name=name)
        self._monitors = [
            _Monitor(
                self.pvdb[f"{self.prefix}{rate}_MODE"],
                self.pvdb[f"{self.prefix}{rate}_UPD_TIME"],
                period,
            )
            for rate, period in SCAN_RATES
        ]

    async def _run(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        monitors, scans = self._monitors, current_context().scans
        origin = async_lib.monotonic()
        calls = [(0, origin)] * len(monitors)
        second = 0
        while True:
            now = async_lib.monotonic()
            tick = math.floor((now - origin) / _GRID + _EARLY)
            for index, monitor in enumerate(monitors):
                number, before = calls[index]
                if tick // monitor.every > number:
                    calls[index] = (tick // monitor.every, now)
                    hooks = scans.get(monitor.period)
                    await monitor.show(max(now - before, hooks.take() if hooks else 0.0))
            if tick // 10 > second:
                second = tick // 10
                worst = max(AlarmSeverity(monitor.time.severity) for monitor in monitors)
                status = AlarmStatus.LINK if worst else AlarmStatus.NO_ALARM
                await instance.write(0.0, verify_value=False, status=status, severity=worst)
            await async_lib.sleep(max(0.0, origin + (tick + 1) * _GRID - async_lib.monotonic()))

    severity = status_pv("SCANMON_SEVR", startup=_run)
    mode_01hz = status_pv("01HZ_MODE")
    time_01hz = status_pv("01HZ_UPD_TIME")
    mode_02hz = status_pv("02HZ_MODE")
    time_02hz = status_pv("02HZ_UPD_TIME")
    mode_05hz = status_pv("05HZ_MODE")
    time_05hz = status_pv("05HZ_UPD_TIME")
    mode_1hz = status_pv("1HZ_MODE")
    time_1hz = status_pv("1HZ_UPD_TIME")
    mode_2hz = status_pv("2HZ_MODE")
    time_2hz = status_pv("2HZ_UPD_TIME")
    mode_5hz = status_pv("5HZ_MODE")
    time_5hz = status_pv("5HZ_UPD_TIME")
    mode_10hz = status_pv("10HZ_MODE")
    time_10hz = status_pv("10HZ_UPD_TIME")


def _percent(value: float, default: float) -> float:
    # With limits that are no numbers there would be a change to tell at every call.
    return float(value) if math.isfinite(value) else default
