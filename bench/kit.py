"""What is measured of ours alone: imports, start, autosave, an IOC at rest, scrapes.

Each function starts processes of its own and gives rows for the results file.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from goals import Row
from scale import measured_apart

HERE = Path(__file__).parent
_START = [("plain", 1_000), ("plain", 10_000), ("plain", 100_000), ("ai", 10_000)]
_START_FULL = [*_START, ("ai", 100_000)]
_IMPORTS = 5
_IMPORT = """
import time, numpy
began = time.perf_counter()
import ioc_ops.server
print(1e3 * (time.perf_counter() - began))
"""
_SCRAPED = re.compile(r"^text format\s+median (\S+) ms", re.MULTILINE)
_LAG = re.compile(r"^loop lag\s+max (\S+) ms", re.MULTILINE)


class OutputError(Exception):
    """A benchmark printed something else than what is read here."""


def output(*command: str, env: dict[str, str] | None = None) -> str:
    """What a Python command of this folder prints; raises CalledProcessError where it fails."""
    command = (sys.executable, *command)
    found = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, cwd=HERE, env=env
    )
    return found.stdout


def row(scenario: str, figures: Row) -> Row:
    """A line of the results file, without its repetition."""
    return {"peer": "ours", "scenario": scenario, **figures}


def imports(full: bool) -> Iterator[Row]:
    """Import of the server in a fresh process, without what numpy takes.

    Byte-compiled, as pip installs a package: a checkout is not where byte code may not be written.
    """
    with tempfile.TemporaryDirectory() as cache:
        env = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        output("-c", _IMPORT, env=env)  # writes the byte code
        for _ in range(_IMPORTS):
            yield row("import_server", {"ms": float(output("-c", _IMPORT, env=env))})


def start(full: bool) -> Iterator[Row]:
    """Start of an IOC with many PVs, see `scale.py`."""
    for kind, number in _START_FULL if full else _START:
        found = measured_apart(kind, number)
        figures = {"start_s": found["start"], "cpu_s": found["cpu"], "bytes": found["bytes"]}
        yield row(f"start_{kind}_{number}", figures)


def autosave(full: bool) -> Iterator[Row]:
    """100,000 PVs, 1 % changing a second, see `autosave.py`."""
    printed = output("autosave.py", "--seconds", "30" if full else "12")
    yield row("autosave", autosave_figures(printed))


def autosave_figures(printed: str) -> Row:
    """The figures in the three lines that `autosave.py` prints."""
    found = {}
    for line in printed.splitlines():
        what, brace, figures = line.partition("{")
        found[what.strip()] = json.loads(brace + figures)
    without, first, restored = found["without"], found["first start"], found["restored"]
    return {
        "start_s": restored["start_s"],
        "gap_ms": max(first["largest_gap_ms"], restored["largest_gap_ms"]),
        "worked_ms": max(first["worked_ms"], restored["worked_ms"]),
        "gap_without_ms": without["largest_gap_ms"],
        "cpu_percent": max(0.0, restored["cpu_percent"] - without["cpu_percent"]),
    }


def rest(full: bool) -> Iterator[Row]:
    """Autosave, status PVs and metrics while nothing changes, see `rest.py`."""
    yield row("rest", json.loads(output("rest.py", "--seconds", "30" if full else "15")))


def scrape(full: bool) -> Iterator[Row]:
    """1,000 of 100,000 PVs exported, see `scrape.py`; in the full form gaps of the loop as well."""
    if full:
        yield row("scrape", scrape_figures(output("scrape.py", "--settle", "61")))
    else:
        found = scrape_figures(output("scrape.py", "--rounds", "10"))
        yield row("scrape", {"ms": found["ms"]})  # the gap is that of the start: a minute counts


def scrape_figures(printed: str) -> Row:
    """The figures in what `scrape.py` prints."""
    median, lag = _SCRAPED.search(printed), _LAG.search(printed)
    if median is None or lag is None:
        raise OutputError("scrape.py printed no median or no lag")
    return {"ms": float(median[1]), "gap_ms": float(lag[1])}


GROUPS = {"start": (imports, start), "kit": (autosave, rest, scrape)}


def shown(found: Row) -> str:
    """A row for the eye."""
    figures = {k: v for k, v in found.items() if k not in ("peer", "scenario", "rep")}
    return f"{found['scenario']:20} " + "  ".join(
        f"{name} {value:.4g}" for name, value in figures.items()
    )
