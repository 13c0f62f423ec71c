"""A record of file operations, and every state in which a disk may come back from a crash in it.

Pure. The record comes from `Recorder`, which stands between autosave and a file system, or from
strace, which sees what really was asked of the kernel (`steps_of_strace`).

What a journalling file system owes: the content of a file after its fsync, the names in a
directory after the fsync of the directory. Everything else may be lost, whatever came later may
be there: each change of names by itself, and of the content that was not synced nothing, a part,
all of it, or zeros.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from ioc_ops.autosave.files.filesystem import FileStatus, FileSystem

# Of this many pending changes of names every subset is tried; of more those that lack or hold two.
_ALL_SUBSETS = 6


@dataclass(frozen=True)
class Step:
    """One operation that was done, or a word of the process (`told`)."""

    kind: str
    path: str = ""
    other: str = ""
    #: Files by the order in which they were made, as names change.
    file: int = 0
    data: bytes = b""

    def __repr__(self) -> str:
        what = f"{self.data[:20]!r}..." if self.kind == "write" else f"{self.path} {self.other}"
        return f"{self.kind} {self.file or ''} {what}".rstrip()


@dataclass(frozen=True)
class Content:
    """Of one file: what is there, and what was there at its last fsync."""

    now: bytes = b""
    synced: bytes = b""


Files = dict[str, bytes]
Change = tuple[tuple[str, ...], tuple[tuple[str, int], ...]]


@dataclass
class Disk:
    """The state after some steps."""

    names: dict[str, int] = field(default_factory=dict)
    synced_names: dict[str, int] = field(default_factory=dict)
    pending: list[Change] = field(default_factory=list)
    contents: dict[int, Content] = field(default_factory=dict)

    def do(self, step: Step) -> None:
        match step.kind:
            case "create":
                self.contents[step.file] = Content()
                self._change((), ((step.path, step.file),))
            case "write":
                old = self.contents[step.file]
                self.contents[step.file] = Content(old.now + step.data, old.synced)
            case "truncate":
                self.contents[step.file] = Content(b"", self.contents[step.file].synced)
            case "sync":
                now = self.contents[step.file].now
                self.contents[step.file] = Content(now, now)
            case "sync names":
                self.synced_names = dict(self.names)
                self.pending.clear()
            case "link":
                self._change((), ((step.other, self.names[step.path]),))
            case "rename":
                self._change((step.path,), ((step.other, self.names[step.path]),))
            case "unlink":
                self._change((step.path,), ())
            case "told":
                pass
            case _:
                raise AssertionError(step)

    def _change(self, gone: tuple[str, ...], come: tuple[tuple[str, int], ...]) -> None:
        _apply(self.names, (gone, come))
        self.pending.append((gone, come))

    def after_kill(self) -> Files:
        return {name: self.contents[number].now for name, number in self.names.items()}

    def after_power_loss(self) -> Iterator[Files]:
        for happened in _subsets(self.pending):
            names = dict(self.synced_names)
            for change in happened:
                _apply(names, change)
            for what_is_left in _LEFT:
                yield {name: what_is_left(self.contents[n]) for name, n in names.items()}


def _apply(names: dict[str, int], change: Change) -> None:
    for name in change[0]:
        names.pop(name, None)
    names.update(change[1])


def _subsets(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    count = len(changes)
    sizes = range(count + 1)
    for size in sizes if count <= _ALL_SUBSETS else [s for s in sizes if s <= 2 or s >= count - 2]:
        yield from combinations(changes, size)
    if count > _ALL_SUBSETS:
        yield from (changes[:size] for size in sizes)


_LEFT: Sequence[Callable[[Content], bytes]] = [
    lambda content: content.synced,
    lambda content: content.now,
    lambda content: content.now[: (len(content.synced) + len(content.now)) // 2],
    lambda content: content.synced + bytes(max(0, len(content.now) - len(content.synced))),
]


def crashes(steps: Sequence[Step]) -> Iterator[tuple[int, Disk]]:
    """The disk before the first step, after the first, and so on; with the number of steps."""
    disk = Disk()
    yield 0, disk
    for number, step in enumerate(steps, start=1):
        disk.do(step)
        yield number, disk


# --- a record from within -------------------------------------------------------------------


class Recorder(FileSystem):
    """Passes everything on, and takes down what has been done to files of one directory."""

    def __init__(self, inner: FileSystem) -> None:
        self.inner = inner
        self.steps: list[Step] = []
        self._files: dict[str, int] = {}
        self._open: dict[int, int] = {}
        self._made = 0

    def tell(self, word: str) -> None:
        """A word of the process, for those who look at its record."""
        self.steps.append(Step("told", data=word.encode()))

    def _create(self, path: Path, descriptor: int) -> None:
        self._made += 1
        self._files[str(path)] = self._open[descriptor] = self._made
        self.steps.append(Step("create", str(path), file=self._made))

    def create(self, path: Path) -> int:
        descriptor = self.inner.create(path)
        self._create(path, descriptor)
        return descriptor

    def write(self, descriptor: int, data: memoryview) -> int:
        count = self.inner.write(descriptor, data)
        file = self._open[descriptor]
        self.steps.append(Step("write", file=file, data=bytes(data[:count])))
        return count

    def fsync(self, descriptor: int) -> None:
        self.inner.fsync(descriptor)
        self.steps.append(Step("sync", file=self._open[descriptor]))

    def close(self, descriptor: int) -> None:
        self._open.pop(descriptor, None)
        self.inner.close(descriptor)

    def fsync_file(self, path: Path) -> None:
        self.inner.fsync_file(path)
        self.steps.append(Step("sync", file=self._files[str(path)]))

    def fsync_directory(self, path: Path) -> None:
        self.inner.fsync_directory(path)
        self.steps.append(Step("sync names", str(path)))

    def link(self, source: Path, target: Path) -> None:
        self.inner.link(source, target)
        self._files[str(target)] = self._files[str(source)]
        self.steps.append(Step("link", str(source), str(target)))

    def replace(self, source: Path, target: Path) -> None:
        self.inner.replace(source, target)
        self._files[str(target)] = self._files.pop(str(source))
        self.steps.append(Step("rename", str(source), str(target)))

    def unlink(self, path: Path) -> None:
        self.inner.unlink(path)
        del self._files[str(path)]
        self.steps.append(Step("unlink", str(path)))

    def make_directory(self, path: Path) -> None:
        self.inner.make_directory(path)

    def is_directory(self, path: Path) -> bool:
        return self.inner.is_directory(path)

    def status(self, path: Path) -> FileStatus:
        return self.inner.status(path)

    def list(self, directory: Path) -> Sequence[FileStatus]:
        return self.inner.list(directory)

    def read(self, path: Path) -> bytes:
        return self.inner.read(path)

    def read_head(self, path: Path, size: int) -> bytes:
        return self.inner.read_head(path, size)

    def follow(self, path: Path) -> Path:
        return self.inner.follow(path)

    def lock(self, path: Path) -> int:
        descriptor = self.inner.lock(path)
        if str(path) not in self._files:
            self._create(path, descriptor)
        self._open[descriptor] = self._files[str(path)]
        return descriptor

    def overwrite(self, descriptor: int, data: bytes) -> None:
        self.inner.overwrite(descriptor, data)
        file = self._open[descriptor]
        self.steps += [Step("truncate", file=file), Step("write", file=file, data=data)]

    def identity(self, descriptor: int) -> tuple[int, int]:
        return self.inner.identity(descriptor)


# --- a record from outside ------------------------------------------------------------------

#: What strace is to look at: all that changes files or names.
CALLS = (
    "open,openat,creat,close,dup,dup2,dup3,write,pwrite64,writev,pwritev,truncate,ftruncate,"
    "fallocate,fsync,fdatasync,sync,syncfs,link,linkat,symlink,symlinkat,rename,renameat,"
    "renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,sendfile,copy_file_range,mmap"
)
_CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def steps_of_strace(text: str, directory: Path) -> list[Step]:
    """The record in the output of ``strace -f -xx``, as far as it concerns one directory.

    What the process writes to its stdout are its words. A call that changes files in another
    way than those known here is an error, and so is one of another process or thread.
    """
    steps: list[Step] = []
    files: dict[str, int] = {}
    opened: dict[int, int | str] = {}
    made = 0
    process = ""
    for line in text.splitlines():
        match = _CALL.match(line)
        if match is None:
            continue
        call, arguments, returned = match[2], match[3], int(match[4], 0)
        strings = [bytes.fromhex(t.replace("\\x", "")) for t in _TEXT.findall(arguments)]
        first = arguments.split(",")[0]
        descriptor = int(first) if first.isdigit() else -1
        concerns = any(string.startswith(str(directory).encode()) for string in strings)
        process = process or match[1]
        if match[1] != process:
            assert not concerns, line
            continue
        if returned < 0:
            continue
        if call == "close":
            opened.pop(descriptor, None)
        elif call in ("write", "pwrite64") and descriptor == 1:
            steps.append(Step("told", data=strings[0].strip()))
        elif call in ("write", "pwrite64") and descriptor in opened:
            file = opened[descriptor]
            assert isinstance(file, int)
            steps.append(Step("write", file=file, data=strings[0][:returned]))
        elif call == "ftruncate" and descriptor in opened:
            assert arguments.endswith(", 0")
            file = opened[descriptor]
            assert isinstance(file, int)
            steps.append(Step("truncate", file=file))
        elif call in ("fsync", "fdatasync") and descriptor in opened:
            file = opened[descriptor]
            known = isinstance(file, int)
            steps.append(Step("sync", file=file) if known else Step("sync names", str(file)))
        elif call in ("open", "openat") and strings:
            path = strings[0].decode()
            if path == str(directory):
                opened[returned] = path
            elif Path(path).parent == directory:
                assert "O_TRUNC" not in arguments
                if path not in files:
                    assert "O_CREAT" in arguments
                    made += 1
                    files[path] = made
                    steps.append(Step("create", path, file=made))
                opened[returned] = files[path]
        elif call in ("link", "linkat", "rename", "renameat", "renameat2") and len(strings) == 2:
            source, target = (string.decode() for string in strings)
            if Path(source).parent == directory:
                linking = call.startswith("link")
                files[target] = files[source] if linking else files.pop(source)
                steps.append(Step("link" if linking else "rename", source, target))
        elif call in ("unlink", "unlinkat") and strings:
            path = strings[0].decode()
            if Path(path).parent == directory:
                del files[path]
                steps.append(Step("unlink", path))
        else:
            known = call in ("mkdir", "mkdirat", "mmap") or call.startswith("dup")
            assert known or not (concerns or descriptor in opened), line
    return steps
