"""The mark that says: save this PV."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from ioc_ops.errors import DefinitionError
from ioc_ops.group import SubGroup, pvproperty

__all__ = ["DEFAULT_FIELDS", "MAIN_SET", "AutosaveTag", "autosaved"]

T = TypeVar("T", bound=pvproperty | SubGroup)

#: Fields that are saved beside the value unless ``fields`` says otherwise, as in caproto.
DEFAULT_FIELDS = ("description",)
#: The save set of the AutosaveHelper itself.
MAIN_SET = ""


@dataclass(frozen=True, slots=True)
class AutosaveTag:
    """What `autosaved` leaves on a pvproperty or SubGroup, read again when the IOC starts."""

    #: Record fields to save too, by field name (``DESC``) or attribute (``description``).
    fields: tuple[str, ...] = DEFAULT_FIELDS
    #: Run the putter with the restored value once the IOC is up; else restoring is silent.
    put_on_restore: bool = False
    #: Names of the save sets that save the PV.
    sets: tuple[str, ...] = (MAIN_SET,)
    #: Whether the value is saved, and not the fields alone.
    value: bool = True


def autosaved(
    pvprop: T,
    fields: Iterable[str] | None = None,
    *,
    put_on_restore: bool = False,
    save_set: str | Iterable[str] = MAIN_SET,
    info: str | None = None,
) -> T:
    """Have an `AutosaveHelper` of the same group tree save and restore this PV.

    Args:
        pvprop: a pvproperty, or a SubGroup (also what ``get_pv_pair_wrapper()`` makes): then every
            PV below it is saved.
        fields: names of record fields to save too; None means the description. Fields that the
            PV's record does not have are ignored.
        put_on_restore: by default a restored value is set without running the putter, so that no
            motor moves at boot. True also writes it through the putter in the startup phase.
        save_set: name of the `SaveSet` that saves it, or names of several; by default the
            AutosaveHelper itself does.
        info: what the info tags ``autosaveFields`` of a database say, instead of ``fields``:
            ``"VAL PREC EGU"`` saves these fields and no other; the value only if VAL is there.

    Returns:
        The same object, tagged in its ``autosave`` attribute; a tagged copy of one that belongs
        to another class, as in ``x = autosaved(Parent.x)``.

    Raises:
        DefinitionError: the object cannot be tagged, ``fields`` is a plain string, or ``info``
            stands beside ``fields`` or is empty.
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
    sets = (save_set,) if isinstance(save_set, str) else tuple(dict.fromkeys(save_set))
    if not sets:
        raise DefinitionError("autosaved(save_set=[]): a PV in no set is not saved")
    tag = AutosaveTag(names, put_on_restore, sets)
    if info is not None:
        if fields is not None:
            raise DefinitionError("autosaved(): give fields or info, not both")
        tag = _from_info(info, tag)
    if pvprop.attr_name:
        pvprop = copy.copy(pvprop)
    pvprop.autosave = tag
    return pvprop


def _from_info(info: str, tag: AutosaveTag) -> AutosaveTag:
    # `$` asks for a long string, which is how every text is saved here.
    listed = dict.fromkeys(field.removesuffix("$") for field in info.split())
    if not listed:
        raise DefinitionError(f"autosaved(info={info!r}): names no field")
    fields = tuple(field for field in listed if field != "VAL")
    return AutosaveTag(fields, tag.put_on_restore, tag.sets, value="VAL" in listed)
