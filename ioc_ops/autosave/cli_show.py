"""``autosave show`` and ``autosave diff``: what is in a save file, and what differs in two."""

import argparse
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TextIO

from ioc_ops.autosave.cli_files import date, load, shown, table
from ioc_ops.autosave.compare import Tolerance, differences

__all__ = ["run_diff", "run_show"]


def run_show(options: argparse.Namespace, out: TextIO, clock: Callable[[], float]) -> int:
    """The PVs of a file with their values, in its order.

    Args:
        options: ``file``; ``pv``, patterns of the names to show, none for all.
        out: where to.
        clock: not used.

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
    out.write(f"{file.path}: {', '.join(facts)}, {len(snapshot.values)} PVs\n")
    if rows:
        out.write(table(rows))
    return 0 if rows or not options.pv else 1


def run_diff(options: argparse.Namespace, out: TextIO, clock: Callable[[], float]) -> int:
    """The PVs that differ in two files, which may be in different formats.

    Args:
        options: ``old``, ``new``; ``atol``, ``rtol``.
        out: where to.
        clock: not used.

    Returns:
        0 if nothing differs, else 1.

    Raises:
        AutosaveError: a file cannot be read, or does not verify.
    """
    old, new = load(options.old).snapshot, load(options.new).snapshot
    diff = differences(old, new, Tolerance(options.atol, options.rtol))
    differing = {*diff.added, *diff.removed, *diff.changed}
    total = len(old.values.keys() | new.values.keys())
    if differing:
        # Side by side, so that one can see what differs: only the text of values is cut.
        rows = [
            (name, shown(old.values.get(name)), shown(new.values.get(name)))
            for name in sorted(differing)
        ]
        out.write(table([("PV", "OLD", "NEW"), *rows]))
    out.write(f"{len(differing)} of {total} PVs differ\n")
    return 1 if differing else 0
