"""``arr``: a part of an array, or every n-th element of it (``arr.c``)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ioc_ops.ca import ChannelType
from ioc_ops.ca.json5 import Json
from ioc_ops.channel.data import ChannelData
from ioc_ops.channel.filters.options import Kind, Option, read_options
from ioc_ops.channel.filters.update import Filter, Shape, States, Step, Update
from ioc_ops.channel.frames import numbers, replace_value
from ioc_ops.channel.longtext import LongText
from ioc_ops.channel.text import ChannelByte, ChannelChar, ChannelString

__all__ = ["Subarray"]

_ALL = 1 << 40
_OPTIONS = (
    Option("s", Kind.INTEGER, "start", converts=True),
    Option("i", Kind.INTEGER, "step", converts=True),
    Option("e", Kind.INTEGER, "end", converts=True),
)


@dataclass(frozen=True, slots=True)
class Subarray(Filter):
    """Elements ``start`` to ``end``, both included; negative ones count from the end."""

    late: ClassVar[bool] = True
    first: int = 0
    step: int = 1
    last: int = -1

    @classmethod
    def make(cls, options: Json, states: States) -> "Subarray":
        """From ``{s:START, i:INCREMENT, e:END}``. Raises ConversionError."""
        given = read_options("arr", _OPTIONS, options)
        step = int(given.get("step", 1))
        return cls(int(given.get("start", 0)), max(step, 1), int(given.get("end", -1)))

    def within(self, count: int) -> slice:
        """The elements of an array of ``count`` (``wrapArrayIndices``)."""
        first = self.first + count if self.first < 0 else self.first
        last = self.last + count if self.last < 0 else self.last
        first, last = max(first, 0), min(max(last, 0), count - 1)
        return slice(first, max(last + 1, first), self.step)

    def shape(self, shown: Shape) -> Shape | None:
        native, count = shown
        if count <= 1:
            return None  # a scalar is no array, whatever is asked of it
        return native, len(range(*self.within(count).indices(count)))

    def start(self) -> Step:
        def step(update: Update) -> Update:
            update.frame = self._part(update.frame)
            return update

        return step

    def _part(self, frame: ChannelData) -> ChannelData:
        if isinstance(frame, LongText):
            return replace_value(frame, frame.part(self.within(frame.max_length)))
        if isinstance(frame, (ChannelByte, ChannelChar)):
            raw = bytes(frame.wire(ChannelType.CHAR, _ALL))
            raw = raw[self.within(len(raw))]
            if isinstance(frame, ChannelByte):
                return replace_value(frame, raw)
            # Half of a character is cut off as well: one byte, one character from here.
            frame.string_encoding = "latin-1"
            return replace_value(frame, raw.decode("latin-1"))
        part = self.within(frame.length)
        if isinstance(frame, ChannelString):
            return replace_value(frame, tuple(frame.value[part]))
        return replace_value(frame, np.ascontiguousarray(numbers(frame)[part]))
