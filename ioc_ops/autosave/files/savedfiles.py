"""The files beside a save file: dated generations, bad and protected ones. Who bears which name."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from ioc_ops.autosave.fileformat import HEAD_SIZE, serial_of
from ioc_ops.autosave.files.filenames import FileNames
from ioc_ops.autosave.files.filesystem import FileStatus, FileSystem
from ioc_ops.autosave.files.retention import StoredFile, oldest_first
from ioc_ops.autosave.files.safewrite import SafeWriter, reason_of

__all__ = ["SavedFiles", "Survey"]

# The state before the trouble began, and the two newest that could not be restored completely.
_MAX_KEPT = 3

_Key = tuple[tuple[int, int], float, int]


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is beside a save file; each list oldest first."""

    #: The dated copies.
    dated: list[StoredFile] = field(default_factory=list)
    #: The protected ones.
    kept: list[StoredFile] = field(default_factory=list)
    #: Those that did not verify at an earlier start.
    bad: list[StoredFile] = field(default_factory=list)
    #: Of the dated copies those that are protected ones under another name.
    spared: set[Path] = field(default_factory=set)

    @property
    def chain(self) -> list[StoredFile]:
        """All of them, newest first: what to try where the save file cannot be used."""
        return oldest_first([*self.dated, *self.kept])[::-1]

    def bad_after(self, path: Path | None) -> list[Path]:
        """The bad ones that are newer than one of the chain, newest first; all for None."""
        paths = [file.path for file in oldest_first([*self.bad, *self.dated, *self.kept])[::-1]]
        newer = paths[: paths.index(path)] if path is not None else paths
        bad = {file.path for file in self.bad}
        return [each for each in newer if each in bad]


class SavedFiles:
    """Names in a save directory are given and taken here. Every method waits for the disk."""

    def __init__(
        self, names: FileNames, file_system: FileSystem, writer: SafeWriter, log: logging.Logger
    ) -> None:
        """Touch no disk."""
        self.names = names
        #: Known not to verify.
        self.bad: set[Path] = set()
        #: Known not to be readable; what is in them is not known.
        self.unreadable: set[Path] = set()
        self._fs = file_system
        self._writer = writer
        self._log = log
        # A file is read for this once only; a new one may get the number of a deleted one.
        self._serials: dict[_Key, int] = {}

    # --- what there is -----------------------------------------------------------------------

    def survey(self) -> "Survey":
        """Look into the directory; raises OSError."""
        files = self._fs.list(self.names.primary.parent)
        keeping = [file for file in files if self.names.is_kept(file.path)]
        identities = {file.identity for file in keeping}
        dated: list[StoredFile] = []
        spared: set[Path] = set()
        for file in files:
            saved_at = self.names.time_of(file.path, file.mtime)
            if saved_at is not None:
                dated.append(self._stored(file, saved_at))
                if file.identity in identities:
                    spared.add(file.path)
        kept = [self._stored(file, file.mtime) for file in keeping]
        for key in self._serials.keys() - {_key(file) for file in files}:
            del self._serials[key]
        bad = [self._stored(file, file.mtime) for file in files if self.names.is_bad(file.path)]
        return Survey(oldest_first(dated), oldest_first(kept), oldest_first(bad), spared)

    def _stored(self, file: FileStatus, saved_at: float) -> StoredFile:
        good = file.path not in self.bad | self.unreadable
        return StoredFile(file.path, saved_at, file.size, good, self._serial_of(file))

    def _serial_of(self, file: FileStatus) -> int:
        key = _key(file)
        if key not in self._serials:
            try:
                self._serials[key] = serial_of(self._fs.read_head(file.path, HEAD_SIZE))
            except OSError:
                return 0
        return self._serials[key]

    def exists(self, path: Path) -> bool:
        """Whether there is a regular file of this name."""
        try:
            self._fs.status(path)
        except OSError:
            return False
        return True

    # --- names that are given and taken ------------------------------------------------------

    def give_date(self, status: FileStatus) -> Path:
        """Give the save file a dated name as well; raises OSError."""
        return self._second_name(status, self.names.dated)

    def keep(self, path: Path) -> None:
        """Give a generation a name that nothing is deleted under until `end_keeping`.

        It outlives the process. Raises OSError.
        """
        status = self._fs.status(path)
        if any(self._is_same(status, file) for file in self.survey().kept):
            return
        self._second_name(status, self.names.kept)
        self._fs.fsync_directory(path.parent)
        _, *middle = self.survey().kept
        for file in middle[: 1 - _MAX_KEPT]:
            self._fs.unlink(file.path)

    def _is_same(self, status: FileStatus, kept: StoredFile) -> bool:
        if self._fs.status(kept.path).identity == status.identity:
            return True
        # Without hard links it is a copy.
        alike = kept.size == status.size and kept.serial == self._serial_of(status)
        return alike and self._fs.read(kept.path) == self._fs.read(status.path)

    def end_keeping(self) -> None:
        """Delete the protected copies; raises OSError."""
        for file in self.survey().kept:
            self._fs.unlink(file.path)

    def _second_name(self, status: FileStatus, name_of: Callable[[float, int], Path]) -> Path:
        for number in count(1):
            name = name_of(status.mtime, number)
            try:
                self._writer.give_name(status.path, name)
            except FileExistsError:
                # After a crash between link and rename the name is there already.
                if self._fs.status(name).identity == status.identity:
                    return name
                continue
            except OSError:
                if status.path not in self.unreadable or self.exists(name):
                    raise
                # What another user alone may read is neither linked nor copied. It can be renamed.
                self._fs.replace(status.path, name)
            return name
        raise AssertionError  # count() has no end

    def put_aside(self, paths: Sequence[Path], now: float, max_bad: int) -> dict[Path, Path]:
        """Rename bad files, given oldest first, to names that show it; tells those that stay."""
        renamed: dict[Path, Path] = {}
        if not paths:
            return renamed
        for path in paths:
            try:
                bad = self._next_bad(now)
                self._fs.replace(path, bad)
            except OSError as error:
                self._log.warning("autosave: cannot put %s aside: %s", path, reason_of(error))
            else:
                self.bad.discard(path)
                renamed[path] = bad
        try:
            for bad in self._put_aside()[:-max_bad]:
                self._fs.unlink(bad)
        except OSError as error:
            self._log.warning("autosave: cannot delete old bad files: %s", reason_of(error))
        return {path: bad for path, bad in renamed.items() if self.exists(bad)}

    def _next_bad(self, now: float) -> Path:
        """Behind all that were put aside in that second, those included that are deleted since."""
        number = 1
        for bad in self._put_aside():
            date, other = self.names.bad_order(bad)
            if date == self.names.bad_order(self.names.bad(now))[0]:
                number = other + 1
        return self.names.bad(now, number)

    def _put_aside(self) -> list[Path]:
        """The bad files, oldest first."""
        directory = self.names.primary.parent
        there = (file.path for file in self._fs.list(directory) if self.names.is_bad(file.path))
        return sorted(there, key=self.names.bad_order)


def _key(file: FileStatus) -> _Key:
    return file.identity, file.mtime, file.size
