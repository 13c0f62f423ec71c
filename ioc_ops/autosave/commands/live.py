"""``autosave diff FILE live`` and ``autosave snapshot``: save files and what IOCs serve now."""

import argparse
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from ioc_ops.autosave.commands.console import Console
from ioc_ops.autosave.commands.files import load, shown, table
from ioc_ops.autosave.commands.output import OutputFile
from ioc_ops.autosave.commands.show import MOST_DIFFERENCES, run_diff
from ioc_ops.autosave.compare import Tolerance
from ioc_ops.autosave.formats import RequestedPV, read_request
from ioc_ops.autosave.formats.escapes import decode
from ioc_ops.autosave.formats.macros import parse_definitions
from ioc_ops.autosave.live.client import LiveClient, Reading
from ioc_ops.autosave.live.values import agree, alike
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.values import UntypedValue, Value
from ioc_ops.errors import AutosaveError

__all__ = ["LIVE", "chosen", "run_diff_or_live", "run_snapshot", "tolerance_of"]

LIVE = "live"
"""In the place of a file: what the IOCs serve."""


def run_diff_or_live(options: argparse.Namespace, console: Console) -> int:
    """The PVs that differ in two files, or in a file and the running IOCs.

    Args:
        options: ``old``; ``new``, a file or `LIVE`; ``atol``, ``rtol``, each a number or None;
            ``pv``, ``req``, ``macros`` to choose PVs; ``timeout``.
        console: where to.

    Returns:
        The number of PVs that differ, at most `MOST_DIFFERENCES`.

    Raises:
        AutosaveError: a file cannot be read or does not verify, or there is no client.
    """
    if options.new != LIVE:
        if options.pv or options.req:
            raise AutosaveError(f"--pv and --req choose PVs for a comparison with {LIVE!r}")
        return run_diff(options, console)
    saved = load(options.old).snapshot.values
    names = list(saved)
    if options.req is not None:
        names = [item.key for item in _requested(options)]
    if options.pv:
        names = chosen(names, options.pv)
    if not names:
        raise AutosaveError(f"{options.old}: no PV is chosen")
    with LiveClient(options.timeout) as client:
        with console.progress("reading", len(names)) as advance:
            readings = client.run(client.read(names, saved, advance))
    rows = list(_differing(saved, readings, tolerance_of(options)))
    if rows:
        console.out.write(table([("PV", "SAVED", "LIVE"), *rows]))
    console.out.write(f"{len(rows)} of {len(names)} PVs differ\n")
    return min(len(rows), MOST_DIFFERENCES)


def chosen(names: Iterable[str], patterns: Iterable[str]) -> list[str]:
    """The names that fit one of the patterns, in their order."""
    patterns = list(patterns)
    return [name for name in names if any(fnmatchcase(name, item) for item in patterns)]


def tolerance_of(options: argparse.Namespace) -> Tolerance | None:
    """What ``--atol`` and ``--rtol`` say; None if neither is given."""
    if options.atol is None and options.rtol is None:
        return None
    return Tolerance(options.atol or 0.0, options.rtol or 0.0)


def _differing(
    saved: Mapping[str, Value], readings: Mapping[str, Reading], tolerance: Tolerance | None
) -> Iterable[tuple[str, str, str]]:
    for name, reading in readings.items():
        value, pv, live = saved.get(name), reading.pv, reading.value
        if pv is None or live is None:
            yield name, shown(value), reading.reason
        elif value is None or not agree(value, live, pv, tolerance):
            yield name, shown(value), shown(alike(live, value))


def _requested(options: argparse.Namespace) -> list[RequestedPV]:
    macros = parse_definitions(options.macros)
    search_path = [Path(path) for path in options.include]
    path = Path(options.req)
    # The file itself is where it is said to be; what it includes is searched for.
    return read_request(path.name, macros, [path.parent, *search_path])


def run_snapshot(options: argparse.Namespace, console: Console) -> int:
    """Write the values that the PVs of a request file have now.

    Args:
        options: ``req``, ``macros``, ``include``; ``output``, ``to``, ``force``; ``timeout``.
        console: where to.

    Returns:
        0; 1 if a PV has no value in the file, or a doubtful one.

    Raises:
        AutosaveError: the request file makes no sense, no PV answers, there is no client, or the
            target cannot be written.
    """
    output = OutputFile(options.output, options.to, force=options.force)
    requested = _requested(options)
    if not requested:
        raise AutosaveError(f"{options.req}: no PV is named in it")
    requests = {item.key: item for item in requested}
    with LiveClient(options.timeout) as client:
        with console.progress("reading", len(requests)) as advance:
            readings = client.run(client.read(list(requests), advance=advance))
    values: dict[str, Value] = {}
    unreadable: dict[str, str] = {}
    for name, reading in readings.items():
        item = requests[name]
        if reading.value is None:
            unreadable[name] = f"{reading.reason} ({item.file}, line {item.line})"
        else:
            values[name] = _text_if_asked(reading.value, item.name)
    if not values:
        raise AutosaveError(f"none of {len(requests)} PVs answers, {output.path} is not written")
    snapshot = Snapshot(values, unreadable=unreadable, saved_at=console.clock())
    written = output.encode(snapshot)
    output.write(written)
    return max(output.report(snapshot, written, console), 1 if unreadable else 0)


def _text_if_asked(value: Value, requested: str) -> Value:
    """Characters as text, if a ``$`` behind the name asks for that."""
    if isinstance(value, bytes) and requested.endswith("$"):
        return UntypedValue(decode(value.split(b"\0", 1)[0]))
    return value
