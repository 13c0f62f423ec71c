"""Complete files only: content is written to a temporary file and synced before it gets a name."""

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path

from ioc_ops.autosave.files.filenames import FileNames
from ioc_ops.autosave.files.filesystem import FileSystem

__all__ = ["SafeWriter", "reason_of"]

# Where a file system has no hard links, or has too many to this file already.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EACCES}
# A temporary file of another process that is older than this belongs to nobody any more.
_STALE_SECONDS = 3600.0


class SafeWriter:
    """Writes temporary files beside a save file. Every method raises OSError as it comes."""

    def __init__(self, names: FileNames, file_system: FileSystem) -> None:
        self._names = names
        self._fs = file_system
        self._numbers = count(1)

    def write(self, pieces: Iterable[bytes]) -> tuple[Path, int]:
        """A new temporary file with this content, safely on disk, and its size in bytes."""
        descriptor, path = self._create()
        size = 0
        try:
            try:
                for piece in pieces:
                    view = memoryview(piece)
                    size += len(view)
                    while view:
                        view = view[self._fs.write(descriptor, view) :]
                self._fs.fsync(descriptor)
            finally:
                self._fs.close(descriptor)
        except OSError:
            self.discard(path)
            raise
        return path, size

    def give_name(self, path: Path, name: Path) -> None:
        """Give a file a second name, or a copy of it that name where there are no hard links.

        Raises:
            FileExistsError: the name is taken.
        """
        try:
            self._fs.link(path, name)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            try:
                self._fs.status(name)
            except OSError:
                self._copy(path, name)
            else:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None

    def _copy(self, source: Path, target: Path) -> None:
        """Complete from the first moment."""
        path, _ = self.write([self._fs.read(source)])
        try:
            self._fs.replace(path, target)
        except OSError:
            self.discard(path)
            raise

    def probe(self) -> None:
        """See whether files can be made at all."""
        descriptor, path = self._create()
        self._fs.close(descriptor)
        self.discard(path)

    def discard(self, path: Path) -> None:
        """Remove a temporary file if that is possible."""
        with suppress(OSError):
            self._fs.unlink(path)

    def remove_stale(self, now: float, *, alone: bool) -> None:
        """Remove what killed processes left.

        Args:
            now: Unix time.
            alone: whether it is certain that no other one is writing its own at this moment.
        """
        for file in self._fs.list(self._names.primary.parent):
            pid = self._names.pid_of_temporary(file.path)
            if pid is None:
                continue
            if alone or pid == os.getpid() or now - file.mtime > _STALE_SECONDS:
                self.discard(file.path)

    def make_directories(self, directory: Path) -> None:
        """Make a directory and those above it, where they are missing."""
        if self._fs.is_directory(directory):
            return
        if directory.parent != directory:
            self.make_directories(directory.parent)
        with suppress(FileExistsError):  # another IOC was faster, or it is a file: seen below
            self._fs.make_directory(directory)
        if not self._fs.is_directory(directory):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        self._fs.fsync_directory(directory.parent)

    def _create(self) -> tuple[int, Path]:
        while True:
            path = self._names.temporary(os.getpid(), next(self._numbers))
            try:
                return self._fs.create(path), path
            except FileExistsError:
                continue  # left by an earlier process of the same number


def reason_of(error: OSError) -> str:
    """What went wrong, in the words of the operating system."""
    return error.strerror or str(error)
