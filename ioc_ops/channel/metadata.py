"""What a numeric PV says of itself beside its value: units, precision, limits, deadbands."""

from dataclasses import dataclass, field

from ioc_ops.ca import Limits
from ioc_ops.channel.alarm import AlarmSeverity, AlarmStatus

__all__ = ["NO_ALARM", "PLAIN", "Metadata"]

NO_ALARM = (int(AlarmStatus.NO_ALARM), int(AlarmSeverity.NO_ALARM))


@dataclass(frozen=True, slots=True)
class Metadata:
    """Shared by all PVs that say the same: a PV gets its own on its first difference.

    A pair of limits is in force where its lower and upper differ. Alarm and warning
    limits are inclusive: a value at the limit is in alarm (``checkAlarms`` in ``aiRecord.c``).
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
    value_atol: float | None = None
    log_atol: float | None = None
    # Derived once, so that the hot path asks one question.
    checks_alarm: bool = field(init=False)
    checks_ctrl: bool = field(init=False)
    has_deadband: bool = field(init=False)

    def __post_init__(self) -> None:
        alarms = self.upper_alarm_limit != self.lower_alarm_limit
        warnings = self.upper_warning_limit != self.lower_warning_limit
        deadbands = (self.value_atol, self.log_atol)
        derive = object.__setattr__  # the dataclass is frozen for everybody else
        derive(self, "checks_alarm", alarms or warnings)
        derive(self, "checks_ctrl", self.upper_ctrl_limit != self.lower_ctrl_limit)
        derive(self, "has_deadband", any(d is not None and d >= 0 for d in deadbands))

    @property
    def limits(self) -> Limits:
        """In the order of the wire."""
        return Limits(
            self.upper_disp_limit,
            self.lower_disp_limit,
            self.upper_alarm_limit,
            self.upper_warning_limit,
            self.lower_warning_limit,
            self.lower_alarm_limit,
            self.upper_ctrl_limit,
            self.lower_ctrl_limit,
        )

    def alarm_of(self, value: float) -> tuple[int, int]:
        """Status and severity that the limits give to a value."""
        low, high = self.lower_alarm_limit, self.upper_alarm_limit
        if low != high:
            if value >= high and self.upper_alarm_severity:
                return AlarmStatus.HIHI, self.upper_alarm_severity
            if value <= low and self.lower_alarm_severity:
                return AlarmStatus.LOLO, self.lower_alarm_severity
        low, high = self.lower_warning_limit, self.upper_warning_limit
        if low != high:
            if value >= high and self.upper_warning_severity:
                return AlarmStatus.HIGH, self.upper_warning_severity
            if value <= low and self.lower_warning_severity:
                return AlarmStatus.LOW, self.lower_warning_severity
        return NO_ALARM

    def allows(self, value: float) -> bool:
        """Whether the control limits let a value pass; NaN lies beyond any limits."""
        return not self.checks_ctrl or self.lower_ctrl_limit <= value <= self.upper_ctrl_limit


PLAIN = Metadata()
"""What a PV says when nothing was said about it."""
