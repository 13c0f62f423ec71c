"""Where the server's time goes, scenario by scenario.

    python bench/profiler.py                          all scenarios with a goal, some minutes
    python bench/profiler.py --only read_td_w1,write_w200
    python bench/profiler.py --from .bench/profile.jsonl [--write-docs PAGE]

Loads our server with a scenario of the load generator three times over: as it is, beside RSRV
and the bare responder of `load/peers/pynull.py`, for what an operation costs; under perf, for
the share of the kernel, the event loop and the interpreter; and under py-spy, for the Python
functions. Needs gcc and perf, and the rights to look into other processes; py-spy and the peers
are installed below .bench. Prints Markdown tables; --write-docs puts them between the marker
lines of a page, each scenario between its own. (Not called profile.py: that is a module of
Python.)
"""

import argparse
import contextlib
import io
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from environment import FOLDER, PEERS, ROOT, MissingError, check_compiler, installed, machine
from load_with_ours import ca_load, extend
from measure import pinned, run_program, say
from samples import OTHERS, functions, kinds, newest, of_functions, overview
from scale import measured_apart
from table import MarkerError, put_between, read

HERE = Path(__file__).parent
OUT = FOLDER / "profile.jsonl"
_SPY = ["py-spy"]
_PERF_RATE, _SPY_RATE = 1999, 200  # a second; the latter stops the server for each sample
_ATTACH = 1.0  # seconds that a profiler gets before the load comes
_REPS = 3
_NPV, _SCAN = 10_000, 1_000
_MANY = 100_000
_PORT = 25_100

# Of the load generator: all that have a goal of time or rate, and what is counted as one.
SCENARIOS = {
    "read_td_w1": "a read with time and alarm, one at a time",
    "read_td_w200_100pv": "the same, 200 in flight, over 100 PVs",
    "write_w1": "a put-callback, one at a time",
    "write_w200": "the same, 200 in flight, one PV",
    "mon_10_w1": "an event; one update to 10 clients at a time",
    "mon_100_w8": "an event; 8 updates in flight, 100 monitors",
    "mon_1000pv_w200": "an event; 1,000 PVs, one monitor each",
    "scan_1000pv_10hz": "an event; 1,000 PVs that the IOC updates at 10 Hz",
    "connect_10k": "search and create a channel",
    "arr_read_1k_w32": "a read of 8 kB, 32 in flight",
    "arr_read_1m_w1": "a read of 8 MB, one at a time",
    "arr_mon_1m_10c_w1": "an event of 8 MB; one update to 10 clients at a time",
}
# Of ours alone, from the first import on.
START = f"start_plain_{_MANY}"
ALONE = {START: f"start with {_MANY:,} PVs, each"}


def check_perf() -> None:
    """Whether perf is there and may look into the kernel.

    Raises:
        MissingError: it is not, or may not.
    """
    if shutil.which("perf") is None:
        raise MissingError("perf is missing; install it (Debian: linux-perf)")
    level = Path("/proc/sys/kernel/perf_event_paranoid")
    if os.geteuid() and level.exists() and int(level.read_text()) > 1:
        raise MissingError(
            "perf may not look into the kernel; run as root or: sysctl kernel.perf_event_paranoid=1"
        )


def spy() -> str:
    """py-spy, installed when it is not there yet.

    Raises:
        MissingError: it cannot be had.
    """
    found = installed("profiler", _SPY, "BENCH_PROFILER_PY").with_name("py-spy")
    if not found.exists():
        raise MissingError(f"py-spy is missing: there is no {found}")
    return str(found)


