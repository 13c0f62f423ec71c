"""What a save set has got from its file, and what of that waits for PVs to come back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ioc_ops.autosave.files.results import LoadResult
from ioc_ops.autosave.files.thread import Clock
from ioc_ops.autosave.health import Health, health_of_restore
from ioc_ops.autosave.restore import (
    Outcome,
    RestoreReport,
    fitting,
    report_of,
    restore_steps,
    restore_value,
)
from ioc_ops.autosave.saver import sliced
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.values import Value
from ioc_ops.channel import ChannelData
from ioc_ops.errors import AutosaveError, ChannelError

__all__ = ["Restored", "put_saved", "restore_loaded"]


@dataclass(slots=True)
class Restored:
    """The outcome of the newest restore of one save set."""

    report: RestoreReport = field(default_factory=RestoreReport)
    #: Saved values of PVs that are not served now.
    kept: dict[str, Value] = field(default_factory=dict)
    #: Unix time of what was restored; 0 if there was nothing or the file does not tell.
    saved_at: float = 0.0
    #: Why there is no report; empty if there is one.
    failure: str = ""

    @property
    def health(self) -> Health:
        """How it went."""
        return health_of_restore(self.report, self.failure)

    def newer_than(self, saved_at: float) -> set[str]:
        """The PVs that got a value here that is newer than that."""
        return set(self.report.restored) if self.saved_at > saved_at else set()

    def take_over(self, other: "Restored", channels: Mapping[str, ChannelData]) -> int:
        """PVs that were in another set until now bring their values along; tells how many."""
        moved = {name: other.kept[name] for name in self.report.unsaved if name in other.kept}
        steps = restore_steps(Snapshot(moved), {name: channels[name] for name in moved})
        done = {each.name for each in steps if each.reason is None}
        if done:
            self.report = replace(
                self.report,
                restored=(*self.report.restored, *done),
                unsaved=tuple(name for name in self.report.unsaved if name not in done),
            )
        return len(done)

    def give_back(self, name: str, channel: ChannelData) -> str | None:
        """A PV is there again: give it its value, if one was saved. None, or why it has none."""
        value = self.kept.get(name)
        try:
            if value is not None:
                restore_value(channel, value)
        except (AutosaveError, ChannelError) as error:
            return str(error)
        return None


async def restore_loaded(
    loaded: LoadResult,
    channels: Mapping[str, ChannelData],
    elsewhere: set[str],
    clock: Clock,
) -> Restored:
    """Restore PVs without running their putters.

    Args:
        loaded: from the file.
        channels: the PVs of the set.
        elsewhere: those of them that have a newer value from another set.
        clock: the async library.
    """
    snapshot = loaded.snapshot
    if snapshot is None:
        return Restored(RestoreReport(unsaved=tuple(channels), rejected=loaded.rejected))
    wanted = {name: channel for name, channel in channels.items() if name not in elsewhere}
    outcomes = await sliced(restore_steps(snapshot, wanted), clock)
    report = report_of(outcomes, snapshot, channels, path=loaded.path, rejected=loaded.rejected)
    kept = {name: value for name in report.missing if (value := snapshot.find(name)) is not None}
    return Restored(report, kept, snapshot.saved_at or 0.0)


async def put_saved(loaded: LoadResult, channels: Mapping[str, ChannelData]) -> RestoreReport:
    """Write saved values to PVs of a running IOC, in order, through their putters.

    PVs that the file does not have are left alone; what a putter refuses costs its PV alone.
    """
    snapshot = loaded.snapshot or Snapshot({})
    outcomes = []
    for name, channel in channels.items():
        value = snapshot.find(name)
        if value is None:
            continue
        try:
            await channel.write(fitting(channel, value))
        except Exception as error:  # a putter may raise what it likes
            outcomes.append(Outcome(name, str(error) or type(error).__name__))
        else:
            outcomes.append(Outcome(name, None))
    return report_of(outcomes, snapshot, channels, path=loaded.path, rejected=loaded.rejected)
