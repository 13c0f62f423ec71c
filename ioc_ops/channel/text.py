"""PVs of text and bytes: DBR_STRING, and DBR_CHAR arrays that hold text or bytes."""

from typing import Any

import numpy as np

from ioc_ops.ca import ChannelType
from ioc_ops.ca.dbr import LAYOUTS, MAX_STRING_SIZE, NATIVE_DTYPES
from ioc_ops.ca.payload import elements, pack_strings, unpack_strings
from ioc_ops.channel.convert import (
    cut,
    decode_text,
    encode_text,
    format_number,
    parse_number,
    to_integers,
)
from ioc_ops.channel.data import ChannelData
from ioc_ops.channel.state import Payload, Value
from ioc_ops.errors import ConversionError, ProtocolError

__all__ = ["LONG_STRING", "ChannelByte", "ChannelChar", "ChannelString"]

LONG_STRING = 256
"""Bytes of a text PV for which no ``max_length`` was asked: room for a sentence."""

_Bytes = (bytes, bytearray, memoryview)


def _number_of(text: str, name: str) -> float:
    try:
        return parse_number(text)
    except ConversionError as problem:
        raise ConversionError(f"{name}: {problem}") from None


def _numbers_to_wire(numbers: list[float], native: ChannelType) -> bytes:
    values = np.array(numbers, float)
    with np.errstate(invalid="ignore", over="ignore"):
        if native in (ChannelType.FLOAT, ChannelType.DOUBLE):
            return values.astype(NATIVE_DTYPES[native]).tobytes()
        return values.astype(np.int64).astype(NATIVE_DTYPES[native]).tobytes()


def _texts_to_wire(texts: list[str], native: ChannelType, encoding: str, name: str) -> bytes:
    """Texts as elements of a native type. Raises ConversionError for one that is no number."""
    if native == ChannelType.STRING:
        room = MAX_STRING_SIZE - 1
        return pack_strings([cut(encode_text(t, encoding), room, encoding) for t in texts])
    return _numbers_to_wire([_number_of(t, name) for t in texts], native)


def _texts_received(
    data_type: int, count: int, payload: Payload, encoding: str, name: str
) -> list[str]:
    """What a client sent, as texts. Raises ConversionError where the payload is cut."""
    native = LAYOUTS[data_type].native
    try:
        raw = elements(data_type, count, payload)
    except ProtocolError as problem:
        raise ConversionError(f"{name}: {problem}") from None
    if native == ChannelType.STRING:
        return [decode_text(t, encoding) for t in unpack_strings(raw, count)]
    return [format_number(n, None) for n in np.frombuffer(raw, NATIVE_DTYPES[native]).tolist()]


class ChannelString(ChannelData):
    """Text of at most 39 bytes a client sees, or an array of such; DBR_STRING.

    The value itself may be longer: ``NAME$`` shows it whole.
    """

    __slots__ = ("long_string_max_length",)
    data_type = ChannelType.STRING

    def __init__(
        self, value: Value = "", *, long_string_max_length: int = 81, **common: Any
    ) -> None:
        """Args: value; long_string_max_length, bytes that ``NAME$`` offers; see ChannelData."""
        self.long_string_max_length = long_string_max_length
        super().__init__(value, **common)

    def _text(self, value: Value) -> str:
        if isinstance(value, _Bytes):
            return decode_text(bytes(value), self.string_encoding)
        if isinstance(value, str):
            return value
        raise ConversionError(f"{self.name}: {value!r} is no text")

    def convert(self, value: Value) -> Value:
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if self.max_length == 1:
            if isinstance(value, (list, tuple)) and len(value) == 1:
                value = value[0]
            return self._text(value)
        if not isinstance(value, (list, tuple)):
            value = [value]
        if len(value) > self.max_length:
            raise ConversionError(
                f"{self.name}: {len(value)} elements are more than max_length={self.max_length}"
            )
        return tuple([self._text(item) for item in value])

    def present(self, stored: Value) -> Value:
        return stored if self.max_length == 1 else list(stored)

    def count_of(self, stored: Value) -> int:
        return 1 if self.max_length == 1 else len(stored)

    def _texts(self, count: int) -> list[str]:
        return [self._stored] if self.max_length == 1 else list(self._stored[:count])

    def wire(self, native: ChannelType, count: int) -> bytes:
        return _texts_to_wire(self._texts(count), native, self.string_encoding, self.name)

    def decode(self, data_type: int, count: int, payload: Payload) -> Value:
        texts = _texts_received(
            data_type, min(count, self.max_length), payload, self.string_encoding, self.name
        )
        if self.max_length > 1:
            return tuple(texts)
        if not texts:
            raise ConversionError(f"{self.name}: no element for a scalar")
        return texts[0]


