"""``autosave show`` and ``autosave diff``: what is in a save file, and what differs in two."""

import argparse
from fnmatch import fnmatchcase

from ioc_ops.autosave.commands.console import Console
from ioc_ops.autosave.commands.files import date, load, shown, table
from ioc_ops.autosave.compare import Tolerance, differences

__all__ = ["MOST_DIFFERENCES", "run_diff", "run_show"]

MOST_DIFFERENCES = 100
"""Exit status of ``diff`` for this many differences or more: shells know eight bits."""


def run_show(options: argparse.Namespace, console: Console) -> int:
    """The PVs of a file with their values, in its order.

    Args:
        options: ``file``; ``pv``, patterns of the names to show, none for all.
        console: where to.

    Returns:
        0; 1 if the patterns fit no PV.

    Raises:
        AutosaveError: the file cannot be read, or does not verify.
    """
    file = load(options.file)
    snapshot = file.snapshot
    rows = [(name, shown(value), "") for name, value in snapshot.values.items()]
    rows += [
        (name, shown(carried.value), f"missing since {date(carried.since)}")
        for name, carried in snapshot.carried.items()
    ]
    rows += [(name, "-", reason) for name, reason in snapshot.unreadable.items()]
    if options.pv:
        rows = [row for row in rows if any(fnmatchcase(row[0], pv) for pv in options.pv)]
    facts = [f"format {file.format.name}", f"saved {date(file.dated().saved_at)}"]
    facts += [f"serial {snapshot.serial}"] if snapshot.serial else []
    facts += [f"ioc {snapshot.ioc}"] if snapshot.ioc else []
    console.out.write(f"{file.path}: {', '.join(facts)}, {len(snapshot.values)} PVs\n")
    if rows:
        console.out.write(table(rows))
    return 0 if rows or not options.pv else 1


def run_diff(options: argparse.Namespace, console: Console) -> int:
    """The PVs that differ in two files, which may be in different formats.

    Args:
        options: ``old``, ``new``; ``atol``, ``rtol``, each a number or None.
        console: where to.

    Returns:
        The number of PVs that differ, at most `MOST_DIFFERENCES`.

    Raises:
        AutosaveError: a file cannot be read, or does not verify.
    """
    old, new = load(options.old).snapshot, load(options.new).snapshot
    tolerance = Tolerance(options.atol or 0.0, options.rtol or 0.0)
    diff = differences(old, new, tolerance)
    differing = {*diff.added, *diff.removed, *diff.changed}
    total = len(old.values.keys() | new.values.keys())
    if differing:
        # Side by side, so that one can see what differs: only the text of values is cut.
        rows = [
            (name, shown(old.values.get(name)), shown(new.values.get(name)))
            for name in sorted(differing)
        ]
        console.out.write(table([("PV", "OLD", "NEW"), *rows]))
    console.out.write(f"{len(differing)} of {total} PVs differ\n")
    return min(len(differing), MOST_DIFFERENCES)
