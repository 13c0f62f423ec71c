"""The 16-byte header and its 24-byte extended form (CA 4.9 and later).

Layout, network byte order: command u16, payload size u16, data type u16, count u16,
parameter 1 u32, parameter 2 u32. A payload size of 0xffff announces the extended form,
in which size and count follow as two u32 and the count field is zero.
"""

import struct
from dataclasses import astuple, dataclass
from typing import NamedTuple

from ioc_ops.ca.commands import Command
from ioc_ops.errors import ProtocolError

__all__ = ["EXTENDED", "HEADER", "Header", "Message", "pack_header", "pack_message", "parse"]

HEADER = struct.Struct(">HHHHII")
EXTENDED = struct.Struct(">II")
_pack = HEADER.pack
_pack_extended = struct.Struct(">HHHHIIII").pack

_LARGE = 0xFFFF
_DEFAULT_LIMIT = 16_384 + 1024


@dataclass(frozen=True, slots=True)
class Header:
    """A header, normal or extended, decoded; ``size`` is that of the payload in bytes."""

    command: int
    size: int
    data_type: int
    count: int
    parameter1: int
    parameter2: int


class Message(NamedTuple):
    """A header and its payload."""

    header: Header
    payload: bytes


def pack_header(
    command: int, size: int, data_type: int, count: int, parameter1: int, parameter2: int
) -> bytes:
    """Pack a header, in the extended form when size or count ask for it."""
    if size < _LARGE and count < _LARGE:
        return _pack(command, size, data_type, count, parameter1, parameter2)
    return _pack_extended(command, _LARGE, data_type, 0, parameter1, parameter2, size, count)


def pack_message(message: Message) -> bytes:
    """Pack header and payload; the payload is padded to 8 bytes and its size says so.

    Raises:
        ProtocolError: the header's size differs from the padded size of the payload.
    """
    header, payload = message
    padding = -len(payload) % 8
    if header.size != len(payload) + padding:
        raise ProtocolError(f"size {header.size} is not that of the payload, padded to 8 bytes")
    return pack_header(*astuple(header)) + payload + bytes(padding)


def parse(data: bytes, start: int = 0, limit: int = _DEFAULT_LIMIT) -> tuple[Message, int] | None:
    """Take one message from ``data`` at ``start``; any bytes parse, wait or raise.

    Returns:
        The message and the offset behind it, or None when more bytes are needed.

    Raises:
        ProtocolError: a command that is not of protocol 4.13, a payload that is not
            aligned to 8 bytes (EPICS Base ``camessage.c``), or one above ``limit`` bytes
            (known from the header alone, before anything is buffered).
    """
    have = len(data) - start
    if have < HEADER.size:
        return None
    command, size, data_type, count, parameter1, parameter2 = HEADER.unpack_from(data, start)
    body = start + HEADER.size
    if size == _LARGE:
        if have < HEADER.size + EXTENDED.size:
            return None
        size, count = EXTENDED.unpack_from(data, body)
        body += EXTENDED.size
    if command > Command.SERVER_DISCONN:
        raise ProtocolError(f"{command} is not a command of Channel Access")
    if size & 7:
        raise ProtocolError(f"payload of {size} bytes is not aligned to 8")
    if size > limit:
        raise ProtocolError(f"payload of {size} bytes is above the limit of {limit}")
    end = body + size
    if end > len(data):
        return None
    header = Header(command, size, data_type, count, parameter1, parameter2)
    return Message(header, bytes(data[body:end])), end
