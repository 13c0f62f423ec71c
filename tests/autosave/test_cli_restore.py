"""`autosave restore`: values of a file into running IOCs, with libca."""

import math
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from live_commands import Commands

from ioc_ops.autosave.fileformat import dumps
from ioc_ops.autosave.snapshot import CarriedValue, Snapshot
from ioc_ops.autosave.values import EnumValue

HERE = Path(__file__).parent
GOLDEN = HERE / "data" / "golden_R6-0.sav"
BASE_IOC = HERE.parent / "records" / "base_records_ioc.py"

GOLDEN_DATABASE = """\
record(ao, "T:ao") { field(PREC, "15") }
record(ao, "T:ao2") { field(PREC, "15") }
record(int64out, "T:i64") {}
record(longout, "T:lo") {}
record(mbbo, "T:mbbo") { field(ZRST, "zero") field(ONST, "one") }
record(stringout, "T:str") {}
record(stringout, "T:empty") { field(VAL, "full") }
record(waveform, "T:wfd") { field(FTVL, "DOUBLE") field(NELM, "5") }
record(waveform, "T:wfc") { field(FTVL, "CHAR") field(NELM, "20") }
record(waveform, "T:wfs") { field(FTVL, "STRING") field(NELM, "5") }
record(waveform, "T:wfi64") { field(FTVL, "INT64") field(NELM, "5") }
record(waveform, "T:states") { field(FTVL, "ENUM") field(NELM, "5") }
record(waveform, "T:octet") { field(FTVL, "UCHAR") field(NELM, "1") }
record(lso, "T:lso") { field(SIZV, "300") }
record(calc, "T:calc") {}
record(longout, "_T:us") {}
"""


def write(path: Path, values: dict[str, Any]) -> Path:
    path.write_bytes(dumps(Snapshot(values)))
    return path


KINDS = {
    "x:double": 0.1,
    "x:float": 0.25,
    "x:short": -32768,
    "x:long": 2**31 - 1,
    "x:string": "é" * 40,  # 80 bytes: more than a STRING of Channel Access holds
    "x:text": "path/with ä" * 5,
    "x:raw": b"\x00\xff\x80a",
    "x:mode": EnumValue(0, "Fast"),  # the name decides
    "x:doubles": [math.nan, -0.0, 1e-320, math.inf],
    "x:longs": [7],
    "x:strings": ["", "ü", "x" * 39],
    "x:int64": 2**62 + 1,
    "x:record.DESC": "a record",
    "x:record": 3.5,
}


@pytest.mark.usefixtures("live_ioc")
def test_all_kinds_come_back(commands: Commands, tmp_path: Path) -> None:
    done = commands("restore", write(tmp_path / "a.json", KINDS))
    assert (done.status, done.errors) == (0, "")
    assert done.lines[-1] == "14 written"
    assert done.row("x:mode") == "0 Off 0 Fast written"
    assert commands("diff", "a.json", "live", "--atol", "0").status == 0
    assert commands("restore", "a.json").lines[-1] == "14 unchanged"
    names = "\n".join(f"{name}$" if name == "x:text" else name for name in KINDS)
    (tmp_path / "a.req").write_text(names)
    assert commands("snapshot", "a.req", "-o", "b.json").status == 0
    assert commands("diff", "a.json", "b.json").lines == [
        # States of two files are compared with index and name.
        "PV      OLD     NEW",
        "x:mode  0 Fast  2 Fast",
        "1 of 14 PVs differ",
    ]


@pytest.mark.usefixtures("live_ioc")
def test_arrays_and_text_without_anything_in_it(commands: Commands, tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "x:string": "",
        "x:text": "",
        "x:raw": b"",
        "x:doubles": [],
        "x:strings": [],
    }
    done = commands("restore", write(tmp_path / "a.json", values))
    assert (done.status, done.lines[-1]) == (0, "5 written")
    assert commands("diff", "a.json", "live").status == 0


@pytest.mark.usefixtures("live_ioc")
def test_files_of_caproto_and_pythonsoftioc(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        '{"x:double": {"value": 2.5, "fields": {}}, "x:mode": {"value": "Slow"},'
        ' "x:doubles": {"value": [3]}, "x:text": {"value": "new"}}'
    )
    done = commands("restore", "a.json")
    assert (done.status, done.lines[-1]) == (0, "4 written")
    (tmp_path / "a.softsav").write_text("x:mode: 2\nx:record.DESC: '12'\nx:doubles: [1, 2.5]\n")
    done = commands("restore", "a.softsav")
    assert (done.status, done.lines[-1]) == (0, "3 written")
    assert done.row("x:mode") == "1 Slow 2 written"
    assert done.row("x:record.DESC") == "'' 12 written"


