"""A disk in memory that crashes, loses power or fails at any chosen operation.

It knows what a real one promises: the content of a file is safe after its fsync, the names in a
directory after the fsync of the directory; a rename is atomic. All else may or may not have
happened when the power comes back.
"""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from ioc_ops.autosave.files.filesystem import FileStatus, FileSystem


class Crash(BaseException):
    """The process is gone; nothing in it may catch this."""


@dataclass
class Inode:
    """A file without its name."""

    content: bytes
    synced: bytes
    mtime: float


@dataclass(frozen=True)
class Rename:
    """A change of names: in one step these go and these come."""

    gone: tuple[Path, ...] = ()
    come: tuple[tuple[Path, int], ...] = ()

    def apply(self, names: dict[Path, int]) -> None:
        for path in self.gone:
            names.pop(path, None)
        names.update(self.come)


@dataclass
class FakeDisk(FileSystem):
    """One directory, ``/d``, that is there from the beginning."""

    inodes: dict[int, Inode] = field(default_factory=dict)
    names: dict[Path, int] = field(default_factory=dict)
    durable_names: dict[Path, int] = field(default_factory=dict)
    pending: list[Rename] = field(default_factory=list)
    directories: set[Path] = field(default_factory=lambda: {Path("/"), Path("/d")})
    #: Called with the number and name of each operation before it is done.
    before: Callable[[int, str], None] = lambda number, name: None
    clock: float = 1_000_000_000.0
    operations: list[str] = field(default_factory=list)
    links: bool = True
    #: Bytes that one write takes.
    write_size: int = 1 << 30

    # --- what happens to it ------------------------------------------------------------------

    def after_kill(self) -> "FakeDisk":
        """After SIGKILL: all that was asked for has happened."""
        return self._reborn(self.names, lambda inode: inode.content)

    def after_power_loss(self) -> Iterator["FakeDisk"]:
        """Every state in which the disk may come back."""
        for size in range(len(self.pending) + 1):
            for happened in combinations(self.pending, size):
                names = dict(self.durable_names)
                for rename in happened:
                    rename.apply(names)
                yield self._reborn(names, lambda inode: inode.synced)
                yield self._reborn(names, _half_of_what_was_not_synced)

    def _reborn(self, names: dict[Path, int], content: Callable[[Inode], bytes]) -> "FakeDisk":
        inodes = {
            number: Inode(content(inode), content(inode), inode.mtime)
            for number, inode in self.inodes.items()
            if number in names.values()
        }
        return FakeDisk(inodes, dict(names), dict(names), clock=self.clock, links=self.links)

    def content(self, path: Path | str) -> bytes:
        return self.inodes[self.names[Path(path)]].content

    def put(self, path: Path | str, content: bytes, mtime: float | None = None) -> None:
        """A file that is there already, safely."""
        number = max(self.inodes, default=0) + 1
        self.inodes[number] = Inode(content, content, self.clock if mtime is None else mtime)
        self.names[Path(path)] = self.durable_names[Path(path)] = number

    # --- the operations ----------------------------------------------------------------------

    def _step(self, name: str) -> None:
        self.operations.append(name)
        self.before(len(self.operations) - 1, name)

    def _number(self, path: Path) -> int:
        try:
            return self.names[path]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None

    def _rename(self, rename: Rename) -> None:
        rename.apply(self.names)
        self.pending.append(rename)

    def create(self, path: Path) -> int:
        self._step("create")
        if path in self.names:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        if path.parent not in self.directories:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        number = max(self.inodes, default=0) + 1
        self.inodes[number] = Inode(b"", b"", self.clock)
        self._rename(Rename(come=((path, number),)))
        return number

    def write(self, descriptor: int, data: memoryview) -> int:
        self._step("write")
        inode = self.inodes[descriptor]
        inode.content += bytes(data[: self.write_size])
        inode.mtime = self.clock
        return min(len(data), self.write_size)

    def fsync(self, descriptor: int) -> None:
        self._step("fsync")
        self.inodes[descriptor].synced = self.inodes[descriptor].content

    def close(self, descriptor: int) -> None:
        if descriptor >= 0:  # else a lock
            self._step("close")

    def fsync_file(self, path: Path) -> None:
        self.fsync(self._number(path))

    def fsync_directory(self, path: Path) -> None:
        self._step("fsync_directory")
        self.durable_names = dict(self.names)
        self.pending.clear()

    def link(self, source: Path, target: Path) -> None:
        self._step("link")
        if not self.links:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        number = self._number(source)
        if target in self.names:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        self._rename(Rename(come=((target, number),)))

    def replace(self, source: Path, target: Path) -> None:
        self._step("replace")
        number = self._number(source)
        if self.names.get(target) != number:  # POSIX: two names of one file stay as they are
            self._rename(Rename(gone=(source,), come=((target, number),)))

    def unlink(self, path: Path) -> None:
        self._step("unlink")
        self._number(path)
        self._rename(Rename(gone=(path,)))

    def make_directory(self, path: Path) -> None:
        self._step("make_directory")
        if path in self.directories or path in self.names:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        self.directories.add(path)

    def is_directory(self, path: Path) -> bool:
        return path in self.directories

    def status(self, path: Path) -> FileStatus:
        self._step("status")
        if path.name.endswith(".lock"):
            return FileStatus(path, 0, 0.0, (1, -1))
        return self._status(path, self._number(path))

    def _status(self, path: Path, number: int) -> FileStatus:
        inode = self.inodes[number]
        return FileStatus(path, len(inode.content), inode.mtime, (1, number))

    def list(self, directory: Path) -> list[FileStatus]:
        self._step("list")
        return [
            self._status(path, number)
            for path, number in self.names.items()
            if path.parent == directory
        ]

    def read(self, path: Path) -> bytes:
        self._step("read")
        return self.inodes[self._number(path)].content

    def read_head(self, path: Path, size: int) -> bytes:
        return self.read(path)[:size]

    def follow(self, path: Path) -> Path:
        return path

    def lock(self, path: Path) -> int:
        # Its holders die with each crash, and no two of them live at once.
        self._step("lock")
        return -1

    def overwrite(self, descriptor: int, data: bytes) -> None:
        self._step("overwrite")

    def identity(self, descriptor: int) -> tuple[int, int]:
        return (1, descriptor)


def _half_of_what_was_not_synced(inode: Inode) -> bytes:
    return inode.content[: (len(inode.synced) + len(inode.content)) // 2]