class _Characters(ChannelData):
    """A CHAR array seen as one thing: its bytes."""

    __slots__ = ("_fixed_length",)
    data_type = ChannelType.CHAR

    def __init__(self, value: Value, *, max_length: int | None = None, **common: Any) -> None:
        # Nobody said how long it may grow: clients are told LONG_STRING, servers may exceed it.
        self._fixed_length = max_length is not None
        super().__init__(value, max_length=max_length or self._default_length(value), **common)

    def _default_length(self, value: Value) -> int:
        return max(len(value), LONG_STRING)

    @property
    def varies_in_length(self) -> bool:
        return True

    def _raw(self) -> bytes:
        raise NotImplementedError

    def characters(self) -> bytes:
        """All that is stored, whatever clients are shown of it."""
        return self._raw()

    def count_of(self, stored: Value) -> int:
        return len(self._raw())

    def wire(self, native: ChannelType, count: int) -> bytes:
        raw = self._raw()[:count]
        if native == ChannelType.CHAR:
            return raw
        values = np.frombuffer(raw, np.uint8)
        if native == ChannelType.STRING:
            return pack_strings([b"%d" % number for number in values.tolist()])
        return values.astype(NATIVE_DTYPES[native]).tobytes()

    def _received(self, data_type: int, count: int, payload: Payload) -> bytes:
        """Bytes of the elements a client sent, whatever their type."""
        native = LAYOUTS[data_type].native
        try:
            raw = elements(data_type, min(count, self.max_length), payload)
        except ProtocolError as problem:
            raise ConversionError(f"{self.name}: {problem}") from None
        if native == ChannelType.CHAR:
            return bytes(raw)
        if native == ChannelType.STRING:
            texts = unpack_strings(raw, min(count, self.max_length))
            return b"".join(texts)[: self.max_length]
        values = np.frombuffer(raw, NATIVE_DTYPES[native])
        # Out of range wraps, as the casts of dbConvert.c do (PUT to epicsUInt8).
        with np.errstate(invalid="ignore"):
            return values.astype(np.int64).astype(np.uint8).tobytes()

    def _octets(self, values: Value) -> bytes:
        found = np.asarray(values).reshape(-1)
        if found.dtype.kind in "SU":
            raise ConversionError(
                f"{self.name}: several texts are no text; with dtype=ChannelType.STRING they are"
                " an array"
            )
        try:
            codes = to_integers(found, ChannelType.CHAR)
        except (ConversionError, TypeError, ValueError) as problem:
            raise ConversionError(f"{self.name}: {problem}") from None
        return codes.astype(np.uint8).tobytes()

    def _check_length(self, raw: bytes) -> None:
        if self._fixed_length and len(raw) > self.max_length:
            raise ConversionError(
                f"{self.name}: {len(raw)} bytes are more than max_length={self.max_length}"
            )


class ChannelChar(_Characters):
    """Text of any length, sent as an array of characters; with ``report_as_string`` as STRING."""

    __slots__ = ("_encoded_text", "report_as_string")

    def __init__(self, value: Value = "", *, report_as_string: bool = False, **common: Any) -> None:
        """Args: value; report_as_string, show clients a DBR_STRING scalar; see ChannelData."""
        self.report_as_string = report_as_string
        self._encoded_text: tuple[str, bytes] = ("", b"")
        super().__init__(value, **common)

    def convert(self, value: Value) -> Value:
        if isinstance(value, (list, tuple)) and len(value) == 1 and isinstance(value[0], str):
            value = value[0]
        if isinstance(value, (list, tuple, np.ndarray)):
            value = self._octets(value)
        if isinstance(value, _Bytes):
            value = decode_text(bytes(value), self.string_encoding)
        if not isinstance(value, str):
            raise ConversionError(f"{self.name}: {value!r} is no text")
        self._check_length(encode_text(value, self.string_encoding))
        return value

    def _raw(self) -> bytes:
        text, raw = self._encoded_text
        if text is not self._stored:
            raw = encode_text(self._stored, self.string_encoding)
            self._encoded_text = (self._stored, raw)
        return raw

    def decode(self, data_type: int, count: int, payload: Payload) -> Value:
        encoding = self.string_encoding
        if self.report_as_string and LAYOUTS[data_type].native != ChannelType.CHAR:
            return (*_texts_received(data_type, min(count, 1), payload, encoding, self.name), "")[0]
        return decode_text(self._received(data_type, count, payload), encoding)

    @property
    def shown_as(self) -> tuple[ChannelType, int]:
        return (ChannelType.STRING, 1) if self.report_as_string else super().shown_as

    def count_of(self, stored: Value) -> int:
        return 1 if self.report_as_string else super().count_of(stored)

    def count_as(self, native: ChannelType) -> int:
        # One text, not the numbers of its characters that a CHAR waveform would give.
        return 1 if native == ChannelType.STRING else super().count_as(native)

    def wire(self, native: ChannelType, count: int) -> bytes:
        if self.report_as_string or native == ChannelType.STRING:
            return _texts_to_wire([self._stored], native, self.string_encoding, self.name)
        return super().wire(native, count)


class ChannelByte(_Characters):
    """Bytes, sent as an array of characters."""

    __slots__ = ("strip_null_terminator",)

    def __init__(
        self, value: Value = b"", *, strip_null_terminator: bool = True, **common: Any
    ) -> None:
        """Args: value; strip_null_terminator, drop zeros at the end of what a client sends."""
        self.strip_null_terminator = strip_null_terminator
        super().__init__(value, **common)

    def _default_length(self, value: Value) -> int:
        return max(len(value), 1)

    def convert(self, value: Value) -> Value:
        if isinstance(value, str):
            try:
                value = value.encode(self.string_encoding)
            except UnicodeEncodeError:
                encoding = self.string_encoding
                raise ConversionError(f"{self.name}: {value!r} has no form in {encoding}") from None
        elif isinstance(value, (np.ndarray, list, tuple)):
            value = self._octets(value)
        elif isinstance(value, int):
            value = bytes([value & 0xFF])
        elif isinstance(value, _Bytes):
            value = bytes(value)
        else:
            raise ConversionError(f"{self.name}: {value!r} are no bytes")
        self._check_length(value)
        return value

    def _raw(self) -> bytes:
        stored: bytes = self._stored
        return stored

    def decode(self, data_type: int, count: int, payload: Payload) -> Value:
        raw = self._received(data_type, count, payload)
        return raw.rstrip(b"\0") if self.strip_null_terminator else raw
