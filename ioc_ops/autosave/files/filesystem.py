"""The file operations that saving needs, one method each.

This is the seam where tests let storage fail, hang or crash between any two operations: nothing
else touches the disk where values are saved and restored. Request files, and files that commands
read, are read without it.
"""

import errno
import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FileStatus", "FileSystem"]


@dataclass(frozen=True, slots=True)
class FileStatus:
    """One entry of a directory that is a regular file (or a link to one)."""

    path: Path
    #: In bytes.
    size: int
    #: Unix time of the last change of its content.
    mtime: float
    #: Tells whether two names are the same file.
    identity: tuple[int, int]


class FileSystem:
    """The real one. Every method raises OSError as the system call does."""

    # Group-writable like the files of synApps autosave (0664), less the umask: operators of one
    # group can move and repair each other's files.
    MODE = 0o664

    def create(self, path: Path) -> int:
        """A descriptor of a new, empty file; FileExistsError if there is one."""
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, self.MODE)

    def write(self, descriptor: int, data: memoryview) -> int:
        """Write some of the data; returns how many bytes."""
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        """Return once the content is on the disk itself."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close a descriptor; a network file system may report a failed write only here."""
        os.close(descriptor)

    def fsync_file(self, path: Path) -> None:
        """As `fsync`, for a file that somebody else wrote."""
        self._fsync_path(path, os.O_RDONLY)

    def fsync_directory(self, path: Path) -> None:
        """Return once the names in a directory are on the disk itself."""
        self._fsync_path(path, os.O_RDONLY | os.O_DIRECTORY)

    def _fsync_path(self, path: Path, flags: int) -> None:
        descriptor = os.open(path, flags | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def link(self, source: Path, target: Path) -> None:
        """Give a file a second name; FileExistsError if the name is taken."""
        os.link(source, target)

    def replace(self, source: Path, target: Path) -> None:
        """Rename, over what bears the name; atomic."""
        os.replace(source, target)

    def unlink(self, path: Path) -> None:
        """Remove a name."""
        os.unlink(path)

    def make_directory(self, path: Path) -> None:
        """Make one directory; FileExistsError if the name is taken."""
        os.mkdir(path)

    def is_directory(self, path: Path) -> bool:
        """False also where there is nothing."""
        return path.is_dir()

    def status(self, path: Path) -> FileStatus:
        """Size and time of a file."""
        return _file_status(path, path.stat())

    def list(self, directory: Path) -> Sequence[FileStatus]:
        """The regular files in a directory, in no order; one that just vanished is left out."""
        found = []
        with os.scandir(directory) as entries:
            for entry in entries:
                try:
                    if entry.is_file():
                        found.append(_file_status(directory / entry.name, entry.stat()))
                except FileNotFoundError:
                    continue
        return found

    def read(self, path: Path) -> bytes:
        """All of a file."""
        return path.read_bytes()

    def read_head(self, path: Path, size: int) -> bytes:
        """The first bytes of a file, at most ``size``."""
        with path.open("rb", buffering=0) as file:
            return file.read(size)

    def follow(self, path: Path) -> Path:
        """What a symbolic link stands for, be it there or not; any other path as it is."""
        if not path.is_symlink():
            return path
        target = Path(os.path.realpath(path))
        if target.is_symlink():  # it leads in a circle
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        return target

    def lock(self, path: Path) -> int:
        """A descriptor of a file that is locked as long as the descriptor is open.

        The file is made if it is missing. BlockingIOError if the lock is another's.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, self.MODE)
        except PermissionError as error:
            # Made by another user, once: most file systems lock what can only be read as well.
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                raise error from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def overwrite(self, descriptor: int, data: bytes) -> None:
        """Replace the content of an open file."""
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, data, 0)

    def identity(self, descriptor: int) -> tuple[int, int]:
        """Tells whether an open file is the same as a `FileStatus`."""
        status = os.fstat(descriptor)
        return status.st_dev, status.st_ino


def _file_status(path: Path, status: os.stat_result) -> FileStatus:
    return FileStatus(path, status.st_size, status.st_mtime, (status.st_dev, status.st_ino))
