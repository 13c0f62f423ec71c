"""Memory of this process as tracemalloc and gc see it, as plain values and texts.

All but ``CollectorReading.now`` may take long: call it from a worker thread. Copying the traces
happens in one piece even there; meanwhile no other Python code runs, which ``seconds`` includes.
"""

import gc
import os
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "TRACEMALLOC_FILTERS",
    "CollectorReading",
    "TraceReading",
    "Tracer",
    "compared",
    "filters_of",
    "get_top_allocation_info",
    "listed",
    "size_text",
]

TRACEMALLOC_FILTERS = (
    tracemalloc.Filter(False, tracemalloc.__file__),
    tracemalloc.Filter(False, "<frozen importlib._bootstrap>"),
    tracemalloc.Filter(False, "<frozen importlib._bootstrap_external>"),
    tracemalloc.Filter(False, "<unknown>"),
)
"""What is left out by default: the tracing itself and the import of modules."""


@dataclass(frozen=True, slots=True)
class CollectorReading:
    """The garbage collector: objects of each generation that wait for it, and what it gave up."""

    counts: tuple[int, int, int]
    collected: int
    uncollectable: int

    @classmethod
    def now(cls) -> "CollectorReading":
        """Costs microseconds."""
        young, middle, old = gc.get_count()
        stats = gc.get_stats()
        collected = sum(generation["collected"] for generation in stats)
        uncollectable = sum(generation["uncollectable"] for generation in stats)
        return cls((young, middle, old), collected, uncollectable)


@dataclass(frozen=True, slots=True)
class TraceReading:
    """One look at the traced memory. Sizes are bytes, lists one line of text per place."""

    current: int
    peak: int
    growth: int
    """Since the baseline, of what passes the filters."""
    top: str
    difference: str
    """Since the look before; empty at the first."""
    since_baseline: str
    is_baseline: bool
    """Whether later looks are compared with this one."""
    overhead: int
    """What tracing itself occupies."""
    seconds: float
    """What this look took, from its begin to its end."""


class Tracer:
    """Looks at the traced memory and compares. One thread at a time may use it.

    Args:
        filters: of ``tracemalloc``, for all lists.
    """

    def __init__(self, filters: Sequence[tracemalloc.Filter]) -> None:
        self._own = list(filters)
        self._filters = self._own
        self._more = ""
        self._started = False
        self._before: tracemalloc.Snapshot | None = None
        self._baseline: tracemalloc.Snapshot | None = None

    def use(self, more: str) -> None:
        """Apply the filters of this text too, from the next look on; others begin anew."""
        if more != self._more:
            self._more = more
            self._filters = [*self._own, *filters_of(more)]
            self._before = self._baseline = None

    def start(self) -> None:
        """Trace from now on; memory that is in use already is never seen."""
        if not tracemalloc.is_tracing():
            self._started = True
            tracemalloc.start()

    def stop(self) -> None:
        """Forget everything; trace no more, unless somebody else began (PYTHONTRACEMALLOC)."""
        if self._started:
            self._started = False
            tracemalloc.stop()
        self._before = self._baseline = None

    def look(self, count: int, *, rebase: bool = False) -> TraceReading:
        """Take a snapshot and compare it with the one before and with the baseline.

        Args:
            count: places that the lists name, at most.
            rebase: make this snapshot the baseline. The first one is in any case.

        Raises:
            RuntimeError: tracing is off.
        """
        began = time.perf_counter()
        snapshot = tracemalloc.take_snapshot().filter_traces(self._filters)
        current, peak = tracemalloc.get_traced_memory()
        before = self._before
        baseline = snapshot if rebase or self._baseline is None else self._baseline
        self._before, self._baseline = snapshot, baseline
        grown = [] if baseline is snapshot else snapshot.compare_to(baseline, "lineno")
        return TraceReading(
            current=current,
            peak=peak,
            growth=sum(place.size_diff for place in grown),
            top=listed(snapshot.statistics("lineno"), count),
            difference="" if before is None else compared(snapshot, before, count),
            since_baseline=_growing(grown, count),
            is_baseline=baseline is snapshot,
            overhead=tracemalloc.get_tracemalloc_memory(),
            seconds=time.perf_counter() - began,
        )

    def save(self, path: Path) -> int:
        """Write a snapshot, unfiltered, for ``tracemalloc.Snapshot.load``; its size in bytes.

        The file appears whole or not at all.

        Raises:
            OSError: it cannot be written.
            RuntimeError: tracing is off.
        """
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
        try:
            tracemalloc.take_snapshot().dump(str(unfinished))
            size = unfinished.stat().st_size
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        return size


def filters_of(text: str) -> list[tracemalloc.Filter]:
    """Filters as an operator writes them: patterns of file names between blanks.

    Places in a file that matches one of them are looked at, less those that match one with a
    ``-`` in front. Without a pattern, or with such ones alone, all others are looked at.
    """
    return [tracemalloc.Filter(word[0] != "-", word.removeprefix("-")) for word in text.split()]


def size_text(size: float) -> str:
    """Bytes as people read them, with a sign where there is one: ``"12.3 KiB"``."""
    for unit in ("B", "KiB", "MiB"):
        if abs(size) < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def _place(traceback: tracemalloc.Traceback) -> str:
    frame = traceback[-1]
    return f"{frame.filename}:{frame.lineno}"


def listed(places: Sequence[tracemalloc.Statistic], count: int) -> str:
    """The largest of ``places``, one a line: file, line, size, blocks."""
    return "\n".join(
        f"{_place(place.traceback)}: {size_text(place.size)} in {place.count} blocks"
        for place in places[:count]
    )


def get_top_allocation_info(
    snapshot: tracemalloc.Snapshot,
    *,
    key_type: str = "lineno",
    cumulative: bool = False,
    limit: int = 20,
    filters: Sequence[tracemalloc.Filter] | None = None,
) -> list[str]:
    """The places of a snapshot that have most memory, one line each: as caproto's, to be imported.

    Args:
        snapshot: what ``tracemalloc.take_snapshot`` or ``Snapshot.load`` gave.
        key_type: ``"lineno"``, ``"filename"`` or ``"traceback"``.
        cumulative: count memory for each place of its traceback.
        limit: lines, at most.
        filters: to apply before; default TRACEMALLOC_FILTERS.
    """
    wanted = snapshot.filter_traces(TRACEMALLOC_FILTERS if filters is None else filters)
    return listed(wanted.statistics(key_type, cumulative), limit).splitlines()


def compared(now: tracemalloc.Snapshot, before: tracemalloc.Snapshot, count: int) -> str:
    """Where memory has grown between two snapshots, the most first."""
    return _growing(now.compare_to(before, "lineno"), count)


def _growing(places: Sequence[tracemalloc.StatisticDiff], count: int) -> str:
    grown = sorted(
        (place for place in places if place.size_diff), key=lambda p: p.size_diff, reverse=True
    )
    return "\n".join(
        f"{_place(place.traceback)}: {'+' * (place.size_diff > 0)}{size_text(place.size_diff)}"
        f" in {place.count_diff:+d} blocks, now {size_text(place.size)}"
        for place in grown[:count]
    )
