"""``python -m ioc_ops autosave``: what it prints, its exit status, and its errors in one line."""

import argparse
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ioc_ops.autosave.commands import cli
from ioc_ops.autosave.commands.files import duration, load, shown, size
from ioc_ops.autosave.fileformat import dumps, loads
from ioc_ops.autosave.formats import loads_sav
from ioc_ops.autosave.snapshot import CarriedValue, Snapshot
from ioc_ops.autosave.values import EnumValue, UntypedValue

GOLDEN = Path(__file__).parent / "data" / "golden_R6-0.sav"
NOW = 1_772_366_400.0  # 2026-03-01 12:00 UTC
STATE = Snapshot(
    {"x:gain": 1.5, "x:mode": EnumValue(1, "Auto"), "x:name": "slit"},
    carried={"x:gone": CarriedValue(3, int(NOW) - 86400)},
    saved_at=NOW - 90,
    serial=7,
    ioc="x:",
)


def run(*arguments: object) -> tuple[int, list[str], str]:
    """Exit status, lines of output, errors."""
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    out, errors = io.StringIO(), io.StringIO()
    options = parser.parse_args([str(argument) for argument in arguments])
    status = cli.run(options, out, errors, lambda: NOW)
    return status, out.getvalue().splitlines(), errors.getvalue()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A history: the file, one copy, a bad one, another IOC's, and things that are no saves."""
    older = Snapshot({"x:gain": 1.0}, saved_at=NOW - 7200, serial=6, ioc="x:")
    (tmp_path / "x.json").write_bytes(dumps(STATE))
    (tmp_path / "x_20260301-100000.json").write_bytes(dumps(older))
    bad = tmp_path / "x.json.bad_20260301-090000"
    bad.write_bytes(dumps(STATE)[:-30])
    os.utime(bad, (NOW - 10800, NOW - 10800))
    (tmp_path / "other.softsav").write_bytes(b"y:a: 1\n")
    os.utime(tmp_path / "other.softsav", (NOW - 3 * 86400, NOW - 3 * 86400))
    (tmp_path / ".x.json.1-1.tmp").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "dir.json").mkdir()
    return tmp_path


def test_list_shows_the_history_newest_first(directory: Path) -> None:
    status, lines, errors = run("list", directory)
    assert (status, errors) == (0, "")
    assert [line.split()[0] for line in lines[1:-1]] == [
        "x.json",
        "x_20260301-100000.json",
        "x.json.bad_20260301-090000",
        "other.softsav",
    ]
    assert "90 s" not in lines[1]
    assert "1.5 min" in lines[1]
    assert lines[1].endswith("3  json     yes (checksum)")
    assert "2.0 h" in lines[2]
    assert lines[3].endswith("NO: the file is cut off: it does not end with its checksum")
    assert lines[4].endswith("1  softsav  yes (none)")
    assert lines[5].startswith("4 files, 3 good, ")


def test_list_of_a_file_shows_it_with_its_copies(directory: Path) -> None:
    _, lines, _ = run("list", directory / "x.json")
    assert lines[-1].startswith("3 files, 2 good")
    assert not any("other" in line for line in lines)


def test_list_of_nothing(tmp_path: Path) -> None:
    assert run("list", tmp_path)[0] == 1
    # What was mistyped is named, not the directory in which it is not.
    assert run("list", tmp_path / "nix")[:2] == (1, [f"no save files at {tmp_path / 'nix'}"])
    status, lines, errors = run("list", tmp_path / "nix" / "x.json")
    assert (status, lines) == (2, [])
    assert errors == f"error: {tmp_path / 'nix'}: No such file or directory\n"


def test_show(directory: Path) -> None:
    status, lines, _ = run("show", directory / "x.json")
    assert status == 0
    assert lines[0].endswith("serial 7, ioc x:, 3 PVs")
    assert [line.split(maxsplit=1) for line in lines[1:4]] == [
        ["x:gain", "1.5"],
        ["x:mode", "1 Auto"],
        ["x:name", "'slit'"],
    ]
    assert "missing since " in lines[4]


def test_show_some_pvs(directory: Path) -> None:
    status, lines, _ = run("show", directory / "x.json", "x:g*", "x:name")
    assert status == 0
    assert [line.split()[0] for line in lines[1:]] == ["x:gain", "x:name", "x:gone"]
    assert run("show", directory / "x.json", "nix")[0] == 1


