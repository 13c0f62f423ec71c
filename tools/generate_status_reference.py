"""Writes docs/reference/status-pvs.md from the table of status PVs.

python tools/generate_status_reference.py          write it
python tools/generate_status_reference.py --check  exit with 1 when it would change
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from math import isnan
from pathlib import Path

from ioc_ops.channel import ChannelNumeric, ChannelType
from ioc_ops.group import PvpropertyData
from ioc_ops.status import TABLE, MemoryTracingHelper, Period, StatisticsHelper, StatusPv
from ioc_ops.status.table import OF_CAPROTO, OWN, SCHEDULED

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "status-pvs.md"

_HEAD = """\
# Status PVs

<!-- Written by tools/generate_status_reference.py from ioc_ops.status.TABLE: do not edit. -->

`status = SubGroup(StatusHelper, prefix="Ioc:")` serves the {count} PVs below. They are the 122
names of `iocAdminSoft.db` of iocStats 4.0.1 with their types, units, limits, states and alarm
defaults, so that its operator screens work unchanged, {caproto} names that caproto added, and
{own} of our own: {names}.
Numbers that have not been read yet, or cannot be read, are UDF/INVALID.

Every PV has the fields of its record type. Limits that an operator may change are the fields
HIHI, HIGH, LOW and LOLO; "saved" marks values that an `AutosaveHelper` of the same IOC keeps over a
restart, "limits saved" fields. SCAN reads `1 second` and the like where that is when a PV changes,
`I/O Intr` where clients set the period, and `Passive` otherwise; writing it changes nothing.

An alias is the same PV by another name, as in iocStats: a limit that is set on one is that of the
other.
"""

_SECTIONS = (
    ("Set once, at the start", {Period.START}),
    ("Every second", {Period.SECOND}),
    ("With a period that clients can set", set(SCHEDULED)),
    ("Scan monitors", {Period.SCAN}),
    ("Written by clients", {Period.ON_WRITE}),
)

_MEMORY = """\
## Memory

`memory = SubGroup(MemoryTracingHelper, prefix="Mem:")` serves these; the first four names are those
of caproto.

"""


_STATISTICS = """\
## Statistics

`stats = SubGroup(StatisticsHelper, prefix="Stats:", watch={"Temp:": "temperature"})` serves
`Reset` once and the others for each watched PV, as `Stats:Temp:Mean`; those of a second window of
3600 s are `Stats:Temp:3600s:Mean` and so on. Mean, StdDev, Min, Max and the percentiles have the
units and the precision of the watched PV.

"""


def main() -> int:
    """Write the page, or compare; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="change nothing")
    check: bool = parser.parse_args().check
    text = page()
    if check:
        current = PAGE.read_text() if PAGE.exists() else ""
        return int(current != text)
    PAGE.write_text(text)
    return 0


def page() -> str:
    """The page."""
    names = ", ".join(f"`{suffix}`" for suffix in sorted(OWN))
    counts = {"count": len(TABLE), "caproto": len(OF_CAPROTO), "own": len(OWN)}
    parts = [_HEAD.format(names=names, **counts)]
    for title, periods in _SECTIONS:
        rows = [r for r in TABLE.values() if r.period in periods and not r.variable]
        parts.append(f"## {title}\n\n" + "\n".join(_table(rows)) + "\n")
    variables = [row for row in TABLE.values() if row.variable]
    parts.append("## Environment\n\n" + "\n".join(_environment(variables)) + "\n")
    statistics = StatisticsHelper("", watch={"": "any"})
    parts.append(_STATISTICS + "\n".join(_helper(statistics.pvdb.items())) + "\n")
    memory = MemoryTracingHelper("")
    parts.append(_MEMORY + "\n".join(_helper(memory.pvdb.items())) + "\n")
    return "\n".join(parts)


def _table(rows: Iterable[StatusPv]) -> Iterator[str]:
    yield "| PV | Type | Record | Meaning | Updated | Limits and states |"
    yield "|----|------|--------|---------|---------|-------------------|"
    for row in rows:
        limits = "; ".join(_limits(row))
        updated = f"`{row.period.value}`" if row.period in SCHEDULED else row.period.value
        yield f"| `{row.suffix}` | {_type(row)} | {row.record} | {row.doc} | {updated} | {limits} |"


def _type(row: StatusPv) -> str:
    size = f"[{row.length}]" if row.length > 1 else ""
    return f"{row.data_type.name}{size}" + (f", {row.units}" if row.units else "")


def _limits(row: StatusPv) -> Iterator[str]:
    if row.alias_of:
        yield f"alias of `{row.alias_of}`"
    severities = row.severities or (0,) * len(row.states)
    if row.states:
        names = ("", " (MINOR)", " (MAJOR)", " (INVALID)")
        yield ", ".join(s + names[v] for s, v in zip(row.states, severities, strict=True))
    limits = (
        ("HIHI", row.hihi),
        ("HIGH", row.high),
        ("LOW", row.low),
        ("LOLO", row.lolo),
    )
    told = [f"{name} {limit:g}" for name, limit in limits if not isnan(limit)]
    if told:
        yield ", ".join(told)
    if row.hopr:
        yield f"range {row.lopr:g} to {row.hopr:g}"
    if row.drvh:
        yield f"default {row.value:g}, clamped to {row.drvl:g} to {row.drvh:g}"
    if row.saved:
        yield "saved"
    if row.saved_fields:
        yield "limits saved"


def _environment(rows: Iterable[StatusPv]) -> Iterator[str]:
    yield "Read at the start; at most 39 characters. DBR_STRING, record stringin."
    yield ""
    yield "| PV | Variable | Where it is not set |"
    yield "|----|----------|---------------------|"
    for row in rows:
        default = f"`{row.value}`" if row.value else "empty"
        alias = f", alias of `{row.alias_of}`" if row.alias_of else ""
        yield f"| `{row.suffix}`{alias} | `{row.variable}` | {default} |"


def _helper(pvs: Iterable[tuple[str, PvpropertyData]]) -> Iterator[str]:
    first = ("EnableTracing", "TraceDiffResults", "TraceTopAllocations", "TraceCount")
    ordered = sorted(pvs, key=lambda item: first.index(item[0]) if item[0] in first else 9)
    yield "| PV | Type | Record | Meaning | Clients may write |"
    yield "|----|------|--------|---------|-------------------|"
    for name, pv in ordered:
        kind = ChannelType(pv.data_type).name + (f"[{pv.max_length}]" if pv.max_length > 1 else "")
        units = f", {pv.units}" if isinstance(pv, ChannelNumeric) and pv.units else ""
        may = "no" if pv.read_only else "yes"
        yield f"| `{name}` | {kind}{units} | {pv.record_type} | {pv.description} | {may} |"


if __name__ == "__main__":
    sys.exit(main())