@pytest.mark.usefixtures("live_ioc")
def test_each_pv_has_its_outcome(commands: Commands, tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "x:gone": 1,
        "x:picky": 2.0,
        "x:fixed": 2.0,
        "x:clipped": 3.0,
        "x:short": 40000,
        "x:mode": EnumValue(1, "Wild"),
        "x:strings": ["y" * 40],
        "x:stuck": 2.0,
        "x:long": 1,
        "x:double": 2.0,
    }
    write(tmp_path / "a.json", values)
    done = commands("restore", "a.json", "--timeout", "3", "--put-timeout", "2")
    assert done.status == 1
    assert {name: done.row(name).split(" ", 2)[2] for name in values if name != "x:mode"} == {
        "x:gone": "not connected",
        "x:picky": "refused: Channel write request failed (line 15)",
        "x:fixed": "skipped: read-only",
        "x:clipped": "differs: it is 2.0 now",
        "x:short": "refused: 40000 is outside the range of INT (line 16)",
        "x:strings": "[a, b] 1 elements: [" + "y" * 24 + "... refused: "
        "element 0 has 40 bytes, Channel Access carries 39 (line 17)",
        "x:stuck": "not completed: within 2 s",
        "x:long": "unchanged",
        "x:double": "written",
    }
    assert "refused: state 1 'Wild' is none of Off, Slow, Fast" in done.row("x:mode")
    assert done.lines[-1] == (
        "1 written, 1 unchanged, 1 differs, 4 refused, 1 skipped, 1 not completed, 1 not connected"
    )


@pytest.mark.usefixtures("live_ioc")
def test_a_dry_run_writes_nothing(commands: Commands, tmp_path: Path) -> None:
    write(tmp_path / "a.json", {"x:double": 2.0, "x:long": 1})
    done = commands("restore", "--dry-run", "a.json")
    assert done.status == 0
    assert done.row("PV") == "LIVE SAVED OUTCOME"
    assert done.row("x:double") == "1.0 2.0 would be written"
    assert done.lines[-1] == "1 would be written, 1 unchanged"
    assert commands("diff", "a.json", "live").status == 1


@pytest.mark.usefixtures("live_ioc")
def test_chosen_pvs(commands: Commands, tmp_path: Path) -> None:
    content = Snapshot(
        {"x:double": 2.0, "x:record": 2.0, "x:record.DESC": "d"},
        carried={"x:long": CarriedValue(5, 1)},
        unreadable={"x:short": "damaged"},
    )
    path = tmp_path / "a.sav"
    assert commands("convert", write(tmp_path / "b.json", {}), path).status == 0
    path = tmp_path / "a.json"
    path.write_bytes(dumps(content))
    done = commands("restore", path, "--yes", "x:rec*", "--no-fields", "x:long")
    assert (done.status, done.lines[-1]) == (0, "2 written")
    assert done.row("x:long") == "1 5 written"
    done = commands("restore", path, "x:double", "y:*")
    assert (done.status, done.lines[-1], done.errors) == (
        1,
        "1 written",
        "y:*: not in the file\n",
    )
    done = commands("restore", path, "y:*")
    assert (done.status, done.lines) == (1, ["no PV to restore"])


@pytest.mark.usefixtures("live_ioc")
def test_the_order_of_the_file_is_kept(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "a.sav").write_text("# autosave R5.3\nx:z 2\nx:a 2\nx:m 2\n<END>\n")
    assert commands("restore", "a.sav").lines[-1] == "3 written"
    (tmp_path / "a.req").write_text("x:puts$\n")
    assert commands("snapshot", "a.req", "-o", "b.sav").status == 0
    assert commands("show", "b.sav").row("x:puts") == "x:z x:a x:m"
    assert commands("restore", "a.sav").lines[-1] == "3 unchanged"
    assert commands("restore", "--all", "--jobs", "3", "a.sav").lines[-1] == "3 written"
    assert commands("snapshot", "a.req", "-o", "b.sav", "--force").status == 0
    assert len(commands("show", "b.sav").row("x:puts").split()) == 6


