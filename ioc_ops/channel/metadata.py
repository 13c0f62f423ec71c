"""What a numeric PV says of itself beside its value: units, precision, limits, deadbands."""

from dataclasses import dataclass, field, fields
from functools import lru_cache
from math import inf, nan
from typing import Any

from ioc_ops.ca import Limits
from ioc_ops.channel.alarm import AlarmSeverity, AlarmStatus
from ioc_ops.errors import DefinitionError

__all__ = [
    "METADATA_FIELDS",
    "NO_ALARM",
    "PLAIN",
    "Metadata",
    "declared_metadata",
    "shared_metadata",
]

_Level = tuple[bool, float, int, int]
"""Whether it is an upper limit, the limit, severity and status beyond it."""

NO_ALARM = (int(AlarmStatus.NO_ALARM), int(AlarmSeverity.NO_ALARM))


@dataclass(frozen=True, slots=True)
class Metadata:
    """Shared by all PVs that say the same: a PV gets its own on its first difference.

    A pair of limits is in force where its lower and upper differ; those of a record
    (``by_severity``) where their severity is not NO_ALARM. Alarm and warning limits are
    inclusive: a value at the limit is in alarm, and stays so until it is ``hysteresis``
    away from it (``checkAlarms`` in ``aiRecord.c``). Writes beyond the control limits are
    refused, those beyond the drive limits clamped (``aoRecord.c``). A value that is not a
    number gives UDF of ``undefined_severity`` (UDFS).
    ``value_atol`` and ``log_atol`` are MDEL and ADEL: None or below zero posts every write.
    """

    units: str = ""
    precision: int | None = None
    upper_disp_limit: float = 0
    lower_disp_limit: float = 0
    upper_alarm_limit: float = 0
    lower_alarm_limit: float = 0
    upper_warning_limit: float = 0
    lower_warning_limit: float = 0
    upper_ctrl_limit: float = 0
    lower_ctrl_limit: float = 0
    upper_alarm_severity: AlarmSeverity = AlarmSeverity.MAJOR_ALARM
    lower_alarm_severity: AlarmSeverity = AlarmSeverity.MAJOR_ALARM
    upper_warning_severity: AlarmSeverity = AlarmSeverity.MINOR_ALARM
    lower_warning_severity: AlarmSeverity = AlarmSeverity.MINOR_ALARM
    by_severity: bool = False
    undefined_severity: AlarmSeverity = AlarmSeverity.NO_ALARM
    hysteresis: float = 0
    drive_high: float = 0
    drive_low: float = 0
    value_atol: float | None = None
    log_atol: float | None = None
    # Derived once, so that the hot path asks one question.
    checks_alarm: bool = field(init=False)
    checks_ctrl: bool = field(init=False)
    clamps: bool = field(init=False)
    has_deadband: bool = field(init=False)
    levels: tuple[_Level, ...] = field(init=False, repr=False, compare=False)
    quiet_low: float = field(init=False, repr=False, compare=False)
    quiet_high: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        deadbands = (self.value_atol, self.log_atol)
        derive = object.__setattr__  # the dataclass is frozen for everybody else
        levels = self._levels_in_force()
        derive(self, "levels", tuple(levels))
        # Between these no value is in alarm, whatever the one before it was.
        highs = [limit for is_high, limit, *_ in levels if is_high]
        lows = [limit for is_high, limit, *_ in levels if not is_high]
        derive(self, "quiet_high", min(highs, default=inf) - self.hysteresis)
        derive(self, "quiet_low", max(lows, default=-inf) + self.hysteresis)
        derive(self, "checks_alarm", bool(self.levels or self.undefined_severity))
        derive(self, "clamps", self.drive_high > self.drive_low)
        derive(self, "checks_ctrl", self.upper_ctrl_limit != self.lower_ctrl_limit)
        derive(self, "has_deadband", any(d is not None and d >= 0 for d in deadbands))

    @property
    def limits(self) -> Limits:
        """In the order of the wire."""
        upper_ctrl, lower_ctrl = self.upper_ctrl_limit, self.lower_ctrl_limit
        if self.by_severity and upper_ctrl == lower_ctrl:
            # What a record shows as its control limits when none are declared.
            upper_ctrl, lower_ctrl = self.upper_disp_limit, self.lower_disp_limit
            if self.clamps:
                upper_ctrl, lower_ctrl = self.drive_high, self.drive_low
        return Limits(
            self.upper_disp_limit,
            self.lower_disp_limit,
            self._shown(self.upper_alarm_limit, self.upper_alarm_severity),
            self._shown(self.upper_warning_limit, self.upper_warning_severity),
            self._shown(self.lower_warning_limit, self.lower_warning_severity),
            self._shown(self.lower_alarm_limit, self.lower_alarm_severity),
            upper_ctrl,
            lower_ctrl,
        )

    def _shown(self, limit: float, severity: int) -> float:
        # A record does not show a limit that is not in force (get_alarm_double).
        return nan if self.by_severity and not severity else limit

    def alarm_of(self, value: float) -> tuple[int, int]:
        """Status and severity that the limits give to a value."""
        return self.level_of(value)[:2]

    def level_of(self, value: float, last: float | None = None) -> tuple[int, int, float | None]:
        """Alarm of a value, the one before it in mind.

        Args:
            value: the new one.
            last: limit that the value before was beyond (LALM), or None.

        Returns:
            Status, severity, and the limit that the value is beyond, or None.
        """
        if value != value and self.undefined_severity:
            return AlarmStatus.UDF, self.undefined_severity, None
        for high, limit, severity, status in self.levels:
            slack = self.hysteresis if last == limit else 0
            if (value >= limit - slack) if high else (value <= limit + slack):
                return status, severity, limit
        return (*NO_ALARM, None)

    def _levels_in_force(self) -> list[_Level]:
        levels: tuple[_Level, ...] = (
            (True, self.upper_alarm_limit, self.upper_alarm_severity, AlarmStatus.HIHI),
            (False, self.lower_alarm_limit, self.lower_alarm_severity, AlarmStatus.LOLO),
            (True, self.upper_warning_limit, self.upper_warning_severity, AlarmStatus.HIGH),
            (False, self.lower_warning_limit, self.lower_warning_severity, AlarmStatus.LOW),
        )
        if not self.by_severity:
            alarms = self.upper_alarm_limit != self.lower_alarm_limit
            warnings = self.upper_warning_limit != self.lower_warning_limit
            levels = levels[0 if alarms else 2 : 4 if warnings else 2]
        return [level for level in levels if level[2]]

    def allows(self, value: float) -> bool:
        """Whether the control limits let a value pass; NaN lies beyond any limits."""
        return not self.checks_ctrl or self.lower_ctrl_limit <= value <= self.upper_ctrl_limit


PLAIN = Metadata()
"""What a PV says when nothing was said about it."""

METADATA_FIELDS = tuple([item.name for item in fields(Metadata) if item.init])
"""What can be said of a PV."""


@lru_cache(maxsize=1024)
def shared_metadata(*said: tuple[str, Any]) -> Metadata:
    """One Metadata for all PVs that say the same."""
    return Metadata(**dict(said))


def declared_metadata(*said: tuple[str, Any]) -> Metadata:
    """The same for what the author of an IOC has said.

    Not for what operators make of a record: of two limits they write one before the other.

    Raises:
        DefinitionError: the control limits let no value pass.
    """
    metadata = shared_metadata(*said)
    low, high = metadata.lower_ctrl_limit, metadata.upper_ctrl_limit
    if low > high:
        raise DefinitionError(
            f"lower_ctrl_limit {low:g} is above upper_ctrl_limit {high:g}, which is 0 if it is not "
            "given: no write would pass; give both"
        )
    return metadata