def test_diff(directory: Path) -> None:
    old, new = directory / "x_20260301-100000.json", directory / "x.json"
    status, lines, _ = run("diff", old, new)
    assert status == 3  # differences
    assert [line.split() for line in lines] == [
        ["PV", "OLD", "NEW"],
        ["x:gain", "1.0", "1.5"],
        ["x:mode", "-", "1", "Auto"],
        ["x:name", "-", "'slit'"],
        ["3", "of", "3", "PVs", "differ"],
    ]
    assert run("diff", new, new)[:2] == (0, ["0 of 3 PVs differ"])


def test_diff_counts_to_100(tmp_path: Path) -> None:
    for name, value in (("a.json", 1), ("b.json", 2)):
        values = {f"x:{number}": value for number in range(256)}
        (tmp_path / name).write_bytes(dumps(Snapshot(values)))
    status, lines, _ = run("diff", tmp_path / "a.json", tmp_path / "b.json")
    assert (status, lines[-1]) == (100, "256 of 256 PVs differ")


def test_diff_with_tolerances(tmp_path: Path) -> None:
    for name, value in (("a.json", 1.0), ("b.json", 1.001)):
        (tmp_path / name).write_bytes(dumps(Snapshot({"x": value})))
    files = (tmp_path / "a.json", tmp_path / "b.json")
    assert run("diff", *files)[0] == 1
    assert run("diff", *files, "--atol", "0.01")[0] == 0
    assert run("diff", *files, "--rtol", "1e-4")[0] == 1


@pytest.mark.parametrize("tolerance", ["-1", "nan", "inf", "x"])
def test_tolerances_are_numbers(tolerance: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        run("diff", "a", "b", f"--atol={tolerance}")
    assert raised.value.code == 255
    assert "is no tolerance" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["diff", "a"], 255),
        (["diff", "a", "b", "--nix"], 255),
        (["diff", "a", "b", "c"], 255),
        (["diff", "a", "live", "--timeout", "soon"], 255),
        (["show"], 2),
        (["restore", "a", "--jobs", "0"], 2),
        (["restore", "a", "--nix", "x"], 2),
        (["snapshot", "a.req"], 2),
    ],
)
def test_a_wrong_command_line(
    arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        run(*arguments)
    assert raised.value.code == status
    errors = capsys.readouterr().err
    assert errors.startswith("usage: ")
    assert f" {arguments[0]}: error: " in errors


def test_options_may_stand_anywhere() -> None:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    for arguments in (
        ["restore", "-n", "f", "x:a", "x:b"],
        ["restore", "f", "-n", "x:a", "x:b"],
        ["restore", "f", "x:a", "-n", "x:b"],
    ):
        options = parser.parse_args(arguments)
        assert (options.file, options.pv, options.dry_run) == ("f", ["x:a", "x:b"], True)
    options = parser.parse_args(["show", "--", "-f", "-x"])
    assert (options.file, options.pv) == ("-f", ["-x"])


def test_verify(directory: Path) -> None:
    good, bad = directory / "x.json", directory / "x.json.bad_20260301-090000"
    assert run("verify", good)[:2] == (0, [f"{good}: yes (checksum), 3 PVs"])
    status, lines, _ = run("verify", good, bad)
    assert status == 1
    assert lines[1] == f"{bad}: NO: the file is cut off: it does not end with its checksum"
    status, lines, _ = run("verify", directory / "dir.json", bad, good)
    assert status == 2
    assert lines[0] == f"{directory / 'dir.json'}: NO: Is a directory"
    assert len(lines) == 3


def test_verify_names_what_has_no_value() -> None:
    status, lines, _ = run("verify", GOLDEN)
    assert status == 0
    assert lines[1].startswith("  i_dont_exist: line 19: not connected")


def test_convert_there_and_back(tmp_path: Path) -> None:
    target = tmp_path / "golden.json"
    status, lines, _ = run("convert", GOLDEN, target)
    assert status == 0
    assert lines[0] == f"{target}: 17 PVs, format json"
    golden = loads_sav(GOLDEN.read_bytes())
    assert loads(target.read_bytes()).values == golden.values
    assert loads(target.read_bytes()).saved_at == golden.saved_at
    back = tmp_path / "back"
    status, lines, _ = run("convert", target, back, "--to", "sav")
    assert (status, lines[1].split(":")[0]) == (1, "  doubtful")  # _T:us
    assert loads_sav(back.read_bytes()).values == golden.values
    assert run("diff", GOLDEN, back)[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back", "golden.json"]


def test_convert_takes_the_time_of_the_file_where_the_format_tells_none(directory: Path) -> None:
    assert run("convert", directory / "other.softsav", directory / "new.json")[0] == 0
    assert loads((directory / "new.json").read_bytes()).saved_at == NOW - 3 * 86400


def test_convert_reports_what_it_loses(tmp_path: Path) -> None:
    source = tmp_path / "a.json"
    source.write_bytes(dumps(Snapshot({"a b": 1, "c": 2})))
    status, lines, _ = run("convert", source, tmp_path / "a.sav")
    assert status == 1
    assert lines == [
        f"{tmp_path / 'a.sav'}: 1 PVs, format sav",
        "  not converted: a b: the name cannot stand in a .sav file",
    ]


def test_convert_replaces_nothing_unless_told(directory: Path) -> None:
    target = directory / "x_20260301-100000.json"
    before = target.read_bytes()
    status, _, errors = run("convert", GOLDEN, target)
    assert status == 2
    assert "--force" in errors
    assert target.read_bytes() == before
    assert run("convert", GOLDEN, target, "--force")[0] == 0
    assert len(loads(target.read_bytes()).values) == 17


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("a.txt", "the suffix tells no format; --to takes one of json, sav"),
        ("a.softsav", "the suffix tells no format"),
        ("nix/a.sav", "No such file or directory"),
        (".", "the suffix tells no format"),
    ],
)
def test_targets_that_cannot_be_written(tmp_path: Path, target: str, message: str) -> None:
    status, lines, errors = run("convert", GOLDEN, tmp_path / target)
    assert (status, lines) == (2, [])
    assert message in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(("command", "trouble"), [("show", 2), ("diff", 255), ("convert", 2)])
