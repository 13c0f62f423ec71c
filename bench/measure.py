"""Ours beside the peers, with the goals.

    python bench/measure.py                  the short form, some minutes
    python bench/measure.py --full           everything, five repetitions, an hour or two
    python bench/measure.py --groups read,write --reps 3
    python bench/measure.py --from .bench/results.jsonl [--write-docs PAGE]

Makes what it needs below .bench: environments with the peers, and the load generator, for which
gcc is needed. Prints Markdown tables; what it does meanwhile goes to standard error. With
--write-docs the tables go between the two marker lines of a page instead. Exit status 0: all that
was asked for has run; whether goals are met does not matter.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import psutil
from environment import (
    FOLDER,
    PCAS,
    PEERS,
    ROOT,
    MissingError,
    check_compiler,
    installed,
    machine,
)
from goals import Row
from kit import GROUPS, OutputError, shown
from table import MarkerError, put_between, read, render

HERE = Path(__file__).parent
_SHORT = "read,write,connect,monitor,scan,array"
_FULL = f"{_SHORT},slow,storm,many,scale"
_PORT = 25_100


def say(text: str) -> None:
    """Progress."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def run_program(main: Callable[[Sequence[str]], int]) -> NoReturn:
    """End this process with the status of a main function; 130 when it is interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)


def has_uvloop() -> bool:
    """Whether an IOC of this interpreter runs on uvloop."""
    return find_spec("uvloop") is not None


def ours() -> list[str]:
    """Our own servers, by their names in `load_with_ours.py`."""
    return ["ours", "ours_asyncio"] if has_uvloop() else ["ours_asyncio"]


def steal() -> float:
    """Seconds that other guests of the host have had, of all processors; 0 where none can tell."""
    return float(getattr(psutil.cpu_times(), "steal", 0.0))


def pinned(processors: set[int]) -> bool:
    """Whether the load generator can have processor 1 and the server processor 0."""
    return {0, 1} <= processors


class Run:
    """One run: what was asked for, where it goes, and what did not work."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.full: bool = options.full
        self.reps: int = options.reps or (5 if self.full else 1)
        groups = options.groups or (_FULL if self.full else _SHORT)
        self.load_groups = [g for g in groups.split(",") if g not in GROUPS]
        self.only: str = options.only
        self.own_groups = [g for g in GROUPS if g in groups.split(",")]
        if not options.groups and not options.only:
            self.own_groups = list(GROUPS)
        self.out: Path = options.out or FOLDER / ("results.jsonl" if self.full else "short.jsonl")
        self.out = self.out.resolve()
        self.failures: list[str] = []

    def measure(self, command: str) -> None:
        """Measure everything, one line for each measurement to the results file."""
        if not self.load_groups:
            self._begin(command, None)
        else:
            check_compiler()
            peers = installed("peers", PEERS, "BENCH_PEERS_PY")
            environ = {**os.environ, "BENCH_PEERS_PY": str(peers)}
            environ.setdefault("BENCH_BUILD", str(FOLDER / "build"))
            names = self._peers(environ)
            self._begin(command, peers)
            self._load([*names, *ours()], environ)
        for rep in range(self.reps):
            for group in self.own_groups:
                for benchmark in GROUPS[group]:
                    self._own(f"{group}: {benchmark.__name__}", benchmark(self.full), rep)

    def _peers(self, environ: dict[str, str]) -> list[str]:
        """Whom to measure beside ours; the interpreter of pcaspy goes into the environment."""
        if not self.full:
            return ["rsrv", "caproto"]
        try:
            environ["BENCH_PCAS_PY"] = str(installed("pcas", PCAS, "BENCH_PCAS_PY"))
        except MissingError as error:
            say(f"going on without pcaspy: {error}")
            return ["rsrv", "softioc", "caproto"]
        return ["rsrv", "softioc", "pcaspy", "caproto"]

    def _begin(self, command: str, peers: Path | None) -> None:
        self.out.parent.mkdir(parents=True, exist_ok=True)
        if self.out.exists():
            self.out.replace(self.out.with_suffix(".old.jsonl"))
        about = {
            "meta": True,
            "machine": machine(peers),
            "date": time.strftime("%d %B %Y").lstrip("0"),
            "command": command,
            "reps": self.reps,
        }
        self._add(about)

    def _add(self, found: dict[str, object]) -> None:
        with self.out.open("a") as file:
            file.write(json.dumps(found) + "\n")

    def _load(self, names: Sequence[str], environ: dict[str, str]) -> None:
        command = [sys.executable, str(HERE / "load_with_ours.py"), "run"]
        command += ["--peers", ",".join(names), "--groups", ",".join(self.load_groups)]
        command += ["--reps", str(self.reps), "--port", str(_PORT), "--out", str(self.out)]
        command += ["--only", self.only] if self.only else []
        command += [] if pinned(os.sched_getaffinity(0)) else ["--no-pin"]
        say(f"{self.reps} x {','.join(self.load_groups)} of {', '.join(names)}")
        # In a session of its own: Ctrl+C comes once and by us, so that it stops its servers.
        load = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=sys.stderr, start_new_session=True
        )
        try:
            status = load.wait()
        except KeyboardInterrupt:
            load.send_signal(signal.SIGINT)
            load.wait()
            raise
        if status:
            self._failed(f"the load generator ended with status {status}, see above")

    def _own(self, name: str, rows: Iterator[Row], rep: int) -> None:
        say(name)
        began, stolen = time.monotonic(), steal()
        try:
            for found in rows:
                now, by_now = time.monotonic(), steal()
                stolen_cores = round((by_now - stolen) / (now - began), 3)
                self._add(found | {"rep": rep, "steal_cores": stolen_cores})
                began, stolen = now, by_now
                print(f"   {shown(found)}", file=sys.stderr, flush=True)
        except (subprocess.CalledProcessError, OutputError) as error:
            self._failed(f"{name}: {error}")

    def _failed(self, what: str) -> None:
        say(what)
        self.failures.append(what)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="bench/measure.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--full", action="store_true", help="all groups and peers, 5 repetitions")
    parser.add_argument("--reps", type=int, help="repetitions, instead of 1, or 5 with --full")
    parser.add_argument(
        "--groups", help=f"some of {_FULL},{','.join(GROUPS)}; the last two are ours alone"
    )
    parser.add_argument("--only", default="", help="scenarios of the load generator, with commas")
    parser.add_argument(
        "--out", type=Path, help="results file; default .bench/short.jsonl or results.jsonl"
    )
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FILE", help="measure nothing, show this file"
    )
    parser.add_argument(
        "--write-docs", type=Path, metavar="PAGE", help="put the tables into this page"
    )
    options = parser.parse_args(arguments)
    unknown = set(filter(None, (options.groups or "").split(","))) - {*_FULL.split(","), *GROUPS}
    if unknown:
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    return options


def publish(tables: str, page: Path | None) -> None:
    """Print the tables, or put them into a page."""
    if page is None:
        print(tables)
    else:
        page.write_text(put_between(page.read_text(), tables))
        say(f"{page} is written")


def main(arguments: Sequence[str]) -> int:
    """Measure, or read what was measured, and show it; the exit status."""
    options = parse(arguments)
    failures: list[str] = []
    try:
        if options.source is None:
            run = Run(options)
            run.measure(" ".join(["python bench/measure.py", *arguments]))
            say(f"results are in {run.out}")
            options.source, failures = run.out, run.failures
        publish(render(read(options.source)), options.write_docs)
    except (MissingError, MarkerError, OSError) as error:
        say(str(error))
        return 1
    return int(bool(failures))


if __name__ == "__main__":
    run_program(main)
