"""``ts``: the time of a value instead of the value, or now instead of its time (``ts.c``)."""

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ioc_ops.ca import EPICS_EPOCH, ChannelType, TimeStamp
from ioc_ops.ca.json5 import Json
from ioc_ops.ca.payload import pack_strings
from ioc_ops.channel.data import ChannelData
from ioc_ops.channel.filters.options import Kind, Option, read_options
from ioc_ops.channel.filters.update import Filter, Shape, States, Step, Update
from ioc_ops.channel.frames import recast
from ioc_ops.channel.numeric import ChannelDouble
from ioc_ops.channel.text import ChannelString

__all__ = ["Stamp", "StampNow", "make_stamp"]

_OPTIONS = (
    Option("num", Kind.CHOICE, "number", choices=("dbl", "sec", "nsec", "ts")),
    Option("epoch", Kind.CHOICE, "epoch", choices=("epics", "unix")),
    Option("str", Kind.CHOICE, "text", choices=("epics", "iso")),
)
_LAYOUTS = {"epics": ("%Y-%m-%d %H:%M:%S", ""), "iso": ("%Y-%m-%dT%H:%M:%S", "%z")}


class _Whole(ChannelDouble):
    """Unsigned integers of 32 bits, for which CA has only DOUBLE."""

    __slots__ = ()

    def wire(self, native: ChannelType, count: int) -> bytes:
        if native == ChannelType.STRING:
            values = np.atleast_1d(np.frombuffer(super().wire(ChannelType.DOUBLE, count), ">f8"))
            return pack_strings([b"%d" % int(value) for value in values.tolist()])
        return bytes(super().wire(native, count))


_REAL = ChannelDouble(0.0)
_WHOLE = _Whole(0.0)
_PAIR = _Whole([0.0, 0.0], max_length=2)
_TEXT = ChannelString("")


def make_stamp(options: Json, states: States) -> Filter:
    """From ``{}``, ``{num:FORM, epoch:EPOCH}`` or ``{str:FORM}``. Raises ConversionError."""
    given = read_options("ts", _OPTIONS, options)
    if "text" in given:
        return Stamp(str(given["text"]), text=True)
    if "number" in given:
        return Stamp(str(given["number"]), unix=given.get("epoch") == "unix")
    return StampNow()


class StampNow(Filter):
    """The value with the time of the read or event: for clients that mind old times."""

    def start(self) -> Step:
        def step(update: Update) -> Update:
            update.frame.time_ns = update.arrived_ns
            return update

        return step


@dataclass(frozen=True, slots=True)
class Stamp(Filter):
    """The time as a number (seconds, nanoseconds, or both) or as local time in letters."""

    late: ClassVar[bool] = True
    form: str
    text: bool = False
    unix: bool = False

    def shape(self, shown: Shape) -> Shape:
        if self.text:
            return ChannelType.STRING, 1
        return ChannelType.DOUBLE, 2 if self.form == "ts" else 1

    def start(self) -> Step:
        def step(update: Update) -> Update:
            update.frame = self._shown(update.frame)
            return update

        return step

    def _shown(self, frame: ChannelData) -> ChannelData:
        stamp = TimeStamp.from_unix_ns(frame.time_ns)
        if self.text:
            return recast(frame, _TEXT, local_time(stamp, self.form))
        seconds = (stamp.secondsSinceEpoch + EPICS_EPOCH * self.unix) & 0xFFFFFFFF
        match self.form:
            case "dbl":
                return recast(frame, _REAL, seconds + stamp.nanoSeconds * 1e-9)
            case "sec":
                return recast(frame, _WHOLE, float(seconds))
            case "nsec":
                return recast(frame, _WHOLE, float(stamp.nanoSeconds))
        return recast(frame, _PAIR, np.array([seconds, stamp.nanoSeconds], ">f8"))


def local_time(stamp: TimeStamp, form: str) -> str:
    """A time to the microsecond, in the server's time zone (``epicsTimeToStrftime``)."""
    if not stamp.secondsSinceEpoch and not stamp.nanoSeconds:
        return "<undefined>"
    before, behind = _LAYOUTS[form]
    local = time.localtime(stamp.secondsSinceEpoch + EPICS_EPOCH)
    # Rounded, but never up into the next second.
    micros = min(stamp.nanoSeconds + 500, 999_999_999) // 1000
    return f"{time.strftime(before, local)}.{micros:06d}{time.strftime(behind, local)}"
