"""``NAME$``: text as an array of characters, as long as it is (``dbChannel.c``, ``dbGet``)."""

from ioc_ops.ca import ChannelType
from ioc_ops.channel.convert import cut, decode_text, encode_text
from ioc_ops.channel.data import ChannelData
from ioc_ops.channel.frames import recast
from ioc_ops.channel.state import Payload, Value
from ioc_ops.channel.text import ChannelByte, ChannelChar, ChannelString
from ioc_ops.errors import ConversionError

__all__ = ["LongText", "decode_long", "long_capacity", "show_long"]

_ALL = 1 << 40


class LongText(ChannelByte):
    """Characters of a text, its terminator the last of them."""

    __slots__ = ()

    def wire(self, native: ChannelType, count: int) -> bytes:
        raw = super().wire(native, count)
        # What is cut is terminated all the same.
        if native == ChannelType.CHAR and 0 < len(raw) < self.length:
            raw = raw[:-1] + b"\0"
        return raw

    def part(self, part: slice) -> bytes:
        """Some of the characters; the last of them is a terminator (``dbGet``)."""
        room = bytes(super().wire(ChannelType.CHAR, _ALL)).ljust(self.max_length, b"\0")
        raw = room[part]
        return raw[:-1].split(b"\0", 1)[0] + b"\0" if raw else raw


_PROTOTYPE = LongText(b"", max_length=1)


def long_capacity(channel: ChannelData) -> int:
    """Characters that a client is told the text may have.

    Raises:
        ConversionError: the channel is no text.
    """
    if isinstance(channel, (ChannelChar, ChannelByte)):
        return channel.max_length
    if isinstance(channel, ChannelString) and channel.max_length == 1:
        return channel.long_string_max_length
    raise ConversionError(f"{channel.name}: only a text can be shown as a long string")


def show_long(frame: ChannelData) -> ChannelData:
    """A frame of a text as characters, with a terminator where there is room for it."""
    capacity = long_capacity(frame)
    if isinstance(frame, ChannelString):
        encoding = frame.string_encoding
        raw = cut(encode_text(frame.value, encoding), capacity - 1, encoding) + b"\0"
    else:
        assert isinstance(frame, (ChannelChar, ChannelByte))  # noqa: S101 - what has a capacity
        raw = frame.characters()
        raw += b"\0" * (len(raw) < capacity)
    long = recast(frame, _PROTOTYPE, raw)
    long.max_length = capacity
    return long


def decode_long(channel: ChannelData, data_type: int, count: int, payload: Payload) -> Value:
    """Stored form of what a client wrote to ``NAME$``. Raises ConversionError."""
    if not isinstance(channel, ChannelString):
        return channel.decode(data_type, count, payload)
    capacity = long_capacity(channel)
    raw = ChannelByte(b"", max_length=capacity).decode(data_type, count, payload)
    encoding = channel.string_encoding
    text = cut(raw.split(b"\0", 1)[0], capacity - 1, encoding)
    return channel.convert(decode_text(text, encoding))
