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
from itertools import count
from pathlib import Path

from ioc_ops.autosave.fileformat import loads
from ioc_ops.autosave.filenames import FileNames
from ioc_ops.autosave.filesystem import FileStatus, FileSystem
from ioc_ops.autosave.results import LoadResult, RejectedFile, SaveResult
from ioc_ops.autosave.retention import RetentionPolicy, StoredFile, plan
from ioc_ops.autosave.safewrite import SafeWriter, reason_of
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.errors import AutosaveError, ConfigurationError, DefinitionError

__all__ = ["RotatingFileManager"]

_log = logging.getLogger(__name__)

_DAY = 86400.0
# Where a file system has no hard links, or has too many to this file already.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EACCES}


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
        date_suffix: str = "_%Y%m%d-%H%M%S",
        logger: logging.Logger | None = None,
        max_files: int | None = None,
        max_total_bytes: int | None = None,
        max_bad_files: int = 5,
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
            file_system: for tests.
            clock: Unix time; for tests.

        Raises:
            DefinitionError: a limit is below 1, or the suffix does not tell the day.
        """
        limits = (max_files_per_day, max_file_age, max_files, max_total_bytes, max_bad_files)
        if any(limit is not None and limit <= 0 for limit in limits):
            raise DefinitionError(f"RotatingFileManager({str(filename)!r}): limits must be above 0")
        self.filename = Path(filename)
        self.max_files_per_day = max_files_per_day
        self.max_file_age = max_file_age
        self.date_suffix = date_suffix
        self.log = logger or _log
        self.max_files = max_files
        self.max_total_bytes = max_total_bytes
        self.max_bad_files = max_bad_files
        #: Generations that pruning spares, see `protect`.
        self.protected: set[Path] = set()
        self._names = FileNames(self.filename, date_suffix)
        self._fs = file_system or FileSystem()
        #: Unix time.
        self.clock = clock
        self._writer = SafeWriter(self._names, self._fs)
        self._bad: set[Path] = set()
        self._unreadable: set[Path] = set()

    # --- what caproto's class offers ---------------------------------------------------------

    @property
    def directory(self) -> Path:
        """The directory of the save file."""
        return self.filename.parent

    @property
    def glob_string(self) -> str:
        """Matches the save file and its dated copies."""
        return f"{self.filename.stem}*{self.filename.suffix}"

    @property
    def files(self) -> dict[Path, datetime]:
        """The dated copies and when they were saved (local time), newest first."""
        return {file.path: datetime.fromtimestamp(file.time) for file in self._generations()}

    @property
    def files_by_age(self) -> dict[timedelta, Path]:
        """The dated copies by their age, newest first; of one age, ages a microsecond apart."""
        by_age: dict[timedelta, Path] = {}
        now = self.clock()
        for file in self._generations():
            age = timedelta(seconds=now - file.time)
            while age in by_age:
                age += timedelta.resolution
            by_age[age] = file.path
        return by_age

    def prune_files(self) -> set[Path]:
        """Delete the dated copies that the limits do not allow; returns which were deleted."""
        policy = RetentionPolicy(
            max_files_per_day=self.max_files_per_day,
            max_age=None if self.max_file_age is None else self.max_file_age * _DAY,
            max_files=self.max_files,
            max_total_bytes=self.max_total_bytes,
        )
        pruned = set()
        for file in plan(self._generations(), self.clock(), policy, protected=self.protected):
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
        return pruned

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
        """Make the directory if it is missing, and see that files can be made in it.

        Raises:
            ConfigurationError: they cannot; one line that names the path.
        """
        if self._fs.is_directory(self.filename):
            raise ConfigurationError(f"autosave: {self.filename} is a directory, not a file")
        try:
            self._writer.make_directories(self.directory)
        except OSError as error:
            raise ConfigurationError(
                f"autosave: cannot use the directory {self.directory}: {reason_of(error)}"
            ) from error
        try:
            self._writer.probe()
            self._writer.remove_stale(self.clock())
        except OSError as error:
            raise ConfigurationError(
                f"autosave: cannot write to the directory {self.directory}: {reason_of(error)}"
            ) from error

    def save(self, pieces: Iterable[bytes]) -> SaveResult:
        """Make these bytes the content of the save file, and return once they are on the disk.

        Raises:
            AutosaveError: they are not; the file is as it was, or (if only the last fsync failed)
                may be either.
        """
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
        it, and at most ``max_bad_files`` of these are kept. A file that cannot be read at all
        stays where it is.

        Args:
            parse: bytes to Snapshot, raising AutosaveError for anything that is none.
        """
        rejected: list[RejectedFile] = []
        generations: list[StoredFile] = []
        try:
            if self._fs.is_directory(self.directory):
                generations = self._generations()
        except OSError as error:
            rejected.append(RejectedFile(self.directory, reason_of(error), None))
        for path in [self.filename, *(file.path for file in generations)]:
            try:
                snapshot = parse(self._read(path))
            except FileNotFoundError:
                continue
            except OSError as error:
                self._unreadable.add(path)
                rejected.append(RejectedFile(path, reason_of(error), None))
            except AutosaveError as error:
                self._bad.add(path)
                rejected.append(RejectedFile(path, str(error), self._put_aside(path)))
            else:
                return LoadResult(snapshot, path, tuple(rejected), len(generations))
        return LoadResult(None, None, tuple(rejected), len(generations))

    def read(self, path: Path, parse: Callable[[bytes], Snapshot] = loads) -> Snapshot:
        """One file as it is. Raises AutosaveError if it cannot be read or does not verify."""
        try:
            return parse(self._read(path))
        except OSError as error:
            raise AutosaveError(f"cannot read {path}: {reason_of(error)}") from error

    def exists(self) -> bool:
        """Whether the save file is there."""
        return self._exists(self.filename)

    def protect(self, path: Path) -> None:
        """Spare a generation from pruning while this process runs.

        Meant for the one that was loaded when not all of it could be restored. For the save
        file itself the protection goes with its content, to the dated copy it will become.
        """
        self.protected.add(path)

    # --- steps -------------------------------------------------------------------------------

    def _rotate(self, finished: Path, size: int) -> SaveResult:
        warnings: list[str] = []
        backup = self._keep_present(warnings)
        try:
            self._fs.replace(finished, self.filename)
        except OSError as error:
            raise AutosaveError(f"cannot replace {self.filename}: {reason_of(error)}") from error
        self._bad.discard(self.filename)
        self._unreadable.discard(self.filename)
        try:
            self._fs.fsync_directory(self.directory)
        except OSError as error:
            raise AutosaveError(f"cannot sync {self.directory}: {reason_of(error)}") from error
        pruned: set[Path] = set()
        generations = 0
        try:
            pruned = self.prune_files()
            generations = len(self._generations())
        except OSError as error:
            warnings.append(f"cannot list {self.directory}: {reason_of(error)}")
        return SaveResult(
            self.filename, size, backup, frozenset(pruned), generations, tuple(warnings)
        )

    def _keep_present(self, warnings: list[str]) -> Path | None:
        """Give the present file its dated name; that must not stop the save."""
        present = self.filename
        try:
            status = self._fs.status(present)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                warnings.append(f"cannot keep {present}: {reason_of(error)}")
            return None
        if present in self._bad and self._put_aside(present) is not None:
            return None
        try:
            backup = self._link_to_date(status)
        except OSError as error:
            warnings.append(f"cannot keep {present} under a dated name: {reason_of(error)}")
            return None
        # What could not be read this time may be the last good state.
        if present in self.protected | self._unreadable:
            self.protected.discard(present)
            self.protected.add(backup)
        return backup

    def _link_to_date(self, status: FileStatus) -> Path:
        for number in count(1):
            dated = self._names.dated(status.mtime, number)
            try:
                self._fs.link(status.path, dated)
            except FileExistsError:
                # After a crash between link and rename the name is there already.
                if self._fs.status(dated).identity == status.identity:
                    return dated
                continue
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                if self._exists(dated):
                    continue
                self._writer.copy(status.path, dated)
            return dated
        raise AssertionError  # count() has no end

    def _put_aside(self, path: Path) -> Path | None:
        """Rename a bad file to a name that shows it; None if that fails."""
        try:
            bad = next(
                name
                for number in count(1)
                if not self._exists(name := self._names.bad(self.clock(), number))
            )
            self._fs.replace(path, bad)
            self._bad.discard(path)
            aside = sorted(
                (file for file in self._fs.list(self.directory) if self._names.is_bad(file.path)),
                key=lambda file: file.path.name,
            )
            for file in aside[: -self.max_bad_files]:
                self._fs.unlink(file.path)
        except OSError as error:
            self.log.warning("autosave: cannot put %s aside: %s", path, reason_of(error))
            return bad if self._exists(bad) else None
        return bad

    def _generations(self) -> list[StoredFile]:
        """The dated copies, newest first."""
        unusable = self._bad | self._unreadable
        found = [
            StoredFile(file.path, saved_at, file.size, file.path not in unusable)
            for file in self._fs.list(self.directory)
            if (saved_at := self._names.time_of(file.path, file.mtime)) is not None
        ]
        return sorted(found, key=lambda file: file.order, reverse=True)

    def _read(self, path: Path) -> bytes:
        try:
            return self._fs.read(path)
        except FileNotFoundError:
            raise
        except OSError:
            # Once more: a stale NFS handle or a moment without descriptors must not cost a
            # generation.
            return self._fs.read(path)

    def _exists(self, path: Path) -> bool:
        try:
            self._fs.status(path)
        except OSError:
            return False
        return True
