"""Which old save files to delete: a pure function over the files and the time."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["RetentionPolicy", "StoredFile", "plan"]

_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A dated save file in the directory."""

    path: Path
    #: Unix time at which its state was saved.
    time: float
    #: In bytes.
    size: int
    #: False if it is known not to verify.
    good: bool = True

    @property
    def order(self) -> tuple[float, int, str]:
        """Sorts by age, oldest first; of one time ``a_10.json`` comes after ``a_9.json``."""
        return self.time, len(self.path.name), self.path.name


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """What may stay; None means without limit."""

    #: Files per day (UTC). The newest and the first of a day and those between them that leave the
    #: smallest gaps stay, so that some history of the whole day is there, not of its last minutes.
    max_files_per_day: int | None = 5
    #: In seconds.
    max_age: float | None = 30 * _DAY
    #: All files together, newest first.
    max_files: int | None = None
    #: All files together, in bytes, newest first.
    max_total_bytes: int | None = None


def plan(
    files: Iterable[StoredFile],
    now: float,
    policy: RetentionPolicy,
    *,
    protected: Collection[Path] = (),
) -> list[StoredFile]:
    """The files to delete, oldest first.

    The newest good file and the protected ones are never among them; they count all the same.
    A file from the future (the clock was set back) has no age yet, and goes like any other when
    there are too many.
    """
    stay = sorted(files, key=lambda file: file.order)
    kept = {file.path for file in stay if file.path in protected}
    newest_good = next((file for file in reversed(stay) if file.good), None)
    if newest_good is not None:
        kept.add(newest_good.path)
    everything = list(stay)

    if policy.max_age is not None:
        stay = [f for f in stay if f.path in kept or now - f.time <= policy.max_age]
    if policy.max_files_per_day is not None:
        stay = _thin_days(stay, policy.max_files_per_day, kept)
    if policy.max_files is not None:
        excess = len(stay) - policy.max_files
        for file in [f for f in stay if f.path not in kept][: max(0, excess)]:
            stay.remove(file)
    if policy.max_total_bytes is not None:
        total = sum(file.size for file in stay)
        for file in [f for f in stay if f.path not in kept]:
            if total <= policy.max_total_bytes:
                break
            stay.remove(file)
            total -= file.size

    staying = {file.path for file in stay}
    return [file for file in everything if file.path not in staying]


def _thin_days(files: list[StoredFile], max_files: int, kept: Collection[Path]) -> list[StoredFile]:
    days: defaultdict[float, list[StoredFile]] = defaultdict(list)
    for file in files:
        days[file.time // _DAY].append(file)
    return [file for day in days.values() for file in _thin(day, max_files, kept)]


def _thin(day: list[StoredFile], max_files: int, kept: Collection[Path]) -> list[StoredFile]:
    """Drop files of one day, time after time the one whose loss leaves the smallest gap."""
    day = list(day)
    while len(day) > max(0, max_files):
        gaps = [
            (after.time - before.time, index)
            for index, (before, after) in enumerate(zip(day, day[2:], strict=False), start=1)
            if day[index].path not in kept
        ]
        # No file in between may go: then the oldest that may.
        index = (
            min(gaps)[1]
            if gaps and len(day) > 2 and max_files > 1
            else next((i for i, file in enumerate(day) if file.path not in kept), -1)
        )
        if index < 0:
            break
        del day[index]
    return day
