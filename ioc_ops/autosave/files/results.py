"""What saving and loading files tell of their work."""

from dataclasses import dataclass
from pathlib import Path

from ioc_ops.autosave.snapshot import Snapshot

__all__ = ["LoadResult", "RejectedFile", "SaveResult"]


@dataclass(frozen=True, slots=True)
class SaveResult:
    """A save that is on the disk."""

    path: Path
    #: Of the file, in bytes.
    size: int
    #: Under which name the state before is kept; None if there was none or it could not be kept.
    backup: Path | None
    #: Old files that were deleted.
    pruned: frozenset[Path]
    #: Dated generations there are now, the file itself not counted.
    generations: int
    #: What did not work beside the save itself, in words.
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A generation that could not be used."""

    path: Path
    reason: str
    #: Where it was put aside; None if it stayed where it was.
    moved_to: Path | None


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The newest generation that verifies, and those before it in the chain that did not."""

    snapshot: Snapshot | None
    #: The file of the snapshot.
    path: Path | None
    rejected: tuple[RejectedFile, ...]
    #: Dated generations there are.
    generations: int
    #: The highest serial of all of them, also of those that did not verify.
    highest_serial: int = 0
