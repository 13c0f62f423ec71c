"""Save files on disk: written safely, rotated into dated generations, loaded, put aside.

The order of operations is the whole point. A save writes a temporary file in the same directory
and fsyncs it, links the present file to its dated name, renames the temporary one over it and
fsyncs the directory. Between any two of these steps the directory holds a complete file under
the primary name, and what `save` returned for is on the disk. Nothing is deleted before that.
"""

import errno
import logging
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from ioc_ops.autosave.fileformat import loads
from ioc_ops.autosave.files.filenames import DATE_SUFFIX, FileNames
from ioc_ops.autosave.files.filesystem import FileSystem
from ioc_ops.autosave.files.lock import FileLock, InUseError
from ioc_ops.autosave.files.results import LoadResult, RejectedFile, SaveResult
from ioc_ops.autosave.files.retention import RetentionPolicy, StoredFile, plan
from ioc_ops.autosave.files.safewrite import SafeWriter, reason_of
from ioc_ops.autosave.files.savedfiles import SavedFiles, Survey
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.errors import AutosaveError, ConfigurationError, DefinitionError

__all__ = ["RotatingFileManager"]

_log = logging.getLogger(__name__)

_DAY = 86400.0
# What passes by itself, or when somebody makes room, must not keep an IOC from starting.
_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO}


