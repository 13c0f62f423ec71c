"""The files of named configurations: saved safely, listed, loaded, put aside.

Everything here but the constructor waits for the disk and runs in the storage thread.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ioc_ops.autosave.compare import equal
from ioc_ops.autosave.configurations.names import ConfigNames, legal_name
from ioc_ops.autosave.files.filenames import FileNames
from ioc_ops.autosave.files.filesystem import FileStatus, FileSystem
from ioc_ops.autosave.files.safewrite import SafeWriter, reason_of
from ioc_ops.autosave.formats import dumps_sav, loads_sav
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.values import Scalar, UntypedValue, Value
from ioc_ops.errors import AutosaveError, ConfigurationError

__all__ = ["ConfigEntry", "ConfigFiles"]

_NAME, _DESCRIPTION = "Menu:currName", "Menu:currDesc"
# Elements of an array that are looked at in one go.
_SLICE = 8192


@dataclass(frozen=True, slots=True)
class ConfigEntry:
    """A configuration that there is."""

    name: str
    description: str
    #: Why its file cannot be used; empty if it can.
    trouble: str = ""


class ConfigFiles:
    """The configurations of one menu in one directory."""

    def __init__(
        self,
        names: ConfigNames,
        pv_prefix: str,
        *,
        keep: int,
        file_system: FileSystem | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Touch no disk.

        Args:
            names: of the files.
            pv_prefix: of the menu's own PVs, which stand in the files as in synApps.
            keep: copies of what was overwritten or deleted, for each configuration; 1 or more.
            file_system: for tests.
            clock: Unix time; for tests.
        """
        self.names = names
        self._own = (f"{pv_prefix}{names.menu}{_NAME}", f"{pv_prefix}{names.menu}{_DESCRIPTION}")
        self._keep = keep
        self._fs = file_system or FileSystem()
        self._clock = clock
        self._known: dict[Path, tuple[FileStatus, ConfigEntry]] = {}

    def prepare(self, *, writable: bool) -> None:
        """Make the directory, clear away what killed processes left.

        Raises:
            ConfigurationError: the directory cannot be used.
        """
        directory = self.names.directory
        try:
            writer = self._writer(self.names.path("probe"))
            writer.make_directories(directory)
            if writable:
                writer.probe()
            unfinished = {self.names.unfinished(file.path) for file in self._fs.list(directory)}
        except OSError as error:
            raise ConfigurationError(
                f"configurations: cannot use the directory {directory}: {reason_of(error)}"
            ) from error
        for path in unfinished:
            if path is not None:
                self._writer(path).remove_stale(self._clock(), alone=False)

    def find(self) -> list[ConfigEntry]:
        """What there is, by name; files that were read before are not read again.

        Raises:
            AutosaveError: the directory cannot be read.
        """
        with _explained(f"cannot read {self.names.directory}"):
            files = self._fs.list(self.names.directory)
        known: dict[Path, tuple[FileStatus, ConfigEntry]] = {}
        for file in files:
            name = self.names.name_of(file.path)
            if name is None:
                continue
            before = self._known.get(file.path)
            if before is None or before[0] != file:
                before = (file, self._look_into(file.path, name))
            known[file.path] = before
        self._known = known
        return sorted((entry for _, entry in known.values()), key=lambda entry: entry.name)

    def _look_into(self, path: Path, name: str) -> ConfigEntry:
        try:
            return ConfigEntry(name, self.description_of(self._read(path)))
        except AutosaveError as error:
            return ConfigEntry(name, "", str(error))

    def description_of(self, snapshot: Snapshot) -> str:
        """The description that stands in a file, whichever IOC wrote it."""
        name = self._own[1]
        if name not in snapshot.values:
            name = next((name for name in snapshot.values if name.endswith(_DESCRIPTION)), name)
        value = snapshot.values.get(name)
        return value.text if isinstance(value, UntypedValue) and isinstance(value.text, str) else ""

    def load(self, text: str) -> tuple[str, Snapshot]:
        """A configuration: its name, and the state that it holds.

        Args:
            text: what somebody typed, or the name of a file that only an editor could have made.

        Raises:
            AutosaveError: there is none of this name, or its file cannot be used.
        """
        name = self._resolve(text)
        return name, self._read(self.names.path(name))

    def _resolve(self, text: str) -> str:
        return text if self.names.path(text) in self._known else legal_name(text)

    def _read(self, path: Path) -> Snapshot:
        try:
            content = self._fs.read(path)
        except FileNotFoundError:
            raise self._missing(path) from None
        except OSError as error:
            raise AutosaveError(f"cannot read {path}: {reason_of(error)}") from error
        try:
            return loads_sav(content)
        except AutosaveError as error:
            raise AutosaveError(f"cannot use {path}: {error}") from error

    def _missing(self, path: Path) -> AutosaveError:
        return AutosaveError(
            f"no configuration {self.names.name_of(path)!r} in {self.names.directory}"
        )

    def is_own(self, name: str) -> bool:
        """Whether a name in a file is one of the PVs that a menu saves of itself."""
        return name.endswith((_NAME, _DESCRIPTION))

    def save(self, name: str, description: str, state: Snapshot) -> list[str]:
        """Write a configuration; once this returns it is on the disk.

        Args:
            name: as `legal_name` gives it.
            description: for people.
            state: values in the order in which they are to be loaded. What is ``unreadable``
                in it stands in the file as PVs that were not connected.

        Returns:
            What is not in order although the file is.

        Raises:
            AutosaveError: the file is not written, or not all of it could be; what was there
                before is there still.
        """
        path = self.names.path(name)
        own = dict(zip(self._own, (name, description), strict=True))
        whole = replace(state, values={**own, **state.values}, saved_at=self._clock())
        written = dumps_sav(whole, keep_order=True)
        if written.lost:
            raise AutosaveError(
                "not saved: " + "; ".join(f"{pv}: {why}" for pv, why in written.lost.items())
            )
        writer = self._writer(path)
        with _explained(f"cannot write {path}"):
            temporary, _ = writer.write([written.content])
            try:
                self._compare(self._fs.read(temporary), whole)
                kept = self._keep_copy(path)
                self._fs.replace(temporary, path)
            except (OSError, AutosaveError):
                writer.discard(temporary)
                raise
            self._fs.fsync_directory(path.parent)
            # So that `find` need not read it again.
            self._known[path] = (self._fs.status(path), ConfigEntry(name, description))
        return [] if kept is None else self._prune(path, kept)

    def _compare(self, content: bytes, whole: Snapshot) -> None:
        """As synApps does: what cannot be loaded again must not replace what can."""
        found = loads_sav(content).values
        for name, value in whole.values.items():
            if name not in found or not _reads_back(value, found[name]):
                raise AutosaveError(f"not saved: {name} does not read back from the file")

    def delete(self, text: str) -> tuple[str, list[str]]:
        """Put a configuration aside, as one of its copies.

        Returns:
            Its name, and what is not in order although it is gone.

        Raises:
            AutosaveError: there is none of this name, or it cannot be put aside.
        """
        name = self._resolve(text)
        path = self.names.path(name)
        with _explained(f"cannot delete {path}"):
            kept = self._keep_copy(path)
            if kept is None:
                raise self._missing(path)
            self._fs.fsync_directory(path.parent)  # before the old name goes
            self._fs.unlink(path)
            self._fs.fsync_directory(path.parent)
        return name, self._prune(path, kept)

    def _keep_copy(self, path: Path) -> Path | None:
        """Give a file a dated name too; None if there is no file."""
        while True:
            files = [file.path for file in self._fs.list(path.parent)]
            copy = self.names.copy(path, self._clock(), files)
            try:
                self._writer(path).give_name(path, copy)
            except FileExistsError:
                continue  # another IOC was faster
            except FileNotFoundError:
                return None
            return copy

    def _prune(self, path: Path, latest: Path) -> list[str]:
        try:
            files = [file.path for file in self._fs.list(path.parent)]
            for file in self.names.surplus(path, files, self._keep, latest):
                self._fs.unlink(file)
        except OSError as error:
            return [f"old copies of {path} stay: {reason_of(error)}"]
        return []

    def _writer(self, path: Path) -> SafeWriter:
        return SafeWriter(FileNames(path), self._fs)


def _reads_back(value: Value, found: Value) -> bool:
    texts = found.text if isinstance(found, UntypedValue) else ""
    flat = value.reshape(-1) if isinstance(value, np.ndarray) else value
    if isinstance(texts, str) or not isinstance(flat, np.ndarray | list):
        return equal(value, found)
    # A million objects at once would keep the garbage collector busy, and the event loop waiting.
    return len(texts) == len(flat) and all(
        _part_reads_back(flat[first : first + _SLICE], texts[first : first + _SLICE])
        for first in range(0, len(flat), _SLICE)
    )


def _part_reads_back(part: npt.NDArray[np.generic] | list[Scalar], texts: tuple[str, ...]) -> bool:
    numbers: list[object] = part.tolist() if isinstance(part, np.ndarray) else [*part]
    with suppress(ValueError):  # most arrays are of numbers, and none of them is NaN
        if {*map(type, numbers)} <= {float} and [*map(float, texts)] == numbers:
            return True
        if {*map(type, numbers)} <= {int} and [*map(int, texts)] == numbers:
            return True
    return equal(part, UntypedValue(texts))


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AutosaveError(f"{what}: {reason_of(error)}") from error
