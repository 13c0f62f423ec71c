"""``dbnd``: drop changes within a deadband (``dbnd.c``, ``recGblCheckDeadband``)."""

import struct
from dataclasses import dataclass
from math import inf, isfinite, isinf, isnan

from ioc_ops.ca import ChannelType, EventMask
from ioc_ops.ca.json5 import Json
from ioc_ops.channel.data import ChannelData
from ioc_ops.channel.enum import ChannelEnum
from ioc_ops.channel.filters.options import Kind, Option, read_options
from ioc_ops.channel.filters.update import Filter, States, Step, Update
from ioc_ops.channel.numeric import ChannelNumeric

__all__ = ["Deadband"]

_VALUE_LOG = int(EventMask.VALUE | EventMask.LOG)
_DOUBLE = struct.Struct(">d")
_OPTIONS = (
    Option("d", Kind.REAL, "width", converts=True),
    Option("m", Kind.CHOICE, "mode", converts=True, choices=("abs", "rel")),
    Option("abs", Kind.REAL, "width", converts=True, also=("mode", "abs")),
    Option("rel", Kind.REAL, "width", converts=True, also=("mode", "rel")),
)


@dataclass(frozen=True, slots=True)
class Deadband(Filter):
    """Scalar numbers pass when they differ from what passed before by more than ``width``.

    A relative width is a percentage of the value that passed last. Alarm and property events,
    arrays and text always pass.
    """

    width: float = 0.0
    relative: bool = False

    @classmethod
    def make(cls, options: Json, states: States) -> "Deadband":
        """From ``{d:WIDTH, m:"abs"|"rel"}`` or ``{abs|rel:WIDTH}``. Raises ConversionError."""
        given = read_options("dbnd", _OPTIONS, options)
        return cls(float(given.get("width", 0.0)), given.get("mode") == "rel")

    def start(self) -> Step:
        last: float | None = None
        width = self.width

        def step(update: Update) -> Update | None:
            nonlocal last, width
            if update.reading:
                return update
            value = _number(update.frame)
            if value is None:
                return update
            moved = last is None or _distance(last, value) > width
            if moved:
                last = value
            elif not update.events & ~_VALUE_LOG:
                return None
            if self.relative:
                width = value * self.width / 100.0
                # Base waits for ever once the value was infinite or not a number.
                width = width if isfinite(width) else 0.0
            return update

        return step


def _number(frame: ChannelData) -> float | None:
    if frame.max_length > 1 or not isinstance(frame, (ChannelNumeric, ChannelEnum)):
        return None
    if isinstance(frame, ChannelEnum) and len(frame.enum_strings) > 2:
        return None  # bi and bo have deadbands, mbbi and mbbo (SPC_DBADDR) have none
    number: float = _DOUBLE.unpack(frame.wire(ChannelType.DOUBLE, 1))[0]
    return number


def _distance(old: float, new: float) -> float:
    if isfinite(old) and isfinite(new):
        return abs(old - new)
    if isnan(old) != isnan(new) or isinf(old) != isinf(new) or (isinf(new) and new != old):
        return inf
    return 0.0
