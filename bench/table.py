"""Measurements as Markdown tables with goals, printed or put into a page."""

import json
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path

from goals import SECTIONS, Goal, Row, Section, figure

BEGIN, END = "<!-- {}: begin -->", "<!-- {}: end -->"
OURS, PLAIN = "ours", "ours_asyncio"
COLUMNS = {
    "rsrv": "RSRV (C)",
    "softioc": "pythonSoftIOC",
    "pcaspy": "pcaspy",
    "caproto": "caproto",
    OURS: "ioc_ops",
    PLAIN: "ioc_ops on asyncio",
}
FOREIGN = 0.15  # of a core, used by other processes
STOLEN = 0.05  # of a core, given by the host to its other guests: latencies feel that first
NOTE = (
    "Medians, but for the longest times: other guests of the host make those longer in some "
    "repetitions, the server in all, so the quietest tells of the server. `ioc_ops` runs on "
    "uvloop, `ioc_ops on asyncio` without it. Both ratios say by how much a figure is better or "
    "worse: below 1 in the first, and above 1 in the second, ioc_ops is the better one. Where no "
    "goal is given, none was set. A measurement is disturbed where other processes had more than "
    "15 % of a core, or the host gave more than 5 % to other guests; it counts only where there "
    "is none that was not, and `disturbed` says so of ours. There is no ratio of a disturbed "
    "figure and one that is not."
)


class MarkerError(ValueError):
    """A page has no place for the tables."""


def read(file: Path) -> list[Row]:
    """The lines of a results file."""
    return [json.loads(line) for line in file.read_text().splitlines() if line.strip()]


