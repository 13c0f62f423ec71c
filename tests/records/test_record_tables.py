"""The tables say what EPICS Base says, read by somebody else than who wrote them."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from caproto.server.records import records as caproto_records

from ioc_ops.group.record_registry import records
from ioc_ops.records import RecordFields, attributes_of, choices_of, fields_of, record_types
from ioc_ops.records.tables import FieldSpec, choice_index
from ioc_ops.server import records as face

ROOT = Path(__file__).parents[2]
OF_BASE = [kind for kind in record_types() if kind != "motor"]


@cache
def static_library() -> dict[str, dict[str, tuple[str, str, list[str]]]]:
    script = Path(__file__).with_name("static_library.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_generator_would_change_nothing() -> None:
    script = ROOT / "tools" / "generate_records.py"
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_all_record_types_of_base_and_motor() -> None:
    assert set(OF_BASE) == set(static_library())
    assert len(OF_BASE) == 34
    assert "motor" in record_types()


def described(spec: FieldSpec, record: str) -> tuple[str, str, list[str]]:
    menu = spec.menu or (f"dtyp_{record}" if spec.dbf == "DEVICE" else "")
    # What lsi and lso make of OVAL at run time is not in the .dbd files.
    dbf = "NOACCESS" if (record, spec.name) in {("lsi", "OVAL"), ("lso", "OVAL")} else spec.dbf
    return dbf, spec.initial, list(choices_of(menu))


@pytest.mark.parametrize("record", OF_BASE)
def test_names_types_initial_values_and_menus(record: str) -> None:
    theirs = {
        name: (kind, default, choices)
        for name, (kind, default, choices) in static_library()[record].items()
    }
    ours = {
        name: described(spec, record)
        for name, spec in fields_of(record).items()
        if name != "RTYP"  # of dbStaticLib, not of a .dbd file
    }
    hidden = set(theirs) - set(ours)
    assert all(theirs[name][0] == "NOACCESS" for name in hidden)
    assert ours == {name: said for name, said in theirs.items() if name not in hidden}


def test_initial_choices_are_in_their_menus() -> None:
    outside = {
        spec.name
        for record in record_types()
        for spec in fields_of(record).values()
        if spec.menu and spec.initial and choice_index(spec.menu, spec.initial) >= 0xFF
    }
    assert outside == {"SSCN"}  # 65535: as long as nobody simulates


def test_alarm_status_has_22_choices() -> None:
    assert len(choices_of("menuAlarmStat")) == 22


# -- Python names ---------------------------------------------------------------------------

DIFFERING_NAMES = {
    ("aSub", "ONVH"): "its prompt is ONVH's own now, not that of a field OVLH",
    ("lso", "DOL"): "called desired_output_loc in all record types",
}


def test_python_names_are_those_that_users_of_caproto_know() -> None:
    differing = {
        (record, prop.pvspec.name)
        for record in record_types()
        for attribute, prop in caproto_records[record]._pvs_.items()
        if prop.pvspec.name != "VAL" and attributes_of(record).get(attribute) != prop.pvspec.name
    }
    assert differing == set(DIFFERING_NAMES)


@pytest.mark.parametrize("record", record_types())
def test_python_names_are_unlike_each_other_and_unlike_our_own(record: str) -> None:
    names = [spec.attribute for spec in fields_of(record).values()]
    assert len(set(names)) == len(names)
    assert not [name for name in names if not name.isidentifier()]
    reserved = set(dir(records[record])) | {"parent"}
    assert not reserved & {name for name in names if name != "val"}


def test_a_class_for_each_record_type() -> None:
    assert set(records) >= set(record_types())
    for record in record_types():
        name = record[0].upper() + record[1:].lower() + "Fields"
        cls = getattr(face, name)
        assert name in face.__all__
        assert records[record] is cls
        assert issubclass(cls, RecordFields)
        assert (cls._record_type, cls.table) == (record, record)
