"""What a record sets off once it was processed: its forward link, and the fall back of a bo."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from ioc_ops.channel import ChannelData

if TYPE_CHECKING:
    from ioc_ops.records.fields import Field

__all__ = ["Surroundings", "follower_of", "process", "surroundings"]


_LONGEST = 1e8
"""Seconds, three years: timers know no infinity."""


class Surroundings(Protocol):
    """The IOC that runs, as far as records need it."""

    def forward(self, record: ChannelData, link: str) -> None:
        """Process the record that a link of ``record`` names, if it is one of the IOC's own."""

    def fall_back(self, record: ChannelData, seconds: float) -> None:
        """Write 0 to the record after so many seconds; counted from the last call."""


surroundings: ContextVar[Surroundings | None] = ContextVar("ioc_ops.surroundings", default=None)
"""Set by the server; without one a record is alone, and sets off nothing."""


async def process(record: Any) -> None:
    """Run the putter with the present value, or the getter where that is all there is."""
    if record.getter is not None and record.putter is None:
        await record.read()
        record.processed()
    else:
        await record.write(record.value)


def _forward(field: "Field") -> None:
    """FLNK (``recGblFwdLink`` in EPICS Base ``recGbl.c``)."""
    around = surroundings.get()
    if around is not None:
        around.forward(field.record, str(field.value))


def _fall_back(field: "Field") -> None:
    """HIGH of bo: seconds for which it is 1 (``process``, ``myCallbackFunc`` in boRecord.c)."""
    around = surroundings.get()
    record: Any = field.record
    seconds = min(float(field.value), _LONGEST)
    if around is not None and seconds > 0 and getattr(record, "raw_value", record.value) == 1:
        around.fall_back(record, seconds)


_OF_EVERY_TYPE = {"FLNK": _forward}
_OF_TYPE = {"bo": {"HIGH": _fall_back}}


def follower_of(record_type: str, field: str) -> "Callable[[Field], None] | None":
    """What to call when a record was processed and this field of it is neither 0 nor empty."""
    return _OF_TYPE.get(record_type, {}).get(field) or _OF_EVERY_TYPE.get(field)
