"""Time on the wire: seconds since 1990-01-01 UTC and nanoseconds, two u32 (``epicsTime.h``)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

__all__ = ["EPICS_EPOCH", "EPICS_EPOCH_NS", "TimeStamp"]

EPICS_EPOCH = 631_152_000
"""Unix seconds of 1990-01-01T00:00:00Z."""

EPICS_EPOCH_NS = EPICS_EPOCH * 1_000_000_000
_U32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """A wire time; exact to the nanosecond."""

    secondsSinceEpoch: int  # noqa: N815 - the names users of caproto know
    nanoSeconds: int  # noqa: N815

    @classmethod
    def from_unix_timestamp(cls, timestamp: float) -> Self:
        """From Unix seconds (a float holds about 0.2 microseconds at present)."""
        seconds = int(timestamp // 1)
        return cls.from_unix_ns(seconds * 1_000_000_000 + round((timestamp - seconds) * 1e9))

    @classmethod
    def from_unix_ns(cls, nanoseconds: int) -> Self:
        """From Unix nanoseconds; times before 1990 become 1990-01-01."""
        seconds, rest = divmod(max(nanoseconds - EPICS_EPOCH_NS, 0), 1_000_000_000)
        return cls(seconds & _U32, rest)

    @classmethod
    def from_flexible_value(cls, value: "float | tuple[int, int] | TimeStamp") -> Self:
        """From Unix seconds, an (EPICS seconds, nanoseconds) pair or a TimeStamp."""
        if isinstance(value, TimeStamp):
            return cls(value.secondsSinceEpoch, value.nanoSeconds)
        if isinstance(value, tuple):
            return cls(*value)
        return cls.from_unix_timestamp(value)

    def __iter__(self) -> Iterator[int]:
        return iter((self.secondsSinceEpoch, self.nanoSeconds))

    @property
    def unix_ns(self) -> int:
        """Unix nanoseconds."""
        return EPICS_EPOCH_NS + self.secondsSinceEpoch * 1_000_000_000 + self.nanoSeconds

    @property
    def timestamp(self) -> float:
        """Unix seconds."""
        return self.unix_ns / 1e9
