"""What a numeric PV says of itself beside its value: units, precision, limits, deadbands."""

from dataclasses import dataclass, field, fields

from ioc_ops.ca import Limits
from ioc_ops.channel.alarm import AlarmSeverity, AlarmStatus

__all__ = ["METADATA_FIELDS", "NO_ALARM", "PLAIN", "Metadata"]

NO_ALARM = (int(AlarmStatus.NO_ALARM), int(AlarmSeverity.NO_ALARM))


@dataclass(frozen=True, slots=True)
class Metadata:
    """Shared by all PVs that say the same: a PV gets its own on its first difference.

    A pair of limits is in force where its lower and upper differ; those of a record
    (``by_severity``) where their severity is not NO_ALARM. Alarm and warning limits are
    inclusive: a value at the limit is in alarm, and stays so until it is ``hysteresis``
    away from it (``checkAlarms`` in ``aiRecord.c``). Writes beyond the control limits are
    refused, those beyond the drive limits clamped (``aoRecord.c``).
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

    def __post_init__(self) -> None:
        alarms = self.upper_alarm_limit != self.lower_alarm_limit
        warnings = self.upper_warning_limit != self.lower_warning_limit
        deadbands = (self.value_atol, self.log_atol)
        derive = object.__setattr__  # the dataclass is frozen for everybody else
        severities = (
            self.upper_alarm_severity,
            self.lower_alarm_severity,
            self.upper_warning_severity,
            self.lower_warning_severity,
        )
        derive(self, "checks_alarm", any(severities) if self.by_severity else alarms or warnings)
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
            self.upper_alarm_limit,
            self.upper_warning_limit,
            self.lower_warning_limit,
            self.lower_alarm_limit,
            upper_ctrl,
            lower_ctrl,
        )

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
        for high, limit, severity, status in self._levels():
            if not severity:
                continue
            slack = self.hysteresis if last == limit else 0
            if (value >= limit - slack) if high else (value <= limit + slack):
                return status, severity, limit
        return (*NO_ALARM, None)

    def _levels(self) -> tuple[tuple[bool, float, int, int], ...]:
        levels = (
            (True, self.upper_alarm_limit, self.upper_alarm_severity, AlarmStatus.HIHI),
            (False, self.lower_alarm_limit, self.lower_alarm_severity, AlarmStatus.LOLO),
            (True, self.upper_warning_limit, self.upper_warning_severity, AlarmStatus.HIGH),
            (False, self.lower_warning_limit, self.lower_warning_severity, AlarmStatus.LOW),
        )
        if self.by_severity:
            return levels
        alarms = self.upper_alarm_limit != self.lower_alarm_limit
        warnings = self.upper_warning_limit != self.lower_warning_limit
        return levels[0 if alarms else 2 : 4 if warnings else 2]

    def allows(self, value: float) -> bool:
        """Whether the control limits let a value pass; NaN lies beyond any limits."""
        return not self.checks_ctrl or self.lower_ctrl_limit <= value <= self.upper_ctrl_limit


PLAIN = Metadata()
"""What a PV says when nothing was said about it."""

METADATA_FIELDS = tuple([item.name for item in fields(Metadata) if item.init])
"""What can be said of a PV."""
