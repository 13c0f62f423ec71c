"""Files and running IOCs: `diff FILE live` and `snapshot`, with libca and a real IOC."""

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_commands import Commands

from ioc_ops.autosave.fileformat import dumps, loads
from ioc_ops.autosave.formats import loads_sav
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.values import EnumValue, UntypedValue

LIVE = {
    "x:double": 1.0,
    "x:float": 1.0,
    "x:short": 1,
    "x:long": 1,
    "x:string": "s",
    "x:text": "t",
    "x:raw": b"r",
    "x:mode": EnumValue(0, "Off"),
    "x:doubles": [0.0, 1.0],
    "x:longs": np.array([1, 2], "i4"),
    "x:strings": ["a", "b"],
    "x:int64": 1,
    "x:record.PREC": 0,
}
"""What the IOC serves when it has started."""


def write(path: Path, values: dict[str, Any]) -> Path:
    path.write_bytes(dumps(Snapshot(values)))
    return path


@pytest.mark.usefixtures("live_ioc")
def test_diff_of_equal_values_of_all_kinds(commands: Commands, tmp_path: Path) -> None:
    done = commands("diff", write(tmp_path / "a.json", LIVE), "live")
    assert (done.status, done.lines, done.errors) == (0, ["0 of 13 PVs differ"], "")
    # The same of a format without types.
    assert commands("convert", "a.json", "a.sav").status == 0
    assert commands("diff", "a.sav", "live").lines == ["0 of 13 PVs differ"]


@pytest.mark.usefixtures("live_ioc")
def test_diff_names_what_differs_and_what_is_not_there(commands: Commands, tmp_path: Path) -> None:
    values = {
        "x:double": 2.0,
        "x:text": "other",
        "x:mode": EnumValue(2, "Fast"),
        "x:doubles": [0.0, 1.0, 2.0],
        "x:int64": 2**60 + 1,
        "x:string": "s" * 50,
        "x:gone": 1,
        "x:long": 1,
    }
    done = commands("diff", write(tmp_path / "a.json", values), "live", "--timeout", "3")
    assert done.status == 7
    assert done.row("PV") == "SAVED LIVE"
    assert done.row("x:double") == "2.0 1.0"
    assert done.row("x:text") == "'other' 't'"
    assert done.row("x:mode") == "2 Fast 0 Off"
    assert done.row("x:doubles").startswith("3 elements: [0.0, 1.0, 2.0] 2 elements")
    assert done.row("x:int64") == f"{2**60 + 1} 1"
    assert done.row("x:gone") == "1 not connected"
    assert done.lines[-1] == "7 of 8 PVs differ"


@pytest.mark.usefixtures("live_ioc")
def test_tolerances_are_those_of_asverify_unless_told(commands: Commands, tmp_path: Path) -> None:
    write(tmp_path / "near.json", {"x:double": 1 + 0.9e-8, "x:float": 1 + 0.9e-6})
    write(tmp_path / "far.json", {"x:double": 1 + 1.1e-8, "x:float": 1 + 1.2e-6})
    write(tmp_path / "nan.json", {"x:double": math.nan})
    assert commands("diff", "near.json", "live").status == 0
    assert commands("diff", "far.json", "live").status == 2
    assert commands("diff", "far.json", "live", "--rtol", "1e-5").status == 0
    assert commands("diff", "near.json", "live", "--atol", "0").status == 2
    assert commands("diff", "nan.json", "live", "--atol", "1e300").status == 1
    assert commands("restore", "nan.json").row("x:double") == "1.0 nan written"
    assert commands("diff", "nan.json", "live").status == 0


@pytest.mark.usefixtures("live_ioc")
def test_diff_of_chosen_pvs(commands: Commands, tmp_path: Path) -> None:
    write(tmp_path / "a.json", {"x:double": 2.0, "x:long": 2, "x:short": 1})
    assert commands("diff", "a.json", "live", "--pv", "x:[ds]*").lines[-1] == "1 of 2 PVs differ"
    (tmp_path / "a.req").write_text("$(P)long\n$(P)float.VAL\n")
    done = commands("diff", "--req", "a.req", "-m", "P=x:", "a.json", "live")
    assert (done.row("x:long"), done.row("x:float")) == ("2 1", "- 1.0")
    assert (done.status, done.lines[-1]) == (2, "2 of 2 PVs differ")
    none = commands("diff", "a.json", "live", "--pv", "y:*")
    assert (none.status, none.errors) == (255, "error: a.json: no PV is chosen\n")
    two_files = commands("diff", "a.json", "a.json", "--pv", "y:*")
    assert (two_files.status, two_files.errors.count("\n")) == (255, 1)


@pytest.mark.usefixtures("live_ioc")
def test_snapshot_in_both_formats(commands: Commands, tmp_path: Path) -> None:
    names = [name.removeprefix("x:") for name in LIVE]
    lines = [f"$(P){name}" for name in names if name != "text"]
    (tmp_path / "all.req").write_text("\n".join([*lines, "file more.req P=$(P)"]))
    (tmp_path / "more.req").write_text("$(P)text.VAL$\n")
    done = commands("snapshot", "all.req", "-m", "P=x:", "-o", "now.json")
    assert (done.status, done.lines) == (0, ["now.json: 13 PVs, format json"])
    snapshot = loads((tmp_path / "now.json").read_bytes())
    assert snapshot.values["x:mode"] == EnumValue(0, "Off")
    assert snapshot.values["x:text"] == UntypedValue("t")
    assert snapshot.values["x:raw"] == b"r"
    assert snapshot.values["x:strings"] == ["a", "b"]
    assert isinstance(snapshot.values["x:long"], int)
    assert snapshot.saved_at is not None
    assert commands("snapshot", "all.req", "-m", "P=x:", "-o", "now.sav").status == 0
    assert loads_sav((tmp_path / "now.sav").read_bytes()).values["x:raw"] == UntypedValue(("114",))
    for name in ("now.json", "now.sav"):
        assert commands("diff", name, "live").lines == ["0 of 13 PVs differ"]


@pytest.mark.usefixtures("live_ioc")
def test_a_snapshot_says_what_it_lacks(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "a.req").write_text("x:double\n\nx:gone\n")
    done = commands("snapshot", "a.req", "-o", "a.sav", "--timeout", "3")
    assert done.status == 1
    assert done.lines == [
        "a.sav: 1 PVs, format sav",
        "  without a value: x:gone: not connected (a.req, line 3)",
    ]
    assert "x:gone" in loads_sav((tmp_path / "a.sav").read_bytes()).unreadable
    before = (tmp_path / "a.sav").read_bytes()
    (tmp_path / "b.req").write_text("x:gone\n")
    for request, options, message in (
        ("b.req", ["--force"], "none of 1 PVs answers, a.sav is not written"),
        ("a.req", [], "a.sav: there is such a file already"),
        ("c.req", ["--force"], "no c.req in ."),
    ):
        done = commands("snapshot", request, "-o", "a.sav", "--timeout", "0.5", *options)
        assert (done.status, done.lines) == (2, [])
        assert message in done.errors
        assert (tmp_path / "a.sav").read_bytes() == before


def test_without_a_client_there_is_one_line(tmp_path: Path) -> None:
    write(tmp_path / "a.json", {"x": 1})
    (tmp_path / "aioca.py").write_text("raise ImportError")
    command = [sys.executable, "-m", "ioc_ops", "autosave", "diff", "a.json", "live"]
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (255, "")
    assert done.stderr == "error: to reach IOCs, install aioca: pip install ioc-ops[client]\n"
