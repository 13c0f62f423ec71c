"""The mark that says: save this PV."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from ioc_ops.errors import DefinitionError
from ioc_ops.group import SubGroup, pvproperty

__all__ = ["DEFAULT_FIELDS", "AutosaveTag", "autosaved"]

T = TypeVar("T", bound=pvproperty | SubGroup)

#: Fields that are saved beside the value unless ``fields`` says otherwise, as in caproto.
DEFAULT_FIELDS = ("description",)


@dataclass(frozen=True, slots=True)
class AutosaveTag:
    """What `autosaved` leaves on a pvproperty or SubGroup, read again when the IOC starts."""

    #: Record fields to save too, by field name (``DESC``) or attribute (``description``).
    fields: tuple[str, ...] = DEFAULT_FIELDS
    #: Run the putter with the restored value once the IOC is up; else restoring is silent.
    put_on_restore: bool = False


def autosaved(pvprop: T, fields: Iterable[str] | None = None, *, put_on_restore: bool = False) -> T:
    """Have an `AutosaveHelper` of the same group tree save and restore this PV.

    Args:
        pvprop: a pvproperty, or a SubGroup (also what ``get_pv_pair_wrapper()`` makes): then every
            PV below it is saved.
        fields: names of record fields to save too; None means the description. Fields that the
            PV's record does not have are ignored.
        put_on_restore: by default a restored value is set without running the putter, so that no
            motor moves at boot. True also writes it through the putter in the startup phase.

    Returns:
        The same object, tagged in its ``autosave`` attribute; a tagged copy of one that belongs
        to another class, as in ``x = autosaved(Parent.x)``.

    Raises:
        DefinitionError: the object cannot be tagged, or ``fields`` is a plain string.
    """
    if isinstance(fields, str):
        raise DefinitionError(f"autosaved(fields={fields!r}): give a list of names, not one string")
    # A tag on anything else would be ignored in silence, and the user would find out after the
    # restart that nothing was saved.
    if not isinstance(pvprop, pvproperty | SubGroup):
        raise DefinitionError(f"autosaved() takes a pvproperty or a SubGroup, not {pvprop!r}")
    names = DEFAULT_FIELDS if fields is None else tuple(dict.fromkeys(fields))
    for name in names:
        if not isinstance(name, str) or not name:
            raise DefinitionError(f"autosaved(fields=...): {name!r} is no field name")
    if pvprop.attr_name:
        pvprop = copy.copy(pvprop)
    pvprop.autosave = AutosaveTag(names, put_on_restore)
    return pvprop