class RotatingFileManager:
    """Save to one file, keeping dated copies of what it was before.

    The constructor touches no disk. No method but the constructor may be called in the event
    loop: all of them wait for the disk.
    """

    def __init__(
        self,
        filename: str | os.PathLike[str],
        *,
        max_files_per_day: int | None = 5,
        max_file_age: float | None = 30,
        date_suffix: str = DATE_SUFFIX,
        logger: logging.Logger | None = None,
        max_files: int | None = None,
        max_total_bytes: int | None = None,
        max_bad_files: int = 5,
        lock_timeout: float = 3.0,
        file_system: FileSystem | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Manage ``filename`` and its generations.

        Args:
            filename: the primary file; a relative path is relative to the directory at the start.
            max_files_per_day: dated copies that stay of each day (UTC); None keeps all. They are
                spread over the day.
            max_file_age: in days; older copies go. None keeps them for ever.
            date_suffix: what strftime puts between stem and suffix of a dated copy.
            logger: default is the logger of this module.
            max_files: dated copies that stay in all.
            max_total_bytes: that all dated copies may take.
            max_bad_files: files that did not verify and are kept aside.
            lock_timeout: seconds that `prepare` waits for another IOC, which may be about to end,
                to give the file free.
            file_system: for tests.
            clock: Unix time; for tests.

        Raises:
            DefinitionError: a limit makes no sense, or the suffix does not tell the day.
        """
        limits = (max_files_per_day, max_file_age, max_files, max_total_bytes, max_bad_files)
        if lock_timeout < 0 or any(limit is not None and limit <= 0 for limit in limits):
            raise DefinitionError(f"RotatingFileManager({str(filename)!r}): limits must be above 0")
        self.filename = Path(filename)
        self.max_files_per_day = max_files_per_day
        self.max_file_age = max_file_age
        self.date_suffix = date_suffix
        self.log = logger or _log
        self.max_files = max_files
        self.max_total_bytes = max_total_bytes
        self.max_bad_files = max_bad_files
        self.lock_timeout = lock_timeout
        #: Generations that pruning spares while this process runs, see `protect`.
        self.protected: set[Path] = set()
        #: Unix time.
        self.clock = clock
        self._fs = file_system or FileSystem()
        self._use(self.filename)

    def _use(self, primary: Path) -> None:
        """``primary`` is the save file, or what it is a symbolic link to."""
        names = FileNames(primary, self.date_suffix)
        self._primary = primary
        self._writer = SafeWriter(names, self._fs)
        self._files = SavedFiles(names, self._fs, self._writer, self.log)
        self._lock = FileLock(names.lock, self.filename, self._fs, self.log)

    # --- what caproto's class offers ---------------------------------------------------------

    @property
    def directory(self) -> Path:
        """The directory of the save file; from `prepare` on of what it is a symbolic link to."""
        return self._primary.parent

    @property
    def glob_string(self) -> str:
        """Matches the save file and its dated copies."""
        return f"{self._primary.stem}*{self._primary.suffix}"

    @property
    def files(self) -> dict[Path, datetime]:
        """The dated copies and when they were saved (local time), newest first."""
        return {file.path: datetime.fromtimestamp(file.time) for file in self._dated()}

    def _dated(self) -> list[StoredFile]:
        return self._files.survey().dated[::-1]

    @property
    def files_by_age(self) -> dict[timedelta, Path]:
        """The dated copies by their age, newest first; of one age, ages a microsecond apart."""
        by_age: dict[timedelta, Path] = {}
        now = self.clock()
        for file in self._dated():
            age = timedelta(seconds=now - file.time)
            while age in by_age:
                age += timedelta.resolution
            by_age[age] = file.path
        return by_age

    def prune_files(self) -> set[Path]:
        """Delete the dated copies that the limits do not allow; returns which were deleted."""
        return self._prune()[0]

    def rotate_in_file(self, fn: str | os.PathLike[str]) -> set[Path]:
        """Make a finished file the save file, keep the one before, prune.

        Returns:
            The old files that were deleted.

        Raises:
            AutosaveError: the file did not get into place; the save file is as it was.
        """
        source = Path(fn)
        try:
            self._fs.fsync_file(source)
            size = self._fs.status(source).size
        except OSError as error:
            raise AutosaveError(f"cannot use {source}: {reason_of(error)}") from error
        try:
            return set(self._rotate(source, size).pruned)
        except AutosaveError as error:
            if not isinstance(error.__cause__, OSError) or error.__cause__.errno != errno.EXDEV:
                raise
        # From another file system: a rename cannot bring it here, its content can be saved here.
        result = self.save([self._fs.read(source)])
        with suppress(OSError):
            self._fs.unlink(source)
        return set(result.pruned)

    # --- the life of a save file -------------------------------------------------------------

    def prepare(self) -> None:
        """Take the save file for this IOC alone, and see that files can be made beside it.

        Makes the directory if it is missing. If the save file is a symbolic link, what it stands
        for now is the save file from here on, and all others are made beside that. Where nothing
        can be locked, or the disk is full, that is logged, and the IOC can start.

        Raises:
            ConfigurationError: the directory cannot be used, or the file is in use by another
                IOC; one line that names the path.
        """
        try:
            primary = self._fs.follow(self.filename)
        except OSError as error:
            raise ConfigurationError(
                f"autosave: cannot follow the symbolic link {self.filename}: {reason_of(error)}"
            ) from error
        if primary != self._primary:
            self.close()
            self._use(primary)
        if self._fs.is_directory(self._primary):
            raise ConfigurationError(f"autosave: {self.filename} is a directory, not a file")
        try:
            self._writer.make_directories(self.directory)
        except OSError as error:
            raise ConfigurationError(
                f"autosave: cannot use the directory {self.directory}: {reason_of(error)}"
            ) from error
        try:
            self._lock.claim(self.lock_timeout)
        except InUseError as error:
            raise ConfigurationError(f"autosave: {error}") from error
        try:
            self._writer.remove_stale(self.clock(), alone=self._lock.held)
            self._writer.probe()
        except OSError as error:
            problem = f"cannot write to the directory {self.directory}: {reason_of(error)}"
            if error.errno not in _PASSING:
                self.close()
                raise ConfigurationError(f"autosave: {problem}") from error
            self.log.error("autosave: %s", problem)

    def close(self) -> None:
        """Let another IOC have the save file; no `save` may follow."""
        self._lock.release()

    def save(self, pieces: Iterable[bytes]) -> SaveResult:
        """Make these bytes the content of the save file, and return once they are on the disk.

        Raises:
            AutosaveError: they are not; the file is as it was, or (if only the last fsync failed)
                may be either.
        """
        self._lock.check()
        try:
            temporary, size = self._writer.write(pieces)
        except OSError as error:
            raise AutosaveError(f"cannot write to {self.directory}: {reason_of(error)}") from error
        try:
            return self._rotate(temporary, size)
        except AutosaveError:
            self._writer.discard(temporary)
            raise

    def load(self, parse: Callable[[bytes], Snapshot] = loads) -> LoadResult:
        """The newest generation that verifies: the save file, else its dated copies.

        What does not verify is put aside, so that the next save neither overwrites nor rotates
        it, and at most ``max_bad_files`` of these are kept. Until there is a save file again it
        counts as rejected. A file that cannot be read at all stays where it is.

        Args:
            parse: bytes to Snapshot, raising AutosaveError for anything that is none.
        """
        unusable: list[tuple[Path, str]] = []
        there = Survey()
        try:
            if self._fs.is_directory(self.directory):
                there = self._files.survey()
        except OSError as error:
            unusable.append((self.directory, reason_of(error)))
        highest = max((file.serial for file in [*there.chain, *there.bad]), default=0)
        snapshot = found = None
        for path in [self._primary, *(file.path for file in there.chain)]:
            try:
                snapshot = parse(self._read(path))
            except FileNotFoundError:
                continue
            except OSError as error:
                self._files.unreadable.add(path)
                unusable.append((path, reason_of(error)))
            except AutosaveError as error:
                self._files.bad.add(path)
                unusable.append((path, str(error)))
            else:
                found, highest = path, max(highest, snapshot.serial)
                break
        if found != self._primary and not self.exists():  # no save since these were put aside
            unusable += [(path, "put aside at an earlier start") for path in there.bad_after(found)]
        path_shown, rejected = found and self._public(found), self._rejected(unusable)
        return LoadResult(snapshot, path_shown, rejected, len(there.dated), highest)

    def _rejected(self, unusable: list[tuple[Path, str]]) -> tuple[RejectedFile, ...]:
        oldest_first = [path for path, _ in reversed(unusable) if path in self._files.bad]
        aside = self._files.put_aside(oldest_first, self.clock(), self.max_bad_files)
        return tuple(RejectedFile(self._public(p), why, aside.get(p)) for p, why in unusable)

    def read(self, path: Path, parse: Callable[[bytes], Snapshot] = loads) -> Snapshot:
        """One file as it is. Raises AutosaveError if it cannot be read or does not verify."""
        try:
            return parse(self._read(path))
        except OSError as error:
            raise AutosaveError(f"cannot read {path}: {reason_of(error)}") from error

    def exists(self) -> bool:
        """Whether the save file is there."""
        return self._files.exists(self._primary)

    def protect(self, path: Path) -> None:
        """Spare a generation from pruning, also over restarts, until `end_protection`.

        Meant for the one that was loaded when not all of it could be restored. It gets a second
        name, ``my.json.keep_<date>``, under which `load` finds it if all others are gone. Of
        several the oldest and the two newest stay. Where no second name can be given it is spared
        while this process runs; for the save file itself the protection then goes with its
        content, to the dated copy it will become.
        """
        path = self._primary if path == self.filename else path
        try:
            self._files.keep(path)
        except OSError as error:
            self.log.warning("autosave: cannot protect %s: %s", path, reason_of(error))
            self.protected.add(path)

    def end_protection(self) -> None:
        """Let go of what `protect` has kept: its values are all back."""
        self.protected.clear()
        try:
            self._files.end_keeping()
        except OSError as error:
            self.log.warning("autosave: cannot delete protected files: %s", reason_of(error))

    # --- steps -------------------------------------------------------------------------------

    def _public(self, path: Path) -> Path:
        return self.filename if path == self._primary else path

    def _rotate(self, finished: Path, size: int) -> SaveResult:
        warnings: list[str] = []
        backup = self._keep_present(warnings)
        try:
            self._fs.replace(finished, self._primary)
        except OSError as error:
            raise AutosaveError(f"cannot replace {self.filename}: {reason_of(error)}") from error
        self._files.bad.discard(self._primary)
        self._files.unreadable.discard(self._primary)
        try:
            self._fs.fsync_directory(self.directory)
        except OSError as error:
            raise AutosaveError(f"cannot sync {self.directory}: {reason_of(error)}") from error
        pruned: set[Path] = set()
        generations = 0
        try:
            pruned, generations = self._prune()
        except OSError as error:
            warnings.append(f"cannot list {self.directory}: {reason_of(error)}")
        return SaveResult(
            self.filename, size, backup, frozenset(pruned), generations, tuple(warnings)
        )

    def _keep_present(self, warnings: list[str]) -> Path | None:
        """Give the present file its dated name; that must not stop the save."""
        present = self._primary
        try:
            status = self._fs.status(present)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                warnings.append(f"cannot keep {present}: {reason_of(error)}")
            return None
        if present in self._files.bad:
            self._files.put_aside([present], self.clock(), self.max_bad_files)
            if present not in self._files.bad:
                return None
        try:
            backup = self._files.give_date(status)
        except OSError as error:
            warnings.append(f"cannot keep {present} under a dated name: {reason_of(error)}")
            return None
        if present in self.protected:
            self.protected.discard(present)
            self.protected.add(backup)
        # What could not be read this time may be the last good state.
        if present in self._files.unreadable:
            self.protect(backup)
        return backup

    def _prune(self) -> tuple[set[Path], int]:
        """What was deleted, and how many dated copies are left."""
        policy = RetentionPolicy(
            max_files_per_day=self.max_files_per_day,
            max_age=None if self.max_file_age is None else self.max_file_age * _DAY,
            max_files=self.max_files,
            max_total_bytes=self.max_total_bytes,
        )
        there = self._files.survey()
        protected = self.protected | there.spared
        pruned = set()
        for file in plan(there.dated, self.clock(), policy, protected=protected):
            try:
                self._fs.unlink(file.path)
            except FileNotFoundError:
                pass
            except OSError as error:
                self.log.warning("autosave: cannot delete %s: %s", file.path, reason_of(error))
                continue
            pruned.add(file.path)
        if pruned:
            self.log.debug("autosave: deleted %d old files of %s", len(pruned), self.filename)
        return pruned, len(there.dated) - len(pruned)

    def _read(self, path: Path) -> bytes:
        try:
            return self._fs.read(path)
        except FileNotFoundError:
            raise
        except OSError:
            # Once more: a stale NFS handle or a moment without descriptors must not cost a
            # generation.
            return self._fs.read(path)
