"""Which PVs show their values as metrics: those that are marked, and those that a pattern names."""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Any, TypeVar

from ioc_ops.channel import ChannelData, ChannelEnum, ChannelNumeric
from ioc_ops.errors import DefinitionError
from ioc_ops.group import PVGroup, SubGroup, pvproperty

__all__ = ["Selection", "exported", "select"]

T = TypeVar("T", bound=pvproperty | SubGroup)


def exported(pvprop: T) -> T:
    """Let the metrics show this PV: ``x = exported(pvproperty(value=1.0))``.

    Shown are numbers, and states by their index; not texts, not arrays. It is the value that the
    PV has anyway: no scrape runs a getter.

    Args:
        pvprop: a pvproperty, or a SubGroup: then every PV below it is shown.

    Returns:
        The same object, marked; a marked copy of one that belongs to another class, as in
        ``x = exported(Parent.x)``.

    Raises:
        DefinitionError: it is neither.
    """
    if not isinstance(pvprop, pvproperty | SubGroup):
        raise DefinitionError(f"exported() takes a pvproperty or a SubGroup, not {pvprop!r}")
    if pvprop.attr_name:
        pvprop = copy.copy(pvprop)
    pvprop.exported = True
    return pvprop


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be shown: PVs by name, at most the limit; and what is not."""

    pvs: Mapping[str, ChannelData] = field(default_factory=dict)
    dropped: int = 0
    """PVs beyond the limit."""
    unfit: tuple[str, ...] = ()
    """PVs that are marked themselves, but are texts or arrays."""
    unused: tuple[str, ...] = ()
    """Patterns that fit no PV."""


def select(pvdb: Mapping[str, ChannelData], patterns: Sequence[str], limit: int) -> Selection:
    """The PVs to show.

    Args:
        pvdb: all PVs, by name.
        patterns: of names, ``*`` and ``?`` stand for any text.
        limit: the most that are shown. Marked PVs come first, then those that patterns name,
            each in the order of their definition.
    """
    marked: dict[str, ChannelData] = {}
    named: dict[str, ChannelData] = {}
    unfit = []
    fits = [re.compile(translate(pattern)).match for pattern in patterns]
    fits_any = re.compile("|".join(map(translate, patterns))).match if patterns else _nothing
    used = [False] * len(fits)
    groups: dict[int, bool] = {}
    for name, channel in pvdb.items():
        # A pvdb may hold PVs that no pvproperty made.
        spec, group = getattr(channel, "pvspec", None), getattr(channel, "group", None)
        by_group = groups.get(id(group))
        if by_group is None:
            by_group = _is_marked(group, groups)
        own = spec is not None and spec.exported
        if fits_any(name):
            used = [was or bool(fit(name)) for was, fit in zip(used, fits, strict=True)]
        elif not (own or by_group):
            continue
        if not _is_number(channel):
            if own:
                unfit.append(name)
        elif own or by_group:
            marked[name] = channel
        else:
            named[name] = channel
    wanted = [*marked.items(), *named.items()]
    return Selection(
        pvs=dict(wanted[:limit]),
        dropped=max(len(wanted) - limit, 0),
        unfit=tuple(unfit),
        unused=tuple([p for p, was_used in zip(patterns, used, strict=True) if not was_used]),
    )


def _is_number(channel: ChannelData) -> bool:
    return channel.max_length == 1 and isinstance(channel, ChannelNumeric | ChannelEnum)


def _nothing(name: str) -> None:
    """No pattern fits."""


def _is_marked(group: PVGroup | None, known: dict[int, bool]) -> bool:
    """Whether the SubGroup that a group was made from is marked, or one around it."""
    parent: Any = None if group is None else group.parent
    answer = parent is not None and (
        any(
            declared.exported and parent.groups.get(attr) is group
            for attr, declared in type(parent)._subgroups_.items()
        )
        or _is_marked(parent, known)
    )
    known[id(group)] = answer
    return answer
