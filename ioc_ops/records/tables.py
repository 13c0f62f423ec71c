"""Record types, fields and menus of EPICS Base, and the motor record: facts, read on demand.

The tables beside this file are written by ``tools/generate_records.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from ioc_ops.errors import DefinitionError

__all__ = [
    "FieldSpec",
    "attributes_of",
    "choice_index",
    "choices_of",
    "fields_of",
    "record_types",
]

_COMMON = "dbCommon"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field as its record's .dbd file declares it.

    ``dbf`` is the database type without DBF_, ``special`` the special processing without
    SPC_, ``processes`` whether writing it processes the record, ``properties`` whether a change
    of it is posted as DBE_PROPERTY, ``asl`` its access security level.

    ``units``, ``precision``, ``display`` and ``control`` say what a number shows beside its
    value: ``EGU`` and ``PREC`` stand for those of the record, a range is ``low:high`` in numbers
    or names of fields, and '' is the whole range of its type.
    """

    name: str
    attribute: str
    dbf: str
    size: int = 0
    menu: str = ""
    initial: str = ""
    special: str = ""
    processes: bool = False
    properties: bool = False
    asl: int = 1
    units: str = ""
    precision: str = ""
    display: str = ""
    control: str = ""

    @property
    def visible(self) -> bool:
        """Whether a client can see the field at all."""
        return self.dbf != "NOACCESS" or self.special == "DBADDR"

    @property
    def shows(self) -> frozenset[str]:
        """Fields of the record that its units, precision and ranges depend on."""
        return _shown(self.units, self.precision, self.display, self.control)

    @property
    def writable(self) -> bool:
        """Whether a client can change it."""
        return self.special != "NOMOD"


@cache
def _shown(units: str, precision: str, display: str, control: str) -> frozenset[str]:
    names = {units.split("/")[0], precision, *display.split(":"), *control.split(":")}
    # Where no drive limits are in force, the operating range is shown.
    return frozenset(names | {"HOPR", "LOPR"} if "DRVH" in names else names)


def _lines(name: str) -> list[list[str]]:
    # importlib.resources would take 3 ms of every start to import.
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines()[1:]]


@cache
def _fields() -> dict[str, dict[str, FieldSpec]]:
    table: dict[str, dict[str, FieldSpec]] = {}
    for line in [*_lines("fields.tsv"), *_lines("motor_fields.tsv")]:
        record, name, attribute, dbf, size, menu, initial, special, pp, prop, asl, *shown = line
        table.setdefault(record, {})[name] = FieldSpec(
            name,
            attribute,
            dbf,
            int(size or 0),
            menu,
            initial,
            special,
            bool(pp),
            bool(prop),
            int(asl or 1),
            *shown,
        )
    return table


@cache
def _menus() -> dict[str, tuple[tuple[str, str], ...]]:
    table: dict[str, tuple[tuple[str, str], ...]] = {}
    for menu, choice, text in [*_lines("menus.tsv"), *_lines("motor_menus.tsv")]:
        table[menu] = (*table.get(menu, ()), (choice, text))
    return table


# Not in any .dbd file, but every record answers to it (dbStaticLib).
_RTYP = FieldSpec("RTYP", "record_type", "STRING", special="NOMOD")


def record_types() -> tuple[str, ...]:
    """All known record types, in alphabetical order."""
    return tuple(sorted(kind for kind in _fields() if kind != _COMMON))


@cache
def fields_of(record_type: str) -> Mapping[str, FieldSpec]:
    """The fields of a record type by name, hidden ones left out.

    Raises:
        DefinitionError: there is no such record type.
    """
    table = _fields()
    if record_type not in table or record_type == _COMMON:
        known = ", ".join(record_types())
        raise DefinitionError(f"record={record_type!r} is none of {known}")
    own = {**table[_COMMON], **table[record_type], "RTYP": _RTYP}
    return MappingProxyType({name: _seen(spec) for name, spec in own.items() if spec.visible})


def _seen(spec: FieldSpec) -> FieldSpec:
    # What lsi and lso make of it at run time (cvt_dbaddr).
    if spec.name == "OVAL" and spec.dbf == "NOACCESS":
        return replace(spec, dbf="STRING", special="NOMOD")
    return spec


@cache
def attributes_of(record_type: str) -> Mapping[str, str]:
    """Names of fields by their Python names. Raises DefinitionError."""
    return MappingProxyType({spec.attribute: name for name, spec in fields_of(record_type).items()})


def choices_of(menu: str) -> tuple[str, ...]:
    """Texts of a menu; ``dtyp_TYPE`` are the device types of a record type."""
    return tuple([text for _, text in _menus().get(menu, ())])


def choice_index(menu: str, choice: str) -> int:
    """Index of a choice, given by its identifier, text or number."""
    for index, (identifier, text) in enumerate(_menus().get(menu, ())):
        if choice in (identifier, text):
            return index
    return int(choice) if choice.isdecimal() else 0
