"""Writes ioc_ops/records/{fields,menus}.tsv from the epicscorelibs wheel.

    python tools/generate_records.py          write the tables
    python tools/generate_records.py --check  exit with 1 when they would change

The tables hold facts only. Names, types, sizes, menus, initial values and attributes come from the
.dbd files; what a field shows as its units, precision and ranges is code in EPICS Base, so a record
of each type is asked (see field_displays.py). The wheel does not have the motor record: with
--motor motorRecord.dbd (of the EPICS motor module) its own table, motor_{fields,menus}.tsv, is
written as well.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from field_displays import MOTOR_DISPLAYS, NOTHING, Displays, probe

TABLES = Path(__file__).parent.parent / "ioc_ops" / "records"
COLUMNS = (
    "record",
    "field",
    "attribute",
    "dbf",
    "size",
    "menu",
    "initial",
    "special",
    "pp",
    "prop",
    "asl",
    "units",
    "precision",
    "display",
    "control",
)

ATTRIBUTES = {
    "ACKS": "alarm_acknowledge_severity",
    "ACKT": "alarm_acknowledge_transient",
    "DESC": "description",
    "DISS": "disable_alarm_severity",
    "FLNK": "forward_link",
    "PROC": "process_record",
    "SCAN": "scan_rate",
    "SEVR": "current_alarm_severity",
    "UDFS": "undefined_alarm_severity",
    "DOL": "desired_output_loc",
    "HOPR": "high_operating_range",
    "LOPR": "low_operating_range",
    "INX": "compressed_array_inx",
    "NMAP": "monitor_mask_more",
}
"""Python names that users know and that the prompts do not give."""

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([{}(),])|([^\s{}(),"]+)')


@dataclass
class Database:
    """What .dbd files declare."""

    menus: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    records: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    devices: dict[str, list[str]] = field(default_factory=dict)


def tokens(text: str) -> Iterator[str]:
    """Words, strings and punctuation; C code and comments are skipped."""
    for line in text.splitlines():
        if line.lstrip().startswith(("%", "#")):
            continue
        for match in _TOKEN.finditer(line):
            quoted, mark, word = match.groups()
            if word is not None and word.startswith("#"):
                break
            yield mark or word or quoted or ""


def read(path: Path, database: Database) -> Database:
    """Take in a file and all that it includes."""
    stream = tokens(path.read_text(encoding="utf-8"))
    _statements(stream, path.parent, database, None)
    return database


def _arguments(stream: Iterator[str]) -> list[str]:
    arguments: list[str] = []
    next(stream)  # the opening bracket
    for token in stream:
        if token == ")":
            break
        if token != ",":
            arguments.append(token)
    return arguments


def _statements(
    stream: Iterator[str], folder: Path, database: Database, record: str | None
) -> None:
    for token in stream:
        if token == "}":
            return
        if token == "include":
            name = next(stream)
            path = folder / name if (folder / name).exists() else wheel_folder() / name
            inner = tokens(path.read_text(encoding="utf-8"))
            _statements(inner, folder, database, record)
        elif token == "menu":
            (name,) = _arguments(stream)
            next(stream)
            database.menus[name] = list(_choices(stream))
        elif token == "recordtype":
            (name,) = _arguments(stream)
            next(stream)
            database.records[name] = {}
            _statements(stream, folder, database, name)
        elif token == "field" and record is not None:
            name, dbf = _arguments(stream)
            attributes = {"dbf": dbf.removeprefix("DBF_")}
            next(stream)
            for key in stream:
                if key == "}":
                    break
                attributes[key] = " ".join(_arguments(stream))
            database.records[record][name] = attributes
        elif token == "device":
            of, _, _, choice = _arguments(stream)
            database.devices.setdefault(of, []).append(choice)


def _choices(stream: Iterator[str]) -> Iterator[tuple[str, str]]:
    for token in stream:
        if token == "}":
            return
        identifier, text = _arguments(stream)
        yield identifier, text


def attribute_name(name: str, prompt: str, taken: set[str]) -> str:
    """A Python name made from the prompt, or from the field where that is no name."""
    if name in ATTRIBUTES:
        return ATTRIBUTES[name]
    # What stands in brackets are units, or an abbreviation.
    made = re.sub(r"\W+", "_", re.sub(r"\(.*?(\)|$)", "", prompt).lower()).strip("_")
    if not made or made[0].isdigit() or made in taken:
        made = name.lower()
    taken.add(made)
    return made


def common_fields(database: Database) -> dict[str, dict[str, str]]:
    """Fields that every record type has, and has alike."""
    first, *others = database.records.values()
    return {n: f for n, f in first.items() if all(other.get(n) == f for other in others)}


def rows(
    database: Database, common: dict[str, dict[str, str]], displays: Displays
) -> Iterator[tuple[str, ...]]:
    """Lines of a table of fields: what each record type has beside the common ones."""
    shared: set[str] = set()
    for name, attributes in common.items():
        attribute_name(name, attributes.get("prompt", ""), shared)
    for kind in sorted(database.records):
        taken = set(shared)
        for name, attributes in database.records[kind].items():
            if name not in common:
                shown = displays.get((kind, name), NOTHING)
                yield (*_row(kind, name, attributes, taken), *shown)


def _row(record: str, name: str, attributes: dict[str, str], taken: set[str]) -> tuple[str, ...]:
    return (
        record,
        name,
        attribute_name(name, attributes.get("prompt", ""), taken),
        attributes["dbf"],
        attributes.get("size", ""),
        attributes.get("menu", ""),
        attributes.get("initial", ""),
        attributes.get("special", "").removeprefix("SPC_"),
        "1" if attributes.get("pp") in ("TRUE", "YES") else "",
        "1" if attributes.get("prop") == "YES" else "",
        "0" if attributes.get("asl") == "ASL0" else "",
    )


def _fields_table(lines: Iterator[tuple[str, ...]]) -> str:
    return "\n".join(["\t".join(COLUMNS), *("\t".join(line) for line in lines)]) + "\n"


def _menus_table(database: Database) -> str:
    lines = ["menu\tchoice\ttext"]
    for name in sorted(database.menus):
        lines += [f"{name}\t{identifier}\t{text}" for identifier, text in database.menus[name]]
    for record in sorted(database.devices):
        lines += [f"dtyp_{record}\t\t{text}" for text in database.devices[record]]
    return "\n".join(lines) + "\n"


def base_tables(database: Database) -> dict[str, str]:
    """Contents of the files for EPICS Base, by name."""
    common = common_fields(database)
    taken: set[str] = set()
    shared = [
        (*_row("dbCommon", name, attributes, taken), *NOTHING)
        for name, attributes in common.items()
    ]
    types = {
        kind: {name: attributes["dbf"] for name, attributes in fields.items()}
        for kind, fields in database.records.items()
    }
    lines = iter([*shared, *rows(database, common, probe(wheel_folder(), types))])
    return {"fields.tsv": _fields_table(lines), "menus.tsv": _menus_table(database)}


def motor_tables(base: Database, motor: Path) -> dict[str, str]:
    """Contents of the files for the motor record, by name."""
    database = read(motor, Database())
    own = {name: choices for name, choices in database.menus.items() if name not in base.menus}
    fields = _fields_table(rows(database, common_fields(base), MOTOR_DISPLAYS))
    return {"motor_fields.tsv": fields, "motor_menus.tsv": _menus_table(Database(menus=own))}


def wheel_folder() -> Path:
    """Where the epicscorelibs wheel keeps its .dbd files."""
    from epicscorelibs.path import base_path

    return Path(base_path) / "dbd"


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("--motor", type=Path, metavar="motorRecord.dbd")
    arguments = parser.parse_args()
    base = read(wheel_folder() / "base.dbd", Database())
    contents = base_tables(base)
    if arguments.motor is not None:
        contents |= motor_tables(base, arguments.motor)
    changed = 0
    for name, content in contents.items():
        path = TABLES / name
        if path.exists() and path.read_text(encoding="utf-8") == content:
            continue
        changed += 1
        sys.stdout.write(f"{path}: {'differs' if arguments.check else 'written'}\n")
        if not arguments.check:
            path.write_text(content, encoding="utf-8")
    return 1 if arguments.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
