"""Macros in PV names and prefixes: ``{name}`` is replaced, ``{{`` and ``}}`` are braces."""

import re
from collections.abc import Mapping

from ioc_ops.errors import DefinitionError

__all__ = ["Expanded", "expand_known_macros", "expand_macros"]

_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


class Expanded(str):
    """Text whose macros are replaced: its braces, if any, are meant."""

    __slots__ = ()


def expand_macros(text: str, macros: Mapping[str, str]) -> Expanded:
    """Replace the macros of a text, once.

    Raises:
        DefinitionError: a macro has no value, or a brace stands alone.
    """
    if isinstance(text, Expanded):
        return text
    if "{" not in text and "}" not in text:
        return Expanded(text)
    try:
        return Expanded(text.format(**macros))
    except KeyError as missing:
        raise DefinitionError(
            f"{text!r}: macro {missing} has no value; write {{{{ and }}}} for braces that are meant"
        ) from None
    except (ValueError, IndexError, AttributeError, TypeError) as problem:
        raise DefinitionError(f"{text!r}: {problem}; write {{{{ and }}}} for braces") from None


def expand_known_macros(text: str, macros: Mapping[str, str]) -> Expanded:
    """Replace the macros that there are; any other brace is meant as it stands.

    For what people type: a PV prefix such as ``XF:{Det:1}`` needs no doubled braces, though
    doubled ones do no harm.
    """

    def replacement(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        return macros.get(found[1], found[0])

    return Expanded(_BRACES.sub(replacement, text))