class Profiler:
    """One of the two: its command line and how its output is read."""

    def __init__(self, command: list[str], file: Path) -> None:
        self.command = command
        self.file = file

    @contextlib.contextmanager
    def attached(self, pid: int) -> Iterator[None]:
        """Samples that process meanwhile.

        Raises:
            MissingError: it may not, or came to no end.
        """
        process = subprocess.Popen(
            [*self.command, "-p", str(pid)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            time.sleep(_ATTACH)
            yield
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            raise MissingError(f"{self.command[0]} did not end within a minute") from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        self._check(said)

    def around(self, command: list[str], environ: dict[str, str]) -> None:
        """Samples a command from its start to its end.

        Raises:
            MissingError: it may not.
        """
        ended = subprocess.run(
            [*self.command, "--", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environ,
            check=False,
        )
        self._check(ended.stdout)

    def _check(self, said: str) -> None:
        if not self.file.exists() or not self.file.stat().st_size:
            last = (said.strip().splitlines() or ["nothing"])[-1]
            raise MissingError(f"{self.command[0]} brought no samples, it said: {last}")


class Profile:
    """One run over scenarios."""

    def __init__(self, seconds: float, folder: Path) -> None:
        self.seconds = seconds
        perf, stacks = folder / "perf.data", folder / "stacks.txt"
        rates = str(_PERF_RATE), str(_SPY_RATE)
        # By the processor's clock: virtual machines have no counters of cycles.
        sample = ["perf", "record", "-q", "-e", "cpu-clock", "-F", rates[0], "-o", str(perf)]
        self.perf = Profiler(sample, perf)
        sample = [spy(), "record", "--native", "--function", "-f", "raw", "-r", rates[1]]
        self.spy = Profiler([*sample, "-d", "3600", "-o", str(stacks)], stacks)
        self.pinned = pinned(os.sched_getaffinity(0))

    def loaded(self, scenario: str, what: str) -> dict[str, Any]:
        """A scenario of the load generator."""
        group, _, arguments, counts = next(s for s in ca_load.SCEN if s[1] == scenario)
        names = ["ours", *(n for n in OTHERS if group != "scan" or n not in ca_load.NOSCAN)]
        size, last = ((1, _SCAN), f"S:{_SCAN - 1:05d}") if group == "scan" else ((_NPV, 0), None)
        servers = []
        try:
            for name in names:
                servers.append(ca_load.Server(name, *size, self.pinned))
                servers[-1].ready(last=last)
            costs, number = self._costs(servers, scenario, arguments, counts)
            for server in servers[1:]:
                server.stop()
            for profiler in (self.perf, self.spy):
                with profiler.attached(servers[0].p.pid):
                    self._load(servers[0], arguments, number)
        finally:
            for server in servers:
                server.stop()
        return self._row(scenario, what, costs.pop("ours"), costs)

    def _costs(
        self, servers: list[Any], scenario: str, arguments: str, counts: dict[str, int] | None
    ) -> tuple[dict[str, float], int]:
        """Median µs of each server, and how many operations keep ours busy for our seconds."""
        lines, walls = io.StringIO(), []
        with contextlib.redirect_stdout(sys.stderr):
            for rep in range(_REPS):
                for server in servers:
                    began, count = time.monotonic(), ca_load.count(counts, server.cls)
                    # Tried once, disturbed or not: the median is of measurements side by side.
                    ca_load.measure(server, scenario, arguments, count, rep, lines, first=2)
                    walls += [time.monotonic() - began] if server is servers[0] else []
        rows = [json.loads(line) for line in lines.getvalue().splitlines()]
        costs = {
            server.name: statistics.median(
                row["srv_us_op"] for row in rows if row["peer"] == server.name
            )
            for server in servers
        }
        count = ca_load.count(counts, servers[0].cls)
        return costs, count * max(1, round(self.seconds / min(walls)))

    def _load(self, server: Any, arguments: str, number: int) -> None:
        until = time.monotonic() + self.seconds
        server.load(arguments, number)
        while not number and time.monotonic() < until:
            server.load(arguments, number)

    def start(self) -> dict[str, Any]:
        """A process that only starts."""
        kind, number = "plain", str(_MANY)
        command = [sys.executable, str(HERE / "scale.py"), kind, number]
        for profiler in (self.perf, self.spy):
            profiler.around(command, ca_load.env(ca_load.free_port(_PORT)))
        cost = 1e6 * measured_apart(kind, _MANY)["cpu"] / _MANY
        return self._row(START, ALONE[START], cost, {})

    def _row(
        self, scenario: str, what: str, cost: float, others: dict[str, float]
    ) -> dict[str, Any]:
        report = ["perf", "report", "-q", "--stdio", "-t", "|", "-F", "sample,dso,sym", "-i"]
        ended = subprocess.run(
            [*report, str(self.perf.file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        return {
            "scenario": scenario,
            "what": what,
            "us": cost,
            "others": others,
            "kinds": kinds(ended.stdout),
            "functions": functions(self.spy.file.read_text()),
            "machine": machine(None),
            "date": time.strftime("%d %B %Y").lstrip("0"),
        }


def blocks(rows: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The overview and the table of each scenario, by the names of their places in a page."""
    tables = {f"profile {name}": of_functions(row) for name, row in rows.items()}
    last = list(rows.values())[-1]
    said = f"Measured {last['date']} with `python bench/profiler.py` on {last['machine']}."
    return {"profile": f"{said}\n\n{overview(rows.values())}"} | tables


def publish(tables: dict[str, str], page: Path | None) -> None:
    """Print the tables, or put each into its place of a page."""
    if page is None:
        for name, table in tables.items():
            print(f"**{name}**\n\n{table}\n")
        return
    text = page.read_text()
    for name, table in tables.items():
        text = put_between(text, table, name)
    page.write_text(text)
    say(f"{page} is written")


def profile(chosen: Sequence[str], seconds: float, out: Path) -> None:
    """Profile these scenarios, one line for each to the results file.

    Raises:
        MissingError: something that this needs is not there.
    """
    check_compiler()
    check_perf()
    installed("peers", PEERS, "BENCH_PEERS_PY")
    os.chdir(ROOT)  # the load generator looks for .bench where it is
    ca_load.build()
    for scenario in chosen:
        say(scenario)
        with tempfile.TemporaryDirectory() as folder:
            run = Profile(seconds, Path(folder))
            if scenario == START:
                row = run.start()
            else:
                row = run.loaded(scenario, SCENARIOS[scenario])
        with out.open("a") as file:
            file.write(json.dumps(row) + "\n")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; ``only`` is a list of scenarios afterwards."""
    parser = argparse.ArgumentParser(
        prog="bench/profiler.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = [*SCENARIOS, *ALONE]
    parser.add_argument("--only", default=",".join(known), help="scenarios, with commas")
    parser.add_argument("--seconds", type=float, default=5, help="under each profiler")
    parser.add_argument("--out", type=Path, default=OUT, help="results file, added to")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FILE", help="profile nothing, show this file"
    )
    parser.add_argument(
        "--write-docs", type=Path, metavar="PAGE", help="put the tables into this page"
    )
    options = parser.parse_args(arguments)
    options.only = options.only.split(",")
    options.out = options.out.resolve()
    unknown = {*options.only} - {*known}
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return options


def main(arguments: Sequence[str]) -> int:
    """Profile, or read what was found, and show it; the exit status."""
    extend()
    options = parse(arguments)
    page = options.write_docs and options.write_docs.resolve()
    try:
        if options.source is None:
            profile(options.only, options.seconds, options.out)
        rows = newest(read(options.source or options.out))
        shown = rows if options.source else {name: rows[name] for name in options.only}
        publish(blocks(shown), page)
    except (MissingError, MarkerError, OSError, subprocess.CalledProcessError) as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    run_program(main)
