"""Text from files that tell no types, as a value of the type that a PV has."""

import re

from ioc_ops.autosave.values import Scalar, UntypedValue, Value
from ioc_ops.channel import ChannelByte, ChannelData, ChannelEnum, ChannelType
from ioc_ops.errors import AutosaveError

__all__ = ["number_of", "typed"]

_INTEGER = re.compile(r"[+-]?[0-9]{1,400}")
_FLOAT = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan)", re.IGNORECASE
)


def number_of(text: str) -> int | float | None:
    """The number that a text is, white space around it allowed; None if it is none."""
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else None


def _octets(texts: tuple[str, ...]) -> bytes:
    """Characters that are saved as numbers, -128 to 255."""
    return bytes(map(_octet, texts))


def _octet(text: str) -> int:
    number = number_of(text)
    if not isinstance(number, int) or not -128 <= number < 256:
        raise AutosaveError(f"{text[:40]!r} is no character")
    return number & 0xFF


def typed(value: UntypedValue, channel: ChannelData) -> Value:
    """The value for a PV.

    An array of no or one element may stand in the file as a scalar: that is what synApps does.

    Raises:
        AutosaveError: the text is no value of the PV's type.
    """
    text = value.text
    if isinstance(channel, ChannelEnum):
        return _state(_single(text), channel)
    if channel.data_type == ChannelType.CHAR:
        if isinstance(text, str):
            return text.encode("utf-8", "surrogateescape") if _binary(channel) else text
        raw = _octets(text)
        return raw if _binary(channel) else _text(raw)
    if channel.data_type == ChannelType.STRING:
        return text if isinstance(text, str) else list(text)
    if isinstance(text, str) and channel.max_length == 1:
        return _number(text)
    texts = text if not isinstance(text, str) else (text,) if text.strip() else ()
    numbers: list[Scalar] = [_number(item) for item in texts]
    return numbers if channel.max_length > 1 or len(numbers) != 1 else numbers[0]


def _single(text: str | tuple[str, ...]) -> str:
    if isinstance(text, str):
        return text
    if len(text) != 1:
        raise AutosaveError(f"{len(text)} values for one state")
    return text[0]


def _state(text: str, channel: ChannelEnum) -> Value:
    # The formats without types save the index; people who edit them may write the state.
    index = number_of(text)
    return index if isinstance(index, int) and text not in channel.enum_strings else text


def _number(text: str) -> int | float:
    number = number_of(text)
    if number is None:
        raise AutosaveError(f"{text[:60]!r} is no number")
    # synApps writes a 64-bit integer as 1e+14. An integer has no negative zero.
    if isinstance(number, float) and number.is_integer() and 0 < abs(number) < 2**53:
        return int(number)
    return number


def _binary(channel: ChannelData) -> bool:
    return isinstance(channel, ChannelByte)


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
