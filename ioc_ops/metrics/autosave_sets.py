"""The save sets of an IOC, found without looking through all PVs at each scrape."""

from pathlib import Path

from ioc_ops.autosave import AutosaveStats, SaveSet
from ioc_ops.metrics.pvdb import PvdbWatch
from ioc_ops.server import Context

__all__ = ["AutosaveSets", "autosave_stats"]


def autosave_stats(context: Context) -> list[tuple[str, AutosaveStats]]:
    """Name and statistics of each save set of ``context``.

    The name is that of the save file without its suffix, or its whole path where two sets would
    have the same.
    """
    helpers = [group for group in context.groups if isinstance(group, SaveSet)]
    paths = [Path(helper.file_manager.filename) for helper in helpers]
    stems = [path.stem for path in paths]
    names = [
        stem if stems.count(stem) == 1 else str(path)
        for stem, path in zip(stems, paths, strict=True)
    ]
    return [(name, helper.stats) for name, helper in zip(names, helpers, strict=True)]


class AutosaveSets:
    """``autosave_stats`` of a context, looked up anew only when PVs have come or gone."""

    def __init__(self, context: Context) -> None:
        """Reads nothing yet."""
        self._context = context
        self._watch: PvdbWatch | None = None
        self._sets: list[tuple[str, AutosaveStats]] = []

    def stats(self) -> list[tuple[str, AutosaveStats]]:
        """Name and statistics of each save set now."""
        if self._watch is None:
            self._watch = PvdbWatch(self._context.pvdb)
        if self._watch.changed():
            self._sets = autosave_stats(self._context)
        return self._sets
