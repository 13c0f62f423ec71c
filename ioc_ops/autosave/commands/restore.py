"""``autosave restore``: values of a save file, back into running IOCs."""

import argparse
from collections import Counter
from collections.abc import Mapping

from ioc_ops.autosave.commands.console import Console
from ioc_ops.autosave.commands.files import SavedFile, load, shown, table
from ioc_ops.autosave.commands.live import chosen
from ioc_ops.autosave.live.client import LiveClient
from ioc_ops.autosave.live.restore import PutResult, Result, check, plan, write_all
from ioc_ops.autosave.live.values import Put, alike
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.values import Value

__all__ = ["run_restore"]


def run_restore(options: argparse.Namespace, console: Console) -> int:
    """Write the values of a file to the PVs of running IOCs, and read them back.

    Args:
        options: ``file``; ``pv``, patterns, none for all; ``fields``, False for no ``name.FIELD``;
            ``dry_run``, ``yes``, ``all``, ``jobs``, ``timeout``, ``put_timeout``.
        console: where to, and whom to ask.

    Returns:
        0 if all chosen PVs have their saved value now (or would get it), else 1. PVs that the IOC
        says are read-only do not count, unless they are named one by one or are all there is.

    Raises:
        AutosaveError: the file cannot be read or does not verify, or there is no client.
    """
    file = load(options.file)
    snapshot = file.snapshot
    values = _chosen(snapshot, options.pv, fields=options.fields)
    if not file.format.ordered:
        values = dict(sorted(values.items(), key=_is_value))  # fields first: limits are among them
    unfit = [item for item in options.pv if not chosen(values, [item])]
    for item in unfit:
        why = snapshot.unreadable.get(item, "not in the file")
        console.errors.write(f"{item}: {why}\n")
    if not values:
        console.out.write("no PV to restore\n")
        return 1
    return max(_Restore(options, console, file, values).run(), 1 if unfit else 0)


def _chosen(snapshot: Snapshot, patterns: list[str], *, fields: bool) -> dict[str, Value]:
    values = dict(snapshot.values)
    values |= {name: carried.value for name, carried in snapshot.carried.items()}
    names = chosen(values, patterns) if patterns else values
    return {name: values[name] for name in names if fields or "." not in name}


def _is_value(item: tuple[str, Value]) -> bool:
    return "." not in item[0]


class _Restore:
    """One restore: what is to be written, and what has become of it."""

    def __init__(
        self,
        options: argparse.Namespace,
        console: Console,
        file: SavedFile,
        values: Mapping[str, Value],
    ) -> None:
        self.options, self.console, self.file, self.values = options, console, file, values
        self.results: dict[str, PutResult] = {}

    def run(self) -> int:
        with LiveClient(self.options.timeout, self.options.put_timeout) as client:
            planned = self.plan(client)
            self.results = {name: result for name, (result, _) in planned.items()}
            if self.count() and not self.options.dry_run:
                if not self.agreed():
                    self.console.out.write("nothing was written\n")
                    return 1
                self.write(client, planned)
        self.report()
        return int(self.failed())

    def failed(self) -> bool:
        # Of a whole file the readbacks are skipped. Whoever names one, or has no rights at all,
        # must not take it for restored.
        results, named = self.results.values(), self.options.pv
        good = sum(item.result.good for item in results)
        skipped = sum(item.result is Result.SKIPPED and item.name not in named for item in results)
        return not good or good + skipped < len(results)

    def plan(self, client: LiveClient) -> dict[str, tuple[PutResult, Put | None]]:
        with self.console.progress("reading", len(self.values)) as advance:
            readings = client.run(client.read(list(self.values), self.values, advance))
        return {
            name: plan(name, value, readings[name], rewrite=self.options.all)
            for name, value in self.values.items()
        }

    def count(self) -> int:
        return sum(item.result is Result.PLANNED for item in self.results.values())

    def agreed(self) -> bool:
        if self.options.yes or not self.console.can_ask:
            return True
        self.report()
        return self.console.confirm(f"Write {self.count()} PVs?")

    def write(
        self, client: LiveClient, planned: Mapping[str, tuple[PutResult, Put | None]]
    ) -> None:
        todo = {
            name: value
            for name, value in self.values.items()
            if self.results[name].result in (Result.PLANNED, Result.UNCHANGED)
        }
        done: dict[str, PutResult] = {}
        try:
            with self.console.progress("writing", len(todo)) as advance:
                jobs = self.options.jobs
                client.run(write_all(client, todo, planned, done, advance, jobs=jobs))
            with self.console.progress("reading back", len(todo)) as advance:
                readings = client.run(client.read(list(todo), todo, advance, wait=False))
        except KeyboardInterrupt:
            # What was done must be known, above all now.
            skipped = {n: r for n, r in self.results.items() if n not in todo}
            self.results = {n: r for n in self.values if (r := (skipped | done).get(n))}
            self.report()
            self.console.out.write(f"{len(todo) - len(done)} of {len(todo)} PVs not reached\n")
            raise
        for name, result in done.items():
            self.results[name] = check(result, todo[name], readings[name])

    def report(self) -> None:
        results = list(self.results.values())
        before = "LIVE" if any(item.result is Result.PLANNED for item in results) else "WAS"
        rows = [self.row(item) for item in results]
        self.console.out.write(table([("PV", before, "SAVED", "OUTCOME"), *rows]))
        counts = Counter(item.result for item in results)
        summary = ", ".join(f"{counts[r]} {r.value}" for r in Result if counts[r])
        self.console.out.write(f"{summary}\n")

    def row(self, item: PutResult) -> tuple[str, str, str, str]:
        saved = self.values[item.name]
        before = None if item.before is None else alike(item.before, saved)
        outcome = str(item)
        if item.after is not None:
            outcome += f": it is {shown(alike(item.after, saved))} now"
        if item.result is Result.REFUSED and (line := self.file.line_of(item.name)):
            outcome += f" (line {line})"
        return item.name, shown(before, 40), shown(saved, 40), outcome
