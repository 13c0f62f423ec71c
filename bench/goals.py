"""What the project wants to reach, as a table: scenario, figure, goal.

Scenarios are those of `load/ca_load.py`, the steady rates of `load_with_ours.py`, and what
`kit.py` measures of ours alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
"""One measurement: a line of the results file."""


@dataclass(frozen=True)
class Goal:
    """A line of the report: one figure of one scenario."""

    scenario: str
    what: str
    key: str = "srv_us_op"  # of the measurement, or a name of FIGURES
    goal: float | None = None  # None: none was set, shown for comparison
    asyncio: float | None = None  # the goal without uvloop, where that is another
    most: bool = False  # the more the better
    base: str | None = None  # the figure is the quotient by that of this scenario, measured before
    quietest: bool = False  # that of the best repetition instead of the median


@dataclass(frozen=True)
class Section:
    """Lines with one unit."""

    title: str
    goals: tuple[Goal, ...]


def _per_pv(after: str, before: str) -> Callable[[Row], float | None]:
    """kB that each PV took between two readings.

    Of the first measurement only: a server that has had clients has room left from them.
    """

    def kilobytes(row: Row) -> float | None:
        first = row["rep"] == row["attempt"] == 0
        return (row[after] - row[before]) / row["n"] if first else None

    return kilobytes


FIGURES: dict[str, Callable[[Row], float | None]] = {
    "kb_channel": _per_pv("rss_chan_kb", "rss_start_kb"),
    "kb_subscription": _per_pv("rss_sub_kb", "rss_chan_kb"),
    "grown_mb": lambda row: (row["rss_max_kb"] - row["rss_start_kb"]) / 1024,
    "clients_mb": lambda row: (row["rss_end_kb"] - row["rss_start_kb"]) / 1024,
    "rss_mb": lambda row: row["rss_kb"] / 1024,
    "no_event_ms": lambda row: 1e3 * row["longest_gap_s"],
    "served_s": lambda row: row["connect_s"] + row["sub_s"],
}


def figure(row: Row, key: str) -> float | None:
    """The figure of a measurement, or None where it has none."""
    try:
        found = FIGURES[key](row) if key in FIGURES else row[key]
    except KeyError:
        return None
    return None if found is None else float(found)


def _steady(rate: int) -> tuple[Goal, Goal]:
    scenario, what = f"mon_10_{rate}hz", f"{rate} updates a second to 10 clients"
    return (
        Goal(scenario, f"{what}, median", "lat_us_p50", 1_000),
        Goal(scenario, f"{what}, 99th percentile", "lat_us_p99", 5_000),
    )


def _beside(slow: str, which: str = "") -> tuple[Goal, Goal]:
    """What the others get beside a client that never reads, and what it costs the server."""
    base, rate = f"{slow}_base", f"{which}rate of the others, 1 = as without"
    return (
        Goal(slow, rate, "ops_s", goal=0.9, most=True, base=base),
        Goal(slow, f"{which}CPU per event, 1 = as without", base=base),
    )


def _longest(scenario: str, what: str, key: str) -> tuple[Goal, Goal]:
    """A longest time: what a server does is in all repetitions, what its machine does in some."""
    return (
        Goal(scenario, f"{what}, ms, quietest repetition", key, goal=20, quietest=True),
        Goal(scenario, f"{what}, ms, median", key),
    )


CPU = Section(
    "Server CPU per operation, microseconds",
    (
        Goal("read_d_w1", "one read at a time"),
        Goal("read_td_w1", "the same with time and alarm", goal=30, asyncio=40),
        Goal("read_d_w200", "200 reads in flight"),
        Goal("read_td_w200", "the same with time and alarm"),
        Goal("read_td_w200_100pv", "the same over 100 PVs", goal=2.0),
        Goal("write_w1", "one put-callback at a time", goal=50),
        Goal("write_w200", "200 put-callbacks in flight, one PV", goal=5),
        Goal("write_w200_100pv", "the same over 100 PVs"),
        Goal("connect_10k", "search and create, per PV", goal=8),
        Goal("search_miss_10k", "search for a PV of somebody else"),
        Goal("mon_1_w1", "one update to one client, per event"),
        Goal("mon_10_w1", "one update to 10 clients, per event", goal=14),
        Goal("mon_100_w1", "one update to 100 monitors, per event"),
        Goal("mon_1_w8", "8 updates in flight, 1 monitor"),
        Goal("mon_10_w8", "8 updates in flight, 10 monitors"),
        Goal("mon_100_w8", "8 updates in flight, 100 monitors", goal=0.4),
        Goal("mon_100_w64", "64 updates in flight, 100 monitors"),
        Goal("mon_1000pv_w200", "1,000 PVs, one monitor each", goal=5),
        Goal("mon_100_50hz", "50 updates a second, 100 monitors"),
        Goal("scan_1000pv_10hz", "1,000 PVs that the IOC updates at 10 Hz", goal=8),
        Goal("arr_read_1k_w1", "read of 8 kB"),
        Goal("arr_read_1k_w32", "32 reads of 8 kB in flight", goal=5.5),
        Goal("arr_write_1k_w1", "put-callback of 8 kB"),
        Goal("arr_read_1m_w1", "read of 8 MB"),
        Goal("arr_read_1m_w4", "4 reads of 8 MB in flight"),
        Goal("arr_write_1m_w1", "put-callback of 8 MB"),
        Goal("arr_mon_1m_w1", "update of 8 MB to one client"),
        Goal("arr_mon_1m_10c_w1", "update of 8 MB to 10 clients"),
    ),
)
SECTIONS = (
    CPU,
    Section(
        "Large arrays, MB/s",
        (
            Goal("arr_read_1m_w1", "read of 8 MB", "mb_s", 1584, most=True),
            Goal("arr_mon_1m_10c_w1", "update of 8 MB to 10 clients", "mb_s", 1482, most=True),
        ),
    ),
    Section(
        "Memory for a client, kB",
        (
            Goal("connect_10k", "each channel", "kb_channel", 0.6),
            Goal("connect_10k", "each subscription", "kb_subscription", 0.9),
        ),
    ),
    Section(
        "Latency of an update at a steady rate, microseconds",
        (*_steady(20), *_steady(200), *_steady(1000)),
    ),
    Section(
        "One client that never reads, beside nine that do",
        (
            *_longest("slow_scalar", "longest time without an event", "no_event_ms"),
            # RSS comes in pages and pools: twice the bound on what waits in a circuit.
            Goal("slow_scalar", "memory at most, MB more", "grown_mb", 2),
            *_beside("slow_scalar"),
            *_longest("slow_array", "arrays of 8 kB: longest time", "no_event_ms"),
            Goal("slow_array", "arrays of 8 kB: memory, MB more", "grown_mb", 2),
            *_beside("slow_array", "arrays of 8 kB: "),
            # Two versions of the array in its circuit; the rest is that of the writer's.
            Goal("slow_big", "arrays of 8 MB: memory, MB more", "grown_mb", 50),
            *_beside("slow_big", "arrays of 8 MB: "),
        ),
    ),
    Section(
        "500 clients with 20 monitors each",
        (
            Goal("many_500x20", "one after the other: CPU per event, microseconds"),
            Goal("many_500x20", "memory, MB more", "clients_mb"),
            Goal("storm_500x20", "all at once: seconds until all are served", "served_s"),
            Goal("storm_500x20", "all at once: circuits lost", "dead", 0),
        ),
    ),
    Section(
        "The process: start and memory",
        (
            Goal("scale_1000", "1,000 PVs: seconds until found", "start_s"),
            Goal("scale_1000", "1,000 PVs: resident MB", "rss_mb"),
            Goal("scale_10000", "10,000 PVs: seconds until found", "start_s"),
            Goal("scale_10000", "10,000 PVs: resident MB", "rss_mb"),
            Goal("scale_100000", "100,000 PVs: seconds until found", "start_s"),
            Goal("scale_100000", "100,000 PVs: resident MB", "rss_mb"),
        ),
    ),
    Section(
        "Start of an IOC of ours (modules imported before)",
        (
            Goal(
                "import_server",
                "import of ioc_ops.server, byte-compiled, beyond numpy, ms",
                "ms",
                150,
            ),
            Goal("start_plain_1000", "1,000 PVs, seconds", "start_s"),
            Goal("start_plain_10000", "10,000 PVs, seconds", "start_s"),
            Goal("start_plain_100000", "100,000 PVs, seconds", "start_s", 3),
            Goal("start_plain_100000", "100,000 PVs, bytes each", "bytes", 1_500),
            Goal("start_ai_10000", "10,000 ai records, seconds", "start_s", 1),
            Goal("start_ai_10000", "10,000 ai records, bytes each", "bytes", 4_000),
            Goal("start_ai_100000", "100,000 ai records, seconds", "start_s"),
            Goal("start_ai_100000", "100,000 ai records, bytes each", "bytes", 4_000),
        ),
    ),
    Section(
        "Operations kit, 100,000 PVs",
        (
            Goal("autosave", "restore of all and start, seconds", "start_s", 2),
            *_longest("autosave", "1 % changing a second: longest gap of the loop", "gap_ms"),
            Goal("autosave", "of a gap: at most so much work of the IOC, ms", "worked_ms", 20),
            Goal("autosave", "longest gap without autosave, ms, median", "gap_without_ms"),
            Goal("autosave", "1 % changing a second: % of a core for autosave", "cpu_percent"),
            Goal("rest", "at rest with autosave, status, metrics: % of a core", "cpu_percent", 1),
            *_longest("rest", "at rest: longest gap of the loop", "gap_ms"),
            Goal("scrape", "1,000 PVs exported: ms for a scrape", "ms"),
            *_longest("scrape", "1,000 PVs exported: longest gap of the loop", "gap_ms"),
        ),
    ),
)
