"""Alarm status and severity of a PV (EPICS Base ``alarm.h``, ``recGbl.c``)."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Protocol

from ioc_ops.ca import EventMask

__all__ = ["Alarm", "AlarmSeverity", "AlarmStatus"]


class AlarmSeverity(IntEnum):
    """How bad it is."""

    NO_ALARM = 0
    MINOR_ALARM = 1
    MAJOR_ALARM = 2
    INVALID_ALARM = 3


class AlarmStatus(IntEnum):
    """What is wrong."""

    NO_ALARM = 0
    READ = 1
    WRITE = 2
    HIHI = 3
    HIGH = 4
    LOLO = 5
    LOW = 6
    STATE = 7
    COS = 8
    COMM = 9
    TIMEOUT = 10
    HWLIMIT = 11
    CALC = 12
    SCAN = 13
    LINK = 14
    SOFT = 15
    BAD_SUB = 16
    UDF = 17
    DISABLE = 18
    SIMM = 19
    READ_ACCESS = 20
    WRITE_ACCESS = 21


class _Owner(Protocol):
    def post(self, events: int) -> None: ...


class Alarm:
    """The alarm of one PV, or of several that name the same ``alarm_group``."""

    __slots__ = (
        "_owners",
        "alarm_string",
        "must_acknowledge_transient",
        "severity",
        "severity_to_acknowledge",
        "status",
    )

    # Plain integers, packed into every reply: enums are made where a user asks for them.
    status: int
    severity: int

    def __init__(
        self,
        status: int = 0,
        severity: int = 0,
        *,
        must_acknowledge_transient: bool = True,
        severity_to_acknowledge: int = 0,
        alarm_string: str = "",
    ) -> None:
        """Begin in a state; see ``write`` for the arguments."""
        self.status = int(status)
        self.severity = int(severity)
        self.must_acknowledge_transient = bool(must_acknowledge_transient)
        self.severity_to_acknowledge = int(severity_to_acknowledge)
        self.alarm_string = alarm_string
        self._owners: Sequence[_Owner] = ()

    @property
    def state(self) -> tuple[int, int]:
        """Status and severity."""
        return self.status, self.severity

    def attach(self, owner: _Owner) -> None:
        """Post the events of this alarm on ``owner``."""
        self._owners = (*self._owners, owner)

    def change(self, status: int, severity: int, by: _Owner | None = None, text: str = "") -> bool:
        """Enter a state; posts on every owner but ``by``, who posts with its new value.

        Severity to acknowledge and text follow as in ``recGblResetAlarms``.

        Returns:
            Whether the state is a new one.
        """
        if status == self.status and severity == self.severity:
            return False
        self.status = int(status)
        self.severity = int(severity)
        self.alarm_string = text
        if not self.must_acknowledge_transient or severity >= self.severity_to_acknowledge:
            self.severity_to_acknowledge = int(severity)
        for owner in self._owners:
            if owner is not by:
                owner.post(EventMask.ALARM)
        return True

    async def read(self) -> "Alarm":
        """The state as it is (a coroutine for the sake of callers that know caproto)."""
        return self

    async def write(
        self,
        *,
        status: AlarmStatus | int | None = None,
        severity: AlarmSeverity | int | None = None,
        must_acknowledge_transient: bool | None = None,
        severity_to_acknowledge: AlarmSeverity | int | None = None,
        alarm_string: str | None = None,
        publish: bool = True,
    ) -> None:
        """Change the alarm without a new value; the timestamp of the value stays.

        Args:
            status: what is wrong; None keeps it.
            severity: how bad it is; None keeps it.
            must_acknowledge_transient: ACKT.
            severity_to_acknowledge: ACKS; a severity at or above the one held clears it.
            alarm_string: text for people (AMSG); it lasts as long as the state.
            publish: tell the monitors.
        """
        if must_acknowledge_transient is not None:
            self.require_acknowledge(must_acknowledge_transient)
        if severity_to_acknowledge is not None:
            self.acknowledge(int(severity_to_acknowledge))
        new_status = self.status if status is None else int(status)
        new_severity = self.severity if severity is None else int(severity)
        if publish and self.change(new_status, new_severity, text=alarm_string or ""):
            return
        self.status, self.severity = new_status, new_severity
        says_more = alarm_string not in (None, self.alarm_string)
        if alarm_string is not None:
            self.alarm_string = alarm_string
        if says_more or not publish:
            for owner in self._owners:
                # Unpublished, nobody is told, but whoever asks sees it.
                owner.post(EventMask.ALARM if publish else 0)

    def acknowledge(self, severity: int) -> None:
        """An operator acknowledges up to ``severity`` (``putAcks`` in ``dbAccess.c``)."""
        if severity >= self.severity_to_acknowledge:
            self.severity_to_acknowledge = 0
            for owner in self._owners:
                owner.post(EventMask.ALARM)

    def require_acknowledge(self, wanted: bool) -> None:
        """Set ACKT; without it a severity to acknowledge falls with the alarm (``putAckt``)."""
        self.must_acknowledge_transient = wanted
        if not wanted and self.severity_to_acknowledge > self.severity:
            self.severity_to_acknowledge = self.severity
        for owner in self._owners:
            owner.post(EventMask.ALARM)
