"""The profile of the server: how the output of the profilers is read and shown."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import ca_load
import profiler
import pytest
from environment import MissingError
from goals import SECTIONS, Row
from samples import KINDS, functions, kind, kinds, newest, of_functions, overview
from table import put_between

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanations" / "where-the-time-goes.md"

REPORT = """\
 1200       |libpython3.11.so.1.0                |[.] _PyEval_EvalFrameDefault
 300        |[kernel.kallsyms]                   |[k] finish_task_switch.isra.0
 100        |libpython3.11.so.1.0                |[.] _PyObject_Malloc
 100        |loop.cpython-311-x86_64-linux-gnu.so|[.] uv__io_poll

# a remark
"""
LOOP = "main (server.py:41);Runner.run (asyncio/runners.py:86);run_forever (loop.c:33192)"
STACKS = f"""\
{LOOP};uv_run (core.c:464);uv__io_poll (linux.c:1546);epoll_pwait (libc.so.6) 70
{LOOP};uv__read (stream.c:1154);Circuit._parse (ioc_ops/server/circuit.py:250) 12
{LOOP};Circuit._parse (ioc_ops/server/circuit.py:250);s_unpack (_struct.c:1688) 3
{LOOP};Connection.write (ioc_ops/server/drivers/a.py:79);__pyx_write (loop.c:9);send (libc.so.6) 9
{LOOP};Connection.write (ioc_ops/server/drivers/a.py:79);memmove (libc.so.6) 5
0x7f758d186080 (site-packages/uvloop/loop.cpython-311-x86_64-linux-gnu.so) 1
"""


def row(scenario: str = "read_td_w1", **more: object) -> Row:
    return {
        "scenario": scenario,
        "what": "a read",
        "us": 20.0,
        "others": {"rsrv": 8.4},
        "kinds": kinds(REPORT),
        "functions": functions(STACKS),
        "machine": "a machine",
        "date": "1 May",
    } | more


# --- the profilers' output --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("library", "symbol", "what"),
    [
        ("[kernel.kallsyms]", "tcp_sendmsg_locked", "kernel"),
        ("[kernel.kallsyms]", "free_pages", "kernel"),
        ("loop.cpython-311-x86_64-linux-gnu.so", "uv__io_poll", "event loop"),
        ("libpython3.11.so.1.0", "_PyEval_EvalFrameDefault", "interpreter"),
        ("python3.12", "_PyEval_EvalFrameDefault", "interpreter"),
        ("_struct.cpython-311-x86_64-linux-gnu.so", "s_pack", "interpreter"),
        ("libpython3.11.so.1.0", "PyObject_Malloc@plt", "objects made and freed"),
        ("libpython3.11.so.1.0", "tupledealloc", "objects made and freed"),
        ("libc.so.6", "_int_malloc", "objects made and freed"),
        ("libpython3.11.so.1.0", "gc_collect_main", "garbage collector"),
        ("libpython3.11.so.1.0", "dict_traverse", "garbage collector"),
        ("libc.so.6", "__memmove_avx512_unaligned_erms", "numpy, C library"),
        ("_multiarray_umath.cpython-311-x86_64-linux-gnu.so", "aligned_swap", "numpy, C library"),
    ],
)
def test_kinds_of_work(library: str, symbol: str, what: str) -> None:
    assert kind(library, symbol) == what


def test_a_report_of_perf_is_added_up() -> None:
    expected = {
        "interpreter": 1200,
        "kernel": 300,
        "objects made and freed": 100,
        "event loop": 100,
    }
    assert kinds(REPORT) == expected


def test_a_sample_counts_for_the_innermost_python_function() -> None:
    expected = {
        "Circuit._parse (server/circuit.py)": 15,
        "Connection.write (server/drivers/a.py)": 5,
    }
    assert functions(STACKS) == expected


# --- tables -----------------------------------------------------------------------------------


def test_the_overview_has_all_kinds_and_the_others() -> None:
    heads, _, line = overview([row()]).splitlines()
    named = [head.strip() for head in heads.strip("|").split("|")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    found = dict(zip(named, cells, strict=True))
    assert set(KINDS) <= set(named)
    assert (found["scenario"], found["µs"], found["kernel"]) == ("`read_td_w1`", "20.0", "18%")
    assert (found["garbage collector"], found["RSRV (C), µs"]) == ("0%", "8.40")
    assert found["bare responder, µs"] == "-"


def test_functions_share_the_time_that_is_python() -> None:
    lines = of_functions(row()).splitlines()
    assert lines[0] == "| in Python, 76% of all | share | µs |"
    assert lines[2] == "| `Circuit._parse (server/circuit.py)` | 75% | 11.5 |"
    assert lines[-1] == "| all others | 0% | 0.000 |"


def test_what_takes_little_is_among_the_others() -> None:
    counts = {f"f{number} (a.py)": 100 for number in range(5)} | {"g (a.py)": 1, "h (a.py)": 1}
    lines = of_functions(row(functions=counts)).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]][-2:] == ["`f4 (a.py)`", "all others"]


def test_a_scenario_without_samples_has_a_table() -> None:
    assert of_functions(row(kinds={}, functions={})).splitlines()[-1].startswith("| all others |")


def test_the_last_profile_of_a_scenario_counts() -> None:
    assert newest([row(us=1), row("other"), row(us=2)])["read_td_w1"]["us"] == 2


# --- what is profiled -------------------------------------------------------------------------


def test_all_scenarios_with_a_goal_of_time_or_rate_are_profiled() -> None:
    of_load = {name for _, name, *_ in ca_load.SCEN}
    goals = [goal for section in SECTIONS for goal in section.goals if goal.goal is not None]
    wanted = {goal.scenario for goal in goals if goal.key in ("srv_us_op", "mb_s")}
    assert set(profiler.SCENARIOS) == wanted & of_load
    assert set(profiler.ALONE) <= {goal.scenario for goal in goals}


def test_an_unknown_scenario_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        profiler.parse(["--only", "read_td_w1,nonsense"])
    said = " ".join(capsys.readouterr().err.split())
    assert "no such scenario: nonsense; known: read_td_w1, " in said


def test_what_is_missing_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MissingError, match="perf is missing; install it"):
        profiler.check_perf()
    monkeypatch.setenv("BENCH_PROFILER_PY", "/nowhere/python")
    with pytest.raises(MissingError, match=r"py-spy is missing: there is no /nowhere/py-spy"):
        profiler.spy()


def test_a_profiler_that_may_not_is_quoted(tmp_path: Path) -> None:
    refusing = profiler.Profiler(["sh", "-c", "echo; echo not permitted"], tmp_path / "none")
    with pytest.raises(MissingError, match="sh brought no samples, it said: not permitted"):
        refusing.around([], {})


# --- pages ------------------------------------------------------------------------------------


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(ROOT / "bench" / "profiler.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_a_results_file_is_shown_or_written_to_a_page(tmp_path: Path) -> None:
    results, page = tmp_path / "profile.jsonl", tmp_path / "page.md"
    results.write_text(json.dumps(row()) + "\n")
    shown = command("--from", str(results))
    assert (shown.returncode, shown.stderr) == (0, "")
    names = ("profile", "profile read_td_w1")
    page.write_text("".join(f"<!-- {name}: begin -->\n<!-- {name}: end -->\n" for name in names))
    written = command("--from", str(results), "--write-docs", str(page))
    assert (written.returncode, written.stdout) == (0, "")
    assert all(line in page.read_text() for line in shown.stdout.splitlines() if line[:1] == "|")
    page.write_text("nothing")
    refused = command("--from", str(results), "--write-docs", str(page))
    assert refused.returncode == 1
    assert refused.stderr.startswith("bench: the page needs one line <!-- profile: begin -->")


def test_the_page_has_a_place_for_each() -> None:
    page = PAGE.read_text()
    for name in (
        "profile",
        *(f"profile {name}" for name in [*profiler.SCENARIOS, *profiler.ALONE]),
    ):
        page = put_between(page, f"new {name}", name)
    assert page.count("\nnew profile") == 1 + len(profiler.SCENARIOS) + len(profiler.ALONE)
