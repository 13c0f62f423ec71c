"""Deadbands of monitors (``recGblCheckDeadband`` in EPICS Base ``recGbl.c``)."""

from math import isfinite, isnan

from ioc_ops.ca import EventMask

__all__ = ["Deadband"]

# Plain integers: this is on the hot path of records.
_VALUE = int(EventMask.VALUE)
_LOG = int(EventMask.LOG)


def _moved(old: float, new: float, width: float | None) -> bool:
    if width is None or width < 0:
        return True
    if isfinite(old) and isfinite(new):
        return abs(new - old) > width
    return not (old == new or (isnan(old) and isnan(new)))


class Deadband:
    """What was last posted of a PV, for values and for the archive."""

    __slots__ = ("logged", "posted")

    def __init__(self, value: float) -> None:
        self.posted = value
        self.logged = value

    def events(self, value: float, value_atol: float | None, log_atol: float | None) -> int:
        """Events that ``value`` is worth; remembers it as posted where it is."""
        events = 0
        if _moved(self.posted, value, value_atol):
            self.posted = value
            events |= _VALUE
        if _moved(self.logged, value, log_atol):
            self.logged = value
            events |= _LOG
        return events
