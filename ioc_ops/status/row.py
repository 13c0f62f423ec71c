"""What the table of status PVs says about one of them."""

from dataclasses import dataclass
from enum import Enum
from math import nan

from ioc_ops.channel import ChannelType

__all__ = ["Period", "StatusPv", "text", "value_fields"]


class Period(Enum):
    """When a PV is updated. Where clients set the period, the value is the suffix of its PV."""

    START = "at the start"
    SECOND = "every second"
    SCAN = "at the rate in its name"
    ON_WRITE = "when somebody writes"
    CA = "CA_UPD_TIME"
    DESCRIPTORS = "FD_UPD_TIME"
    LOAD = "LOAD_UPD_TIME"
    MEMORY = "MEM_UPD_TIME"


@dataclass(frozen=True, slots=True)
class StatusPv:
    """One PV.

    ``reading`` is the path of its number or text in ``Readings``, None for a PV that clients or
    hooks set; ``variable`` names an EPICS environment variable that it shows instead. A limit
    that is ``nan`` has the severity NO_ALARM: HIHI and LOLO are MAJOR, HIGH and LOW MINOR.
    ``drvl`` and ``drvh`` clamp what clients write. ``length`` above 1 is that of a CHAR array
    which holds text. ``saved`` PVs keep their value over a restart; ``saved_fields`` are those
    that iocStats has saved. ``alias_of`` names the PV that this one is another name of.
    ``seconds`` is the period of a scan monitor.
    """

    suffix: str
    doc: str
    period: Period
    reading: str | None = None
    data_type: ChannelType = ChannelType.DOUBLE
    record: str = "ai"
    length: int = 1
    value: float | str = 0.0
    units: str = ""
    precision: int = 0
    lopr: float = 0.0
    hopr: float = 0.0
    drvl: float = 0.0
    drvh: float = 0.0
    hihi: float = nan
    high: float = nan
    low: float = nan
    lolo: float = nan
    states: tuple[str, ...] = ()
    severities: tuple[int, ...] = ()
    read_only: bool = True
    saved: bool = False
    saved_fields: tuple[str, ...] = ()
    alias_of: str = ""
    variable: str = ""
    seconds: float = 0.0

    @property
    def numeric(self) -> bool:
        """Whether it shows a number, which can be undefined."""
        return self.data_type in (ChannelType.DOUBLE, ChannelType.LONG)


def text(suffix: str, reading: str, doc: str, period: Period = Period.START) -> StatusPv:
    """A stringin: at most 39 bytes."""
    return StatusPv(suffix, doc, period, reading, ChannelType.STRING, "stringin", value="")


def value_fields(*, upper: bool = True, lower: bool = True) -> tuple[str, ...]:
    """What the info tag autosaveFields_pass0 of iocStats names for a record with these limits."""
    limits = ("HIHI", "HIGH") * upper + ("LOW", "LOLO") * lower
    severities = ("HHSV", "HSV") * upper + ("LSV", "LLSV") * lower
    return ("HOPR", "LOPR", *limits, *severities)
