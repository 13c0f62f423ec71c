"""Which old save files to delete: a pure function over the files and the time."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

__all__ = ["RetentionPolicy", "StoredFile", "oldest_first", "plan", "probable_times"]

_DAY = 86400.0
# No save for so long is more often a clock that was set than a rest: ages from before it are not
# trusted, and so many files from before it stay whatever their age.
_GAP = 90 * _DAY
_BEFORE_GAP = 5


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
    #: Counts the saves, whatever the clock says; 0 if it is not known.
    serial: int = 0


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


def oldest_first(files: Iterable[StoredFile]) -> list[StoredFile]:
    """In the order of saving, whatever the clock was set to between two saves.

    What tells no serial (another format, or it cannot be read) goes by its time, behind
    the file that is next older by time. Of one time ``a_10.json`` comes after ``a_9.json``.
    """
    by_time = sorted(files, key=lambda file: (file.time, len(file.path.name), file.path.name))
    serials = []
    serial = 0
    for file in by_time:
        serial = file.serial or serial
        serials.append(serial)
    return [file for _, file in sorted(zip(serials, by_time, strict=True), key=lambda x: x[0])]


def probable_times(ordered: Sequence[StoredFile], now: float) -> list[float]:
    """Unix times of saving that can be true together; none is after ``now``.

    A file from the future was saved before the next one that is not (or before now), and no file
    was saved before the one that precedes it.

    Args:
        ordered: oldest first.
        now: Unix time.
    """
    times = []
    latest = now
    for file in reversed(ordered):
        latest = file.time if file.time <= now else latest
        times.append(latest)
    return list(accumulate(reversed(times), max))


def plan(
    files: Iterable[StoredFile],
    now: float,
    policy: RetentionPolicy,
    *,
    protected: Collection[Path] = (),
) -> list[StoredFile]:
    """The files to delete, oldest first.

    The newest good file and the protected ones are never among them; they count all the same.
    Where the clock was set between two saves, ages are those that can be true together, see
    `probable_times`. Of files from before a gap of more than 90 days (and of the greatest age)
    no age is known: the newest five of them stay as far as age is concerned.
    """
    everything = oldest_first(files)
    kept = {file.path for file in everything if file.path in protected}
    newest_good = next((file for file in reversed(everything) if file.good), None)
    if newest_good is not None:
        kept.add(newest_good.path)

    stay = list(everything)
    if policy.max_age is not None:
        stay = _young(everything, now, policy.max_age, kept)
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


def _young(
    ordered: list[StoredFile], now: float, max_age: float, kept: Collection[Path]
) -> list[StoredFile]:
    dated = list(zip(probable_times(ordered, now), ordered, strict=True))
    free = [(time, file) for time, file in dated if file.path not in kept]
    spared = set(kept) | _before_gap(free, now, max(_GAP, max_age))
    return [file for time, file in dated if file.path in spared or now - time <= max_age]


def _before_gap(dated: list[tuple[float, StoredFile]], now: float, gap: float) -> set[Path]:
    """The newest files from before the last gap."""
    after = now
    for index in range(len(dated), 0, -1):
        time, _ = dated[index - 1]
        if after - time > gap:
            return {file.path for _, file in dated[max(0, index - _BEFORE_GAP) : index]}
        after = time
    return set()


def _thin_days(files: list[StoredFile], max_files: int, kept: Collection[Path]) -> list[StoredFile]:
    days: defaultdict[float, list[StoredFile]] = defaultdict(list)
    for file in files:
        days[file.time // _DAY].append(file)
    left = {file.path for day in days.values() for file in _thin(day, max_files, kept)}
    return [file for file in files if file.path in left]


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
