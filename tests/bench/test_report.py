"""The benchmark's report; what it measures decides no test."""

import json
import subprocess
import sys
from pathlib import Path

import ca_load
import environment
import kit
import load_with_ours
import measure
import pytest
from goals import SECTIONS, Goal, Row, figure
from table import MarkerError, Results, is_met, number, put_between, ratio, render

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
CPU = Goal("read_td_w1", "a read", goal=30, asyncio=40)


def measured(scenario: str, peer: str, rep: int = 0, **figures: object) -> Row:
    return {"scenario": scenario, "peer": peer, "rep": rep, "attempt": 0, **figures}


def reads(**cpu: float) -> list[Row]:
    return [measured("read_td_w1", peer, srv_us_op=value) for peer, value in cpu.items()]


# --- the table of goals ----------------------------------------------------------------------


@pytest.fixture
def load_names(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Scenarios that the load generator knows, as the benchmark runs it."""
    monkeypatch.setattr(ca_load, "PEERS", dict(ca_load.PEERS))
    monkeypatch.setattr(ca_load, "SCEN", list(ca_load.SCEN))
    load_with_ours.extend()
    sizes = {f"scale_{number}" for number in (1_000, 10_000, 100_000)}
    return {scenario for _, scenario, *_ in ca_load.SCEN} | sizes


def test_each_goal_has_a_scenario_that_is_measured(load_names: set[str]) -> None:
    own = {"import_server", "autosave", "rest", "scrape"}
    own |= {f"start_{kind}_{npv}" for kind in ("plain", "ai") for npv in (1_000, 10_000, 100_000)}
    lines = [goal for section in SECTIONS for goal in section.goals]
    assert {g.scenario for g in lines} <= load_names | own
    assert {g.base for g in lines if g.base} <= load_names


def test_each_scenario_of_the_load_generator_is_reported(load_names: set[str]) -> None:
    lines = [goal for section in SECTIONS for goal in section.goals]
    assert load_names <= {g.scenario for g in lines} | {g.base for g in lines}


def test_a_steady_rate_lasts_for_some_seconds(load_names: set[str]) -> None:
    arguments, counts = next(s[2:] for s in ca_load.SCEN if s[1] == "mon_10_200hz")
    assert "rate=200 " in arguments
    assert set(counts.values()) == {400}


def test_our_servers_are_among_the_peers(load_names: set[str]) -> None:
    assert ca_load.PEERS["ours_asyncio"][0] == [*ca_load.PEERS["ours"][0], "--no-uvloop"]


def test_what_is_measured_of_ours_alone_is_reported() -> None:
    figures = {"start_s": 1, "gap_ms": 1, "cpu_percent": 1, "ms": 1, "bytes": 1, "cpu_s": 1}
    figures |= {"worked_ms": 1, "gap_without_ms": 1}
    own = [
        goal
        for s in SECTIONS
        for goal in s.goals
        if goal.scenario in ("autosave", "rest", "scrape")
    ]
    rows = [kit.row(goal.scenario, figures) for goal in own]
    assert {goal.key for goal in own} == figures.keys() - {"bytes", "cpu_s"}
    assert [goal for goal in own if Results(rows).of(goal, "ours") != 1] == []


def test_what_the_load_generator_says_of_a_slow_client_is_reported() -> None:
    found = measured("slow_scalar", "ours", longest_gap_s=0.004, rss_start_kb=0, rss_max_kb=1024)
    assert figure(found, "no_event_ms") == 4
    assert figure(found, "grown_mb") == 1


# --- figures ---------------------------------------------------------------------------------


def test_memory_is_that_of_the_first_clients() -> None:
    row = measured("connect_10k", "ours", n=10, rss_start_kb=100, rss_chan_kb=103, rss_sub_kb=110)
    assert figure(row, "kb_channel") == 0.3
    assert figure(row, "kb_subscription") == 0.7
    assert figure(row | {"rep": 1}, "kb_channel") is None
    assert figure(row | {"attempt": 1}, "kb_channel") is None


def test_a_figure_that_is_not_there_is_none() -> None:
    assert figure(measured("read_td_w1", "ours"), "srv_us_op") is None
    assert figure(measured("slow_scalar", "ours"), "grown_mb") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.234, "0.23"), (9.871, "9.87"), (15.64, "15.6"), (3041.2, "3041")],
)
def test_numbers_have_three_digits(value: float | None, text: str) -> None:
    assert number(value) == text


def test_a_median_leaves_out_what_failed() -> None:
    rows = [measured("read_td_w1", "ours", i, srv_us_op=x) for i, x in enumerate((1, 2, 9))]
    bad = measured("read_td_w1", "ours", 3, srv_us_op=99, timeout=1)
    results = Results([*rows, bad, measured("read_td_w1", "rsrv", error="no reply")])
    assert results.of(CPU, "ours") == 2
    assert results.of(CPU, "rsrv") is None
    assert (results.failed(CPU, "ours"), results.failed(CPU, "rsrv")) == (False, True)


def test_a_figure_may_be_compared_with_that_of_another_scenario() -> None:
    goal = Goal("slow_scalar", "rate", "ops_s", 0.9, most=True, base="slow_scalar_base")
    slow, base = (
        measured(s, "ours", ops_s=x) for s, x in (("slow_scalar", 95), ("slow_scalar_base", 100))
    )
    assert Results([slow, base]).of(goal, "ours") == 0.95
    assert Results([slow]).of(goal, "ours") is None


def test_a_longest_time_is_that_of_the_quietest_repetition() -> None:
    rows = [measured("slow_array", "ours", rep, longest_gap_s=x) for rep, x in enumerate((3, 1, 2))]
    goal = Goal("slow_array", "longest time", "no_event_ms", 20, quietest=True)
    assert Results(rows).of(goal, "ours") == 1000
    assert not is_met(goal, Results(rows))


def test_a_comparison_is_made_within_a_repetition() -> None:
    goal = Goal("slow_big", "rate", "ops_s", 0.9, most=True, base="slow_big_base")
    # The machine is slower in each repetition; the stuck client costs nothing but in the last.
    rows = [
        measured(scenario, "ours", rep, ops_s=rate, steal_cores=stolen)
        for rep, (base, slow, stolen) in enumerate([(100, 100, 0), (50, 50, 0), (80, 8, 0.3)])
        for scenario, rate in (("slow_big_base", base), ("slow_big", slow))
    ]
    results = Results(rows)
    assert results.of(goal, "ours") == 1
    assert not results.disturbed(goal)
    assert Results(rows[-2:]).of(goal, "ours") == 0.1
    assert Results(rows[-2:]).disturbed(goal)


# --- goals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cpu", "met"),
    [
        ({"ours": 30.0, "ours_asyncio": 40.0}, True),
        ({"ours": 30.1, "ours_asyncio": 40.0}, False),
        ({"ours": 30.0, "ours_asyncio": 40.1}, False),
        ({"ours_asyncio": 39.0}, True),
        ({"rsrv": 5.0}, None),
    ],
)
def test_a_goal_of_both_loops(cpu: dict[str, float], met: bool | None) -> None:
    assert is_met(CPU, Results(reads(**cpu))) is met


def test_a_goal_of_one_figure_is_judged_by_what_iocs_run_on() -> None:
    goal = Goal("read_td_w1", "a read", goal=10)
    assert is_met(goal, Results(reads(ours=9, ours_asyncio=11))) is True
    assert is_met(goal, Results(reads(ours_asyncio=11))) is False


def test_where_we_fail_the_goal_is_missed() -> None:
    assert is_met(CPU, Results([measured("read_td_w1", "ours", error="no reply")])) is False


def test_the_more_the_better() -> None:
    goal = Goal("arr", "MB/s", "mb_s", 1500, most=True)
    assert is_met(goal, Results([measured("arr", "ours", mb_s=1501)])) is True
    assert is_met(goal, Results([measured("arr", "ours", mb_s=1499)])) is False
    assert ratio(goal, 3000, 1500) == 0.5


# --- tables ----------------------------------------------------------------------------------


def lines_of(text: str, scenario: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(f"| `{scenario}`")]


def test_a_row_has_all_servers_both_ratios_and_the_goal() -> None:
    text = render(reads(rsrv=10, caproto=180, ours=20, ours_asyncio=25))
    assert "| scenario | what | RSRV (C) | caproto | ioc_ops | ioc_ops on asyncio |" in text
    (line,) = lines_of(text, "read_td_w1")
    cells = ["10.0", "180", "20.0", "25.0", "2.00", "9.00", "≤ 30, on asyncio ≤ 40", "met"]
    assert line.endswith(f"| {' | '.join(cells)} |")
    assert "Goals: 1 met, 0 missed" in text


def test_a_server_that_failed_or_was_not_measured_shows() -> None:
    text = render([*reads(ours=50), measured("read_td_w1", "rsrv", error="x"), *reads(caproto=100)])
    (line,) = lines_of(text, "read_td_w1")
    assert "| failed | 100 | 50.0 | - | 2.00 |" in line
    assert "**missed**" in line
    assert "1 missed" in text
    assert "Missed: `read_td_w1` (" in text


def test_what_was_not_measured_has_no_table() -> None:
    text = render(reads(ours=20))
    assert text.count("**Server CPU") == 1
    assert "Operations kit" not in text
    assert "RSRV (C)" not in text


def test_conditions_stand_above() -> None:
    about = {"meta": True, "machine": "a machine", "date": "1 May", "command": "x", "reps": 5}
    rows = [
        row | {"foreign_cores": load}
        for row, load in zip(reads(ours=1, rsrv=2), (0.1, 0.2), strict=True)
    ]
    first = render([about, {"meta": True, "kernel": "k"}, *rows]).splitlines()[0]
    assert first.startswith("Measured 1 May with `x`, 5 x each, on a machine. ")
    assert "1 of 2 measurements were disturbed" in first


def test_what_was_measured_on_a_busy_machine_says_so() -> None:
    rows = reads(ours=99)
    assert "**missed**" in render(rows)
    assert "disturbed |" not in render(rows)
    busy = [row | {"foreign_cores": 0.1, "steal_cores": 0.1} for row in rows]
    assert "| **missed**, disturbed |" in render(busy)
    assert "with time and alarm, disturbed)" in render(busy)
    # Nothing is compared that was not measured under like conditions.
    peer = reads(rsrv=33)
    assert "| 3.00 |" in render([*reads(ours=99), *peer])
    assert "| 3.00 |" not in render([*busy, *peer])
    # One that was not disturbed counts alone.
    calm = [row | {"rep": 1, "srv_us_op": 12} for row in rows]
    assert Results([*busy, *calm]).of(CPU, "ours") == 12
    assert "disturbed |" not in render([*busy, *calm])


# --- pages -----------------------------------------------------------------------------------


def test_tables_go_between_the_markers() -> None:
    page = f"above\n\n{BEGIN}\nold\n{END}\n\nbelow\n"
    once = put_between(page, "new\n")
    assert once == f"above\n\n{BEGIN}\n\nnew\n\n{END}\n\nbelow\n"
    assert put_between(once, "new") == once


def test_a_page_may_have_several_places() -> None:
    page = "<!-- a: begin -->\n<!-- a: end -->\n<!-- b: begin -->\n<!-- b: end -->\n"
    both = put_between(put_between(page, "two", "b"), "one", "a")
    assert [line for line in both.splitlines() if line[:1] != "<"] == ["", "one", "", "", "two", ""]


@pytest.mark.parametrize("page", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_page_without_a_place_is_left_alone(page: str) -> None:
    with pytest.raises(MarkerError, match="the page needs one line"):
        put_between(page, "new")


def test_the_page_has_a_place() -> None:
    page = (ROOT / "docs" / "explanations" / "performance.md").read_text()
    assert "| new |" in put_between(page, "| new |")


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(ROOT / "bench" / "measure.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_a_results_file_is_shown_or_written_to_a_page(tmp_path: Path) -> None:
    results, page = tmp_path / "results.jsonl", tmp_path / "page.md"
    results.write_text("".join(json.dumps(row) + "\n" for row in reads(ours=20, rsrv=10)))
    page.write_text(f"{BEGIN}\n{END}\n")
    shown = command("--from", str(results))
    assert (shown.returncode, shown.stderr) == (0, "")
    written = command("--from", str(results), "--write-docs", str(page))
    assert (written.returncode, written.stdout) == (0, "")
    assert page.read_text() == f"{BEGIN}\n\n{shown.stdout.strip()}\n\n{END}\n"
    page.write_text("nothing")
    refused = command("--from", str(results), "--write-docs", str(page))
    assert refused.returncode == 1
    assert refused.stderr.startswith("bench: the page needs one line")
    assert command("--from", str(tmp_path / "none")).stderr.count("\n") == 1


# --- what is asked for -----------------------------------------------------------------------


def asked(*arguments: str) -> measure.Run:
    return measure.Run(measure.parse(arguments))


def test_the_short_and_the_whole_form() -> None:
    short, full = asked(), asked("--full")
    assert (short.reps, full.reps) == (1, 5)
    assert short.out.name == "short.jsonl"
    assert full.out.name == "results.jsonl"
    assert set(short.load_groups) < set(full.load_groups)
    assert short.own_groups == full.own_groups == ["start", "kit"]
    known = {group for group, *_ in ca_load.SCEN} | {"scale"}
    assert set(full.load_groups) == known


def test_groups_and_scenarios_choose() -> None:
    some = asked("--groups", "read,kit", "--reps", "2")
    assert (some.load_groups, some.own_groups, some.reps) == (["read"], ["kit"], 2)
    assert asked("--only", "read_td_w1").own_groups == []


def test_a_group_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        measure.parse(["--groups", "read,wirte"])
    assert "wirte" in capsys.readouterr().err


def test_servers_are_pinned_where_there_are_two_processors() -> None:
    assert measure.pinned({0, 1, 2})
    assert not measure.pinned({0})


def test_without_a_compiler_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(environment.MissingError, match="needs gcc"):
        environment.check_compiler()


def test_an_environment_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_X_PY", "/there/python")
    assert environment.installed("x", ["y"], "BENCH_X_PY") == Path("/there/python")


def test_the_processor_has_a_name() -> None:
    assert environment.processor("processor\t: 0\nmodel name\t: Fast 3 GHz\n") == "Fast 3 GHz"
    assert environment.processor("") != ""


# --- what the other benchmarks print ----------------------------------------------------------


def test_autosave_is_what_it_costs_more() -> None:
    def line(what: str, start: float, gap: float, worked: float, cpu: float) -> str:
        figures = {"start_s": start, "largest_gap_ms": gap, "worked_ms": worked, "cpu_percent": cpu}
        return f"{what:12} {json.dumps(figures)}\n"

    printed = (
        line("without", 0.1, 1, 0.5, 5)
        + line("first start", 0.5, 9, 3, 8)
        + line("restored", 1.5, 4, 4, 7)
    )
    assert kit.autosave_figures(printed) == {
        "start_s": 1.5,
        "gap_ms": 9,
        "worked_ms": 4,
        "gap_without_ms": 1,
        "cpu_percent": 2,
    }


def test_a_scrape_is_read_or_refused() -> None:
    printed = "x\ntext format   median 9.5 ms, 95 %\nloop lag      max 3.1 ms in the last minute\n"
    assert kit.scrape_figures(printed) == {"ms": 9.5, "gap_ms": 3.1}
    with pytest.raises(kit.OutputError):
        kit.scrape_figures("nothing")
