"""What a helper has done so far, for status PVs and metrics."""

from collections import Counter
from dataclasses import dataclass, field

from ioc_ops.autosave.restore import RestoreReport

__all__ = ["AutosaveStats"]


@dataclass(slots=True)
class AutosaveStats:
    """Plain numbers, changed in the event loop; may be read from any thread."""

    #: Saves that are safely on disk.
    saves: int = 0
    #: Saves that failed, or that storage did not answer in time, by kind: the name of the error
    #: of the operating system (``ENOSPC``), ``timeout``, or ``other``.
    failures_by_kind: Counter[str] = field(default_factory=Counter)
    #: Unix time of the newest save on disk, also one of an earlier run; 0 if there is none.
    last_success: float = 0.0
    #: Seconds that the last save took.
    last_duration: float = 0.0
    #: Of the save file, in bytes.
    size: int = 0
    #: PVs and fields that are saved.
    pvs: int = 0
    #: PVs and fields that got their value back at the start.
    restored: int = 0
    #: PVs and fields whose saved value could not be given back at the start.
    restore_failures: int = 0
    #: Newer generations that could not be used, before the one that was restored.
    passed_over: int = 0
    #: Values of PVs that are not served now and are carried forward.
    carried: int = 0
    #: Dated generations on disk, the save file itself not counted.
    generations: int = 0
    #: Unix time at which changes were noticed that are not on disk; 0 if there are none.
    unsaved_since: float = 0.0
    #: Seconds that this may be ago before it is an alarm; 0 before the start.
    overdue: float = 0.0
    #: Whether storage is being waited for longer than it may take.
    hung: bool = False
    #: Why the last save failed; empty after one that did not.
    last_error: str = ""

    def count(self, report: RestoreReport, generations: int) -> None:
        """Note what a restore did, and how many dated generations there are."""
        self.restored = len(report.restored)
        unusable = len(report.rejected)
        # Files, but none usable: nobody knows what was in them.
        self.restore_failures = len(report.skipped) if report.path or not unusable else self.pvs
        self.passed_over = unusable if report.path else 0
        self.generations = generations

    @property
    def failures(self) -> int:
        """Saves that failed, of any kind."""
        return sum(list(self.failures_by_kind.values()))
