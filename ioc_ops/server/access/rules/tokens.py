"""The words of an access configuration file, its macros expanded (``asLib_lex.l``)."""

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from ioc_ops.errors import ConfigurationError
from ioc_ops.server.access.rules.calc import INPUTS

__all__ = ["Kind", "Token", "expand", "parse_macros", "tokens_of"]


class Kind(Enum):
    """What a word is; the value is what messages call it."""

    KEYWORD = "keyword"
    INPUT = "input"
    NAME = "name"
    NUMBER = "number"
    PUNCTUATION = "punctuation"
    END = "end of the file"


class Token(NamedTuple):
    """A word and its line."""

    kind: Kind
    text: str
    line: int

    def __str__(self) -> str:
        return self.kind.value if self.kind == Kind.END else repr(self.text)


KEYWORDS = frozenset(["UAG", "HAG", "ASG", "RULE", "CALC"])
_INPUT_NAMES = frozenset([f"INP{letter}" for letter in INPUTS])

_WORD = re.compile(
    r"""
      (?P<space>   [ \t\r]+ | \#.* )
    | (?P<quoted>  "(?:[^"\n\\]|\\.)*" )
    | (?P<name>    [a-zA-Z0-9_\-+:.\[\]<>;]+ )
    | (?P<punctuation> [(){},] )
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"[-+]?[0-9]+|[-+]?[0-9]*\.[0-9]+(?:[eE][-+]?[0-9]+)?")
_MOST_NESTED = 20
_CLOSING = {"(": ")", "{": "}"}


def tokens_of(text: str, file: str, macros: Mapping[str, str]) -> Iterator[Token]:
    """Cut a text into words; the last is the end.

    Args:
        text: of the file.
        file: its name, for messages.
        macros: values of ``$(NAME)``.

    Raises:
        ConfigurationError: a character that has no meaning here, a quote that is not closed, a
            macro without a value; names file and line.
    """
    line = 0
    for line, raw in enumerate(text.split("\n"), 1):
        try:
            yield from _words(_expanded(raw, macros), line)
        except ConfigurationError as problem:
            raise ConfigurationError(f"{file}:{line}: {problem}") from None
    yield Token(Kind.END, "", line)


def _words(text: str, line: int) -> Iterator[Token]:
    at = 0
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None:
            if text[at] == '"':
                raise ConfigurationError("a quoted name is not closed")
            raise ConfigurationError(f"invalid character {text[at]!r}")
        at = found.end()
        kind, word = found.lastgroup, found.group()
        if kind == "quoted":
            # Escapes stay as they are, as Base leaves them.
            yield Token(Kind.NAME, word[1:-1], line)
        elif kind == "punctuation":
            yield Token(Kind.PUNCTUATION, word, line)
        elif kind == "name":
            yield Token(_kind_of(word), word, line)


def _kind_of(word: str) -> Kind:
    if word in KEYWORDS:
        return Kind.KEYWORD
    if word in _INPUT_NAMES:
        return Kind.INPUT
    return Kind.NUMBER if _NUMBER.fullmatch(word) else Kind.NAME


# -- macros --------------------------------------------------------------------------------


def _expanded(line: str, macros: Mapping[str, str]) -> str:
    """A line with its macros replaced; what a comment says does not matter."""
    return line if "$" not in line else expand(_without_comment(line), macros)


def _without_comment(line: str) -> str:
    quoted, at = False, 0
    while at < len(line):
        if line[at] == "#" and not quoted:
            return line[:at]
        if line[at] == '"':
            quoted = not quoted
        at += 2 if quoted and line[at] == "\\" else 1
    return line


def expand(text: str, macros: Mapping[str, str], depth: int = 0) -> str:
    r"""Replace ``$(NAME)``, ``${NAME}`` and ``$(NAME=default)``, also within one another.

    A macro behind a backslash stays. Values may hold macros themselves.

    Raises:
        ConfigurationError: a macro has no value and no default, or no end.
    """
    if depth > _MOST_NESTED:
        raise ConfigurationError("macros refer to one another without end")
    done, at = [], 0
    while at < len(text):
        if text[at] == "\\":
            done.append(text[at : at + 2])
            at += 2
        elif text[at] == "$" and text[at + 1 : at + 2] in _CLOSING:
            end = _end_of_reference(text, at + 1)
            done.append(_value(text[at + 2 : end], macros, depth))
            at = end + 1
        else:
            done.append(text[at])
            at += 1
    return "".join(done)


def _end_of_reference(text: str, opening: int) -> int:
    waiting: list[str] = []
    for at in range(opening, len(text)):
        if text[at] in _CLOSING and (at == opening or text[at - 1] == "$"):
            waiting.append(_CLOSING[text[at]])
        elif text[at] == waiting[-1]:
            waiting.pop()
            if not waiting:
                return at
    raise ConfigurationError(f"macro {text[opening - 1 :][:40]!r} has no end")


def _value(reference: str, macros: Mapping[str, str], depth: int) -> str:
    name, given, default = _split_default(reference)
    name = expand(name, macros, depth + 1)
    if name in macros:
        return expand(macros[name], macros, depth + 1)
    if not given:
        raise ConfigurationError(f"macro {name!r} has no value")
    return expand(default, macros, depth + 1)


def _split_default(reference: str) -> tuple[str, str, str]:
    """At the first ``=`` that is not within another reference."""
    open_references = 0
    for at, character in enumerate(reference):
        if character in _CLOSING and reference[at - 1 : at] == "$":
            open_references += 1
        elif character in ")}":
            open_references -= 1
        elif character == "=" and not open_references:
            return reference[:at], "=", reference[at + 1 :]
    return reference, "", ""


def parse_macros(text: str) -> dict[str, str]:
    """Read ``NAME=VALUE,NAME="VALUE, with a comma"`` (``macParseDefns``).

    Raises:
        ConfigurationError: something there is no such assignment.
    """
    found = {}
    for item in _items(text):
        name, equals, value = item.partition("=")
        if not equals or not name.strip():
            raise ConfigurationError(f"macros: {item.strip()!r} is not NAME=VALUE")
        found[name.strip()] = _unquoted(value.strip())
    return found


def _items(text: str) -> Iterator[str]:
    """Parts between commas that are neither quoted nor behind a backslash."""
    start, quote, at = 0, "", 0
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == ",":
            yield text[start:at]
            start = at + 1
        at += 1
    if quote:
        raise ConfigurationError(f"macros: a quote is not closed in {text[start:]!r}")
    if text[start:].strip():
        yield text[start:]


def _unquoted(value: str) -> str:
    done, quote, at = [], "", 0
    while at < len(value):
        character = value[at]
        if character == "\\" and at + 1 < len(value):
            at += 1
            done.append(value[at])
        elif character == quote:
            quote = ""
        elif character in "\"'" and not quote:
            quote = character
        else:
            done.append(character)
        at += 1
    return "".join(done)