@pytest.mark.usefixtures("live_ioc")
def test_where_names_are_sorted_limits_come_before_values(
    commands: Commands, tmp_path: Path
) -> None:
    for limit, value in ((2.0, 1.0), (9.0, 5.0)):
        values = {"x:record": value, "x:record.DRVH": limit, "x:record.DRVL": -1.0}
        (tmp_path / "a.json").write_bytes(dumps(Snapshot(values)))
        done = commands("restore", "a.json")
        assert (done.status, "differs" in "".join(done.lines)) == (0, False)
    assert commands("diff", "a.json", "live").status == 0


@pytest.mark.usefixtures("live_ioc")
def test_a_pv_that_an_earlier_write_changes_is_restored_all_the_same(
    commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / "a.sav").write_text("# autosave R5.3\nx:mover 2\nx:moved 1\n<END>\n")
    assert commands("restore", "a.sav").lines[-1] == "2 written"
    (tmp_path / "a.sav").write_text("# autosave R5.3\nx:moved 1\nx:mover 3\n<END>\n")
    done = commands("restore", "a.sav")
    assert (done.status, done.row("x:moved")) == (1, "1.0 1 differs: it is 7.0 now")


def test_the_golden_file_into_epics_base(
    commands: Commands, tmp_path: Path, start_ioc: Callable[..., Any]
) -> None:
    (tmp_path / "golden.db").write_text(GOLDEN_DATABASE)
    start_ioc([sys.executable, str(BASE_IOC), "golden.db"])
    shutil.copy(GOLDEN, tmp_path)
    done = commands("restore", GOLDEN.name)
    assert (done.status, done.errors) == (0, "")
    assert done.lines[-1] == "14 written, 3 unchanged"
    assert commands("diff", GOLDEN.name, "live").status == 0
    (tmp_path / "a.req").write_text("T:str\nT:lso.VAL$\nT:wfs\nT:wfc\nT:i64\nT:empty\n")
    assert commands("snapshot", "a.req", "-o", "a.json").status == 0
    shown = commands("show", "a.json")
    assert shown.row("T:i64") == "100000000000000.0"
    assert shown.row("T:str") == "' a\\tb\\né z '"
    assert shown.row("T:wfs") == '5 elements: [a b, q"q, {x}, back\\sl, nl\\nx]'
    more = {"T:states": [2, 0, 1], "T:octet": 200, "T:ao.TPRO": 0, "T:mbbo": EnumValue(5, "")}
    assert (
        commands("restore", write(tmp_path / "c.json", more)).lines[-1] == "3 written, 1 unchanged"
    )
    assert commands("diff", "c.json", "live").status == 0
    long = {"T:lso": "long " * 50, "T:i64": 2**62 + 1, "T:calc.CALC": "+".join("ABCDEFGHIJKL" * 3)}
    assert commands("restore", write(tmp_path / "b.json", long)).lines[-1] == "3 written"
    assert commands("diff", "b.json", "live").status == 0
    assert commands("restore", "b.json").lines[-1] == "3 unchanged"


@pytest.mark.usefixtures("live_ioc")
def test_what_is_read_only_is_skipped_and_fails_no_restore(
    commands: Commands, tmp_path: Path
) -> None:
    """Whole files have counts and readbacks in them."""
    file = write(tmp_path / "a.json", {"x:fixed": 2.0, "x:double": 2.5})
    done = commands("restore", "--dry-run", file)
    assert (done.status, done.lines[-1]) == (0, "1 would be written, 1 skipped")
    done = commands("restore", file)
    assert (done.status, done.lines[-1]) == (0, "1 written, 1 skipped")
    assert done.row("x:fixed") == "1.0 2.0 skipped: read-only"
    assert commands("restore", file, "x:*").status == 0
    assert commands("diff", file, "live").status == 1


@pytest.mark.usefixtures("live_ioc")
def test_what_is_read_only_fails_a_restore_of_it_by_name_or_of_nothing_else(
    commands: Commands, tmp_path: Path
) -> None:
    file = write(tmp_path / "a.json", {"x:fixed": 2.0, "x:double": 2.5})
    for chosen in (["x:fixed"], ["x:fixed", "x:d*"], ["x:fix*"]):
        assert commands("restore", file, *chosen).status == 1
