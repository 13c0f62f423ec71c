"""JSON5 maps as EPICS Base reads them behind a channel name (``yajl_lex.c``, ``yajl_parser.c``).

Keys keep their order and may repeat, which a dictionary would lose: two filters of one kind
are two filters.
"""

import re
from math import isinf
from typing import NamedTuple, NoReturn

from ioc_ops.errors import ConversionError

__all__ = ["Json", "JsonMap", "parse_json5"]


class JsonMap(NamedTuple):
    """Keys and values in the order of the text."""

    pairs: "tuple[tuple[str, Json], ...]"


Json = str | int | float | bool | None | list["Json"] | JsonMap

_DEEPEST = 32
"""Maps in maps; Base has no such bound, and no use for more than two."""

_SPACE = re.compile(r"(?:[ \t\n\v\f\r]+|//[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
_IDENTIFIER = re.compile(r"[$_A-Za-z][$_A-Za-z0-9]*")
_WORD = re.compile(r"true|false|null|NaN|Infinity")
_WORDS: dict[str, Json] = {
    "true": True,
    "false": False,
    "null": None,
    "NaN": float("nan"),
    "Infinity": float("inf"),
}
_NUMBER = re.compile(
    r"""(?P<sign>[+-]?)(?:
        (?P<infinite>Infinity)
        | 0[xX](?P<hex>[0-9A-Fa-f]+)
        | (?P<whole>0|[1-9][0-9]*)?(?P<real>\.[0-9]*)?(?P<exponent>[eE][+-]?[0-9]+)?
    )""",
    re.VERBOSE,
)
_PLAIN = {quote: re.compile(rf"[^\\{quote}\x00-\x1f]*") for quote in "'\""}
_HEX = {"u": re.compile(r"[0-9A-Fa-f]{4}"), "x": re.compile(r"[0-9A-Fa-f]{2}")}
_ESCAPES = {"r": "\r", "n": "\n", "f": "\f", "b": "\b", "t": "\t", "v": "\v", "0": "\0", "\n": ""}


def parse_json5(text: str) -> JsonMap:
    """The map that is the whole of ``text``.

    Raises:
        ConversionError: it is no JSON5 map, or there is something behind it.
    """
    reader = _Reader(text)
    found = reader.map(0)
    reader.skip()
    # A comment that is cut at the end is behind the map and does no harm.
    if reader.at < len(text) and not text.startswith("/*", reader.at):
        reader.fail("there is something behind the map")
    return found


class _Reader:
    """A text and how far it has been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def fail(self, why: str) -> NoReturn:
        raise ConversionError(f"{self.text[:80]!r}, character {self.at}: {why}")

    def skip(self) -> None:
        """Over white space and comments."""
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def peek(self) -> str:
        """The next character that counts, or ''."""
        self.skip()
        return self.text[self.at : self.at + 1]

    def take(self, wanted: str) -> bool:
        """Whether that is the next character; it is then taken."""
        if self.peek() != wanted:
            return False
        self.at += 1
        return True

    def map(self, depth: int) -> JsonMap:
        if depth > _DEEPEST:
            self.fail("the maps are too deep")
        if not self.take("{"):
            self.fail("'{' is missing")
        pairs: list[tuple[str, Json]] = []
        while not self.take("}"):
            if pairs and not self.take(","):
                self.fail("',' or '}' is missing")
            if pairs and self.take("}"):
                break  # JSON5 allows a comma behind the last pair
            key = self.key()
            if not self.take(":"):
                self.fail("':' is missing")
            pairs.append((key, self.value(depth + 1)))
        return JsonMap(tuple(pairs))

    def key(self) -> str:
        quote = self.peek()
        if quote in _PLAIN:
            return self.string(quote)
        found = _IDENTIFIER.match(self.text, self.at)
        if found is None:
            self.fail("a key is missing")
        self.at = found.end()
        return found.group()

    def value(self, depth: int) -> Json:
        first = self.peek()
        if first == "{":
            return self.map(depth)
        if first == "[":
            return self.array(depth)
        if first in _PLAIN:
            return self.string(first)
        word = _WORD.match(self.text, self.at)
        if word is not None:
            self.at = word.end()
            return _WORDS[word.group()]
        return self.number()

    def array(self, depth: int) -> list[Json]:
        if depth > _DEEPEST:
            self.fail("the arrays are too deep")
        self.at += 1
        items: list[Json] = []
        while not self.take("]"):
            if items and not self.take(","):
                self.fail("',' or ']' is missing")
            if items and self.take("]"):
                break
            items.append(self.value(depth + 1))
        return items

    def number(self) -> int | float:
        found = _NUMBER.match(self.text, self.at)
        if found is None or not found.group().strip("+-"):
            self.fail("a value is missing")
        sign, whole, real = found["sign"], found["whole"], found["real"]
        if found["infinite"] is None and found["hex"] is None and not whole and real in (None, "."):
            self.fail("a number needs a digit")
        self.at = found.end()
        if found["infinite"]:
            return float(sign + "inf")
        if found["hex"] or (real is None and found["exponent"] is None):
            digits, base = (found["hex"], 16) if found["hex"] else (whole, 10)
            # More digits than any integer has here; int() itself minds only thousands.
            value = int(digits, base) if len(digits) < 40 else 1 << 64
            if value > 0x7FFFFFFFFFFFFFFF:
                self.fail("the integer is too large")
            return -value if sign == "-" else value
        number = float(found.group())
        if isinf(number):
            self.fail("the number is too large")
        return number

    def string(self, quote: str) -> str:
        self.at += 1
        parts: list[str] = []
        while True:
            plain = _PLAIN[quote].match(self.text, self.at)
            if plain is not None:
                parts.append(plain.group())
                self.at = plain.end()
            stop = self.text[self.at : self.at + 1]
            self.at += 1
            if stop == quote:
                return "".join(parts)
            if stop != "\\":
                self.fail("a text does not end, or has a control character in it")
            parts.append(self.escape())

    def escape(self) -> str:
        code = self.text[self.at : self.at + 1]
        self.at += 1
        if code in ("u", "x"):
            return self.code_point(code)
        if not code or code in "123456789":
            self.fail("no such escape")
        if code == "\r":
            self.at += self.text.startswith("\n", self.at)
            return ""
        return _ESCAPES.get(code, code)

    def code_point(self, kind: str) -> str:
        first = self.digits(kind)
        if kind == "u" and first & 0xFC00 == 0xD800 and self.text.startswith("\\u", self.at):
            self.at += 2
            second = self.digits(kind)
            first = 0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF)
        # Half of a pair is no character.
        return "?" if 0xD800 <= first < 0xE000 else chr(first)

    def digits(self, kind: str) -> int:
        found = _HEX[kind].match(self.text, self.at)
        if found is None:
            self.fail("a hexadecimal digit is missing")
        self.at = found.end()
        return int(found.group(), 16)
