"""The time of the IOC under the names of EPICS' General Time."""

from ioc_ops.ca import EPICS_EPOCH
from ioc_ops.status.readings import TimeReading

__all__ = ["GeneralTime"]

# The operating system is the only source; its name in EPICS Base is this.
_CLOCK = "OS Clock"
_NO_EVENTS = "none"


class GeneralTime:
    """Counts, as General Time does, how often the clock goes backwards."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._errors = 0

    def read(self, now: float) -> TimeReading:
        """The reading at ``now`` (unix seconds)."""
        self._errors += now < self._last
        self._last = now
        return TimeReading(now - EPICS_EPOCH, self._errors, _CLOCK, _NO_EVENTS, _CLOCK)

    def reset(self) -> None:
        """Begin to count anew."""
        self._errors = 0