class Results:
    """What was measured: of several repetitions one figure."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.meta: Row = {}
        self.rows: list[Row] = []
        self._of: dict[tuple[str, str], list[Row]] = {}
        for row in rows:
            if "machine" in row:
                self.meta = row
            elif "scenario" in row:
                self.rows.append(row)
                self._of.setdefault((row["scenario"], row["peer"]), []).append(row)

    def of(self, goal: Goal, peer: str) -> float | None:
        """The figure of that server, by default the median; None where it has none."""
        good = self._good(goal, peer)
        # A server is not to blame for what else the machine did.
        found = [x for x, disturbed in good if not disturbed] or [x for x, _ in good]
        if not found:
            return None
        if goal.quietest:
            return max(found) if goal.most else min(found)
        return statistics.median(found)

    def disturbed(self, goal: Goal, peer: str | None = None) -> bool:
        """Whether a figure, by default ours, comes from a machine that was busy otherwise."""
        if peer is None:
            peer = OURS if (goal.scenario, OURS) in self._of else PLAIN
        good = self._good(goal, peer)
        return bool(good) and all(disturbed for _, disturbed in good)

    def _good(self, goal: Goal, peer: str) -> list[tuple[float, bool]]:
        """Each figure, and whether its measurement was disturbed."""
        rows = [r for r in self._of.get((goal.scenario, peer), ()) if _is_good(r)]
        if goal.base is None:
            return [(x, is_disturbed(r)) for r in rows if (x := figure(r, goal.key)) is not None]
        # A shared machine changes within minutes: each is compared with its own neighbour.
        bases = {r["rep"]: r for r in self._of.get((goal.base, peer), ()) if _is_good(r)}
        pairs = [(r, bases[r["rep"]]) for r in rows if r["rep"] in bases]
        return [
            (x / y, is_disturbed(row) or is_disturbed(base))
            for row, base in pairs
            if (x := figure(row, goal.key)) is not None and (y := figure(base, goal.key))
        ]

    def failed(self, goal: Goal, peer: str) -> bool:
        """Whether that server was measured and came to no end in any repetition."""
        rows = self._of.get((goal.scenario, peer), [])
        return bool(rows) and not any(map(_is_good, rows))


def _is_good(row: Row) -> bool:
    return "error" not in row and not row.get("timeout")


def is_disturbed(row: Row) -> bool:
    """Whether something else had the processors while this was measured."""
    return row.get("foreign_cores", 0.0) > FOREIGN or row.get("steal_cores", 0.0) > STOLEN


def number(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def ratio(goal: Goal, mine: float | None, other: float | None) -> float | None:
    """How many times the figure of another is in ours; turned round where more is better."""
    if goal.most:
        mine, other = other, mine
    return mine / other if mine is not None and other else None


def wanted(goal: Goal) -> str:
    """The goal as text."""
    if goal.goal is None:
        return ""
    sign = "≥" if goal.most else "≤"
    text = f"{sign} {goal.goal:,g}"
    return text if goal.asyncio is None else f"{text}, on asyncio {sign} {goal.asyncio:,g}"


def is_met(goal: Goal, results: Results) -> bool | None:
    """Whether the goal is met; None where there is none, or nothing was measured.

    Goals hold for what an IOC runs on, which is uvloop where it is installed; one that has a goal
    for asyncio as well must meet both.
    """
    if goal.goal is None:
        return None
    mine, plain = results.of(goal, OURS), results.of(goal, PLAIN)
    limits = [(mine, goal.goal)]
    if mine is None or goal.asyncio is not None:
        limits.append((plain, goal.goal if goal.asyncio is None else goal.asyncio))
    judged = [(x >= y if goal.most else x <= y) for x, y in limits if x is not None]
    if results.failed(goal, OURS):
        judged.append(False)
    return all(judged) if judged else None


def section_lines(section: Section, results: Results) -> Iterator[str]:
    """A table of what was measured; none where nothing was."""
    measured = [g for g in section.goals if _peers(g, results)]
    if not measured:
        return
    peers = [p for p in COLUMNS if any(p in _peers(g, results) for g in measured)]
    against = [p for p in ("rsrv", "caproto") if p in peers]
    heads = ["scenario", "what", *(COLUMNS[p] for p in peers)]
    heads += ["ioc_ops / RSRV"] * ("rsrv" in against)
    heads += ["caproto / ioc_ops"] * ("caproto" in against)
    yield f"**{section.title}**"
    yield ""
    yield _line([*heads, "goal", ""])
    yield "|" + "---|" * (len(heads) + 2)
    for goal in measured:
        figures = {p: results.of(goal, p) for p in peers}
        mine = figures.get(OURS)
        mine = figures.get(PLAIN) if mine is None else mine
        cells = [f"`{goal.scenario}`", goal.what]
        cells += [
            "failed" if x is None and results.failed(goal, p) else number(x)
            for p, x in figures.items()
        ]
        busy = results.disturbed(goal)
        fair = {p: figures[p] if results.disturbed(goal, p) == busy else None for p in against}
        if "rsrv" in against:
            cells.append(number(ratio(goal, mine, fair["rsrv"])))
        if "caproto" in against:
            cells.append(number(ratio(goal, fair["caproto"], mine)))
        met = {True: "met", False: "**missed**", None: ""}[is_met(goal, results)]
        if met and busy:
            met += ", disturbed"
        yield _line([*cells, wanted(goal), met])
    yield ""


def _peers(goal: Goal, results: Results) -> set[str]:
    return {p for p in COLUMNS if results.of(goal, p) is not None or results.failed(goal, p)}


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def summary(results: Results) -> str:
    """How many goals are met, and which are not."""
    goals = [goal for section in SECTIONS for goal in section.goals if goal.goal is not None]
    met = [is_met(goal, results) for goal in goals]
    missed = [
        f"`{goal.scenario}` ({goal.what}{', disturbed' * results.disturbed(goal)})"
        for goal, ok in zip(goals, met, strict=True)
        if ok is False
    ]
    text = f"Goals: {met.count(True)} met, {len(missed)} missed, {met.count(None)} not measured."
    return f"{text} Missed: {'; '.join(missed)}." if missed else text


def _conditions(results: Results) -> Iterator[str]:
    if results.meta:
        yield f"Measured {results.meta['date']} with `{results.meta['command']}`, "
        yield f"{results.meta['reps']} x each, on {results.meta['machine']}. "
    looked = [row for row in results.rows if "foreign_cores" in row or "steal_cores" in row]
    if looked:
        yield f"{sum(map(is_disturbed, looked))} of {len(looked)} measurements were disturbed."


def render(rows: Iterable[Row]) -> str:
    """All tables, what they mean, and how many goals are met."""
    results = Results(rows)
    tables = [line for section in SECTIONS for line in section_lines(section, results)]
    said = "".join(_conditions(results)).strip()
    return "\n".join([*([said, ""] if said else []), *tables, NOTE, "", summary(results), ""])


def put_between(page: str, text: str, name: str = "bench") -> str:
    """The page with the text between the markers of that name.

    Raises:
        MarkerError: the page has not exactly one pair of them.
    """
    begin, end = BEGIN.format(name), END.format(name)
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(end) < page.index(begin):
        raise MarkerError(f"the page needs one line {begin} and below it one line {end}")
    before, rest = page.split(begin)
    return f"{before}{begin}\n\n{text.strip()}\n\n{end}{rest.split(end)[1]}"
