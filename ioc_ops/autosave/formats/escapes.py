r"""The backslash escapes of EPICS Base (epicsString.c), between the bytes of a value and a file.

Reading agrees with ``epicsStrnRawFromEscaped``: ``\x`` takes one or two hexadecimal digits, ``\0``
is the only octal form, an unknown ``\c`` is ``c``, a backslash at the end is nothing.
"""

import re

__all__ = ["decode", "encode", "escape", "escape_element", "unescape"]

_NAMED = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_NAMED |= {b"v": b"\v", b"0": b"\0"}
_CODES = {raw: b"\\" + letter for letter, raw in _NAMED.items() if letter != b"0"}
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{0,2})|(.)|\Z)", re.DOTALL)
_SPECIAL = re.compile(rb"""[^ -~]|[\\'"]""", re.DOTALL)
_SPECIAL_IN_ELEMENT = re.compile(rb"""[^ -~]|[\\"]""", re.DOTALL)


def decode(raw: bytes) -> str:
    """Text of a value: UTF-8; bytes that are none come back unchanged by `encode`."""
    return raw.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes of a text. Lone surrogates that are no bytes of `decode` stay what they are."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def unescape(data: bytes) -> bytes:
    """The value that was written as ``data``."""
    return _ESCAPE.sub(_raw, data) if b"\\" in data else data


def _raw(match: re.Match[bytes]) -> bytes:
    digits, letter = match.groups()
    if digits is not None:
        return bytes([int(digits, 16)]) if digits else b""
    return _NAMED.get(letter, letter) if letter is not None else b""


def escape(raw: bytes) -> bytes:
    """How a scalar is written: printable ASCII, on one line."""
    return _SPECIAL.sub(_escaped, raw)


def _escaped(match: re.Match[bytes]) -> bytes:
    char = match[0]
    if char in b"\\'\"":
        return b"\\" + char
    return _CODES.get(char) or b"\\x%02x" % ord(char)


def escape_element(raw: bytes) -> bytes:
    r"""How an element of an array is written, without its quotes.

    R6-0 unescapes elements twice, so that ``\\`` would be lost: ``\x5c`` survives any number.
    """
    return _SPECIAL_IN_ELEMENT.sub(_escaped_in_element, raw)


def _escaped_in_element(match: re.Match[bytes]) -> bytes:
    return b"\\x5c" if match[0] == b"\\" else _escaped(match)