def test_a_bad_file_is_one_line_and_a_status(directory: Path, command: str, trouble: int) -> None:
    bad = directory / "x.json.bad_20260301-090000"
    more = [] if command == "show" else [directory / "out.json"]
    status, lines, errors = run(command, bad, *more)
    assert (status, lines) == (trouble, [])
    assert errors.startswith(f"error: {bad}: the file is cut off")
    assert errors.count("\n") == 1
    assert not (directory / "out.json").exists()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "-"),
        ("a\nb", "'a\\nb'"),
        (UntypedValue("a\x1b[0m"), "a\\x1b[0m"),
        (np.zeros(1000), "1000 elements (float64): [0.0, 0.0, 0..."),
        ([1, 2], "2 elements: [1, 2]"),
        (EnumValue(3, ""), "3"),
        ("x" * 100, "'" + "x" * 36 + "..."),
    ],
)
def test_values_are_shown_on_one_line(value: object, expected: str) -> None:
    assert shown(value, 40)[: len(expected)] == expected  # type: ignore[arg-type]
    assert len(shown(value, 40)) <= 40  # type: ignore[arg-type]


def test_sizes_and_ages() -> None:
    assert [size(n) for n in (0, 999, 1000, 2_500_000)] == ["0 B", "999 B", "1.0 kB", "2.5 MB"]
    ages = (0, 59, 90, 3600 * 12, 86400 * 400, -7200)
    assert [duration(age) for age in ages] == ["0 s", "59 s", "1.5 min", "12 h", "400 d", "-2.0 h"]


def test_the_program_itself(tmp_path: Path) -> None:
    shutil.copy(GOLDEN, tmp_path / "a.sav")

    def program(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-m", "ioc_ops", "autosave", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
        )

    done = program("verify", "a.sav")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("a.sav: yes (end mark)")
    done = program("show", "nix.sav")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: nix.sav: No such file or directory\n"
    done = program()
    assert done.returncode == 2
    assert "COMMAND" in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("a.sav", "# autosave R5.3\nx:a.VAL 1\nx:a.B 2\nx:l.VAL$ t\nx:a 3\n<END>\n", (5, 3, 4)),
        ("a.softsav", "x:l: t\nx:a: 1\nx:a.B: 2\n", (2, 3, 1)),
        ("a.json", dumps(Snapshot({"x:a": 1, "x:a.B": 2, "x:l": "x:a"})).decode(), (9, 10, 11)),
        ("a.json", '{"x:a": {"value": 1}, "x:a.B": {"value": 1}}', (None, None, None)),
    ],
)
def test_the_line_of_a_pv(
    name: str, content: str, lines: tuple[int | None, ...], tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    file = load(tmp_path / name)
    assert tuple(file.line_of(pv) for pv in ("x:a", "x:a.B", "x:l")) == lines
    assert file.line_of("x:") is None
