"""Macros in PV names and prefixes: ``{name}`` is replaced, ``{{`` and ``}}`` are braces."""

from collections.abc import Mapping

from ioc_ops.errors import DefinitionError

__all__ = ["Expanded", "expand_macros"]


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
    except (ValueError, IndexError) as problem:
        raise DefinitionError(f"{text!r}: {problem}; write {{{{ and }}}} for braces") from None
