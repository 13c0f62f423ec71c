"""The macros of EPICS in request files: ``$(P)``, ``${P}``, ``$(P=default)``."""

import re
from collections.abc import Mapping

from ioc_ops.errors import AutosaveError

__all__ = ["expand", "parse_definitions"]

_CLOSING = {"(": ")", "{": "}"}
_DEFINITION = re.compile(
    r"""\s*([^\s=,"']+)\s*=\s*((?:"[^"]*"|'[^']*'|[^,\s"'])*)\s*(?:,|\Z|(?<=\s))"""
)
_MAX_DEPTH = 20
_MAX_LENGTH = 4096


def parse_definitions(text: str) -> dict[str, str]:
    """``P=x:,M="m 1"`` as a mapping; blanks count as commas.

    Raises:
        AutosaveError: it is no list of definitions.
    """
    macros: dict[str, str] = {}
    position = 0
    text = text.strip(", \t")
    while position < len(text):
        match = _DEFINITION.match(text, position)
        if match is None:
            raise AutosaveError(f"no definition of a macro: {text[position:][:40]!r}")
        macros[match[1]] = re.sub("[\"']", "", match[2])
        position = match.end()
        while position < len(text) and text[position] in ", \t":
            position += 1
    return macros


def expand(text: str, macros: Mapping[str, str]) -> str:
    """Replace the macros in a text; their values may hold macros in turn.

    Raises:
        AutosaveError: a macro is not defined, has no end, or goes on for ever.
    """
    return _expand(text, macros, 0)


def _expand(text: str, macros: Mapping[str, str], depth: int) -> str:
    if depth > _MAX_DEPTH:
        raise AutosaveError("macros that stand for one another without end")
    result = ""
    while "$" in text:
        before, _, text = text.partition("$")
        result += before
        if text[:1] not in _CLOSING:
            result += "$"
            continue
        end = _end_of(text)
        name, equals, default = text[1:end].partition("=")
        name = _expand(name, macros, depth + 1)
        if name in macros:
            result += _expand(macros[name], macros, depth + 1)
        elif equals:
            result += _expand(default, macros, depth + 1)
        else:
            raise AutosaveError(f"the macro {name!r} is not defined")
        text = text[end + 1 :]
        if len(result) > _MAX_LENGTH:
            raise AutosaveError(f"with its macros the line is longer than {_MAX_LENGTH}")
    return result + text


def _end_of(text: str) -> int:
    """Where the bracket with which a text begins is closed."""
    open_brackets: list[str] = []
    for position, char in enumerate(text):
        if char in _CLOSING and (position == 0 or text[position - 1] == "$"):
            open_brackets.append(_CLOSING[char])
        elif char == open_brackets[-1]:
            open_brackets.pop()
            if not open_brackets:
                return position
    raise AutosaveError(f"the macro ${text[:20]} has no end")
