"""What two sampling profilers say of a server, as shares: where its time goes.

``perf`` knows in which library the processor was, the kernel included, but no Python function;
``py-spy`` knows the Python function, but takes waiting for work. So the first gives the kinds of
work, and the second how the part that is Python is divided, where the server waits for nothing
but its clients: a thread that sleeps would count.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

KERNEL, LOOP, INTERPRETER = "kernel", "event loop", "interpreter"
OBJECTS, COLLECTOR = "objects made and freed", "garbage collector"
LIBRARIES = "numpy, C library"
KINDS = (KERNEL, LOOP, INTERPRETER, OBJECTS, COLLECTOR, LIBRARIES)
OTHERS = {"pynull_uv": "bare responder", "rsrv": "RSRV (C)"}
_TOP = 6
_SMALL = 0.02  # of the time in Python: not worth a line

_LIBRARIES = (
    (re.compile(r"\[(kernel|guest)|\.ko\b"), KERNEL),
    (re.compile(r"^loop\.|uvloop|^_asyncio\."), LOOP),
    (re.compile(r"^(libc[.-]|ld-|libm[.-]|libpthread|\[vdso|libstdc)"), LIBRARIES),
    (re.compile(r"multiarray|openblas|numpy|umath"), LIBRARIES),
)
_SYMBOLS = (
    (
        re.compile(
            r"gc_collect|deduce_unreachable|(update|subtract)_refs|move_unreachable"
            r"|visit_(decref|reachable|move)|untrack_|_traverse$|delete_garbage|^_PyGC_"
        ),
        COLLECTOR,
    ),
    (
        re.compile(
            r"^_?Py(Object|Mem)_(Raw)?(Malloc|Calloc|Realloc|Free|GC_)|^pymalloc_|dealloc$"
            r"|^_PyObject_GC|^_Py_(Dealloc|NewReference)|^PyType_GenericAlloc|^gc_alloc"
            r"|^(_int_)?(malloc|free|calloc|realloc)|^cfree|^__libc_(malloc|free|calloc|realloc)"
        ),
        OBJECTS,
    ),
)
_FRAME = re.compile(r"^(?P<function>.*) \((?P<file>.*?)(:\d+)?\)$")
_OF_LOOP = re.compile(r"^loop\.c|uvloop/")


def kind(library: str, symbol: str) -> str:
    """What the processor was busy with, in a symbol of a shared object."""
    name = symbol.removesuffix("@plt")
    found = next((what for pattern, what in _LIBRARIES if pattern.search(library)), INTERPRETER)
    if found in (KERNEL, LOOP):
        return found
    return next((what for pattern, what in _SYMBOLS if pattern.search(name)), found)


def kinds(report: str) -> Counter[str]:
    """Samples of each kind, from ``perf report -q -t '|' -F sample,dso,sym``."""
    found: Counter[str] = Counter()
    for line in report.splitlines():
        samples, _, rest = line.partition("|")
        library, _, symbol = rest.partition("|")
        if samples.strip().isdigit():
            found[kind(library.strip(), symbol.strip().partition("] ")[2])] += int(samples)
    return found


def functions(stacks: str) -> Counter[str]:
    """Samples of each Python function, from ``py-spy record --native --function --format raw``.

    A sample counts for the innermost Python function, with what that calls in C, other than the
    event loop: there it would wait, or be in the kernel. Names are "function (file)".
    """
    found: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, samples = line.rpartition(" ")
        name = _innermost(stack.split(";"))
        if name is not None:
            found[name] += int(samples)
    return found


def _innermost(frames: list[str]) -> str | None:
    for frame in reversed(frames):
        match = _FRAME.match(frame)
        if match is None:
            continue
        file = match["file"]
        if file.endswith(".py"):
            return f"{match['function']} ({file.removeprefix('ioc_ops/')})"
        if _OF_LOOP.search(file):
            return None
    return None


def shares(counts: Mapping[str, int]) -> dict[str, float]:
    """Parts of 1."""
    total = sum(counts.values())
    return {name: number / total for name, number in counts.items()} if total else {}


def newest(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The last profile of each scenario."""
    return {row["scenario"]: row for row in rows}


def overview(rows: Iterable[dict[str, Any]]) -> str:
    """A table with a line for each scenario: what an operation costs, and the kinds of work."""
    heads = ["scenario", "what", "µs", *KINDS, *(f"{name}, µs" for name in OTHERS.values())]
    return _table(heads, map(_overview_line, rows))


def _overview_line(row: dict[str, Any]) -> list[str]:
    parts = shares(row["kinds"])
    cells = [f"`{row['scenario']}`", row["what"], microseconds(row["us"])]
    cells += [f"{parts.get(name, 0):.0%}" for name in KINDS]
    return [*cells, *(microseconds(row["others"].get(name)) for name in OTHERS)]


def of_functions(row: dict[str, Any]) -> str:
    """A table of the Python functions of a scenario that take most, without what they call."""
    parts = shares(row["kinds"])
    python = 1 - parts.get(KERNEL, 0) - parts.get(LOOP, 0)
    found = Counter(shares(row["functions"])).most_common(_TOP)
    lines = [
        [f"`{name}`", f"{part:.0%}", microseconds(part * python * row["us"])]
        for name, part in found
        if part >= _SMALL
    ]
    rest = 1 - sum(part for _, part in found if part >= _SMALL)
    lines.append(["all others", f"{rest:.0%}", microseconds(rest * python * row["us"])])
    return _table([f"in Python, {python:.0%} of all", "share", "µs"], lines)


def microseconds(value: float | None) -> str:
    """Two digits that count, or three."""
    if value is None:
        return "-"
    digits = next((n for limit, n in ((100, 0), (10, 1), (0.1, 2)) if value >= limit), 3)
    return f"{value:,.{digits}f}"


def _table(heads: list[str], lines: Iterable[list[str]]) -> str:
    def text() -> Iterator[str]:
        yield f"| {' | '.join(heads)} |"
        yield "|" + "---|" * len(heads)
        for line in lines:
            yield f"| {' | '.join(line)} |"

    return "\n".join(text())
