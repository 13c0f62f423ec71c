"""One save file in use: loaded once, then written whenever its PVs have changed.

Between the helper, which lives in the event loop, and the files. Everything here but the
constructor runs in the storage thread, one call after the other.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ioc_ops.autosave.files.generations import RotatingFileManager
from ioc_ops.autosave.files.results import LoadResult, SaveResult
from ioc_ops.autosave.image import SaveImage
from ioc_ops.autosave.pauses import gently
from ioc_ops.autosave.values import Value
from ioc_ops.errors import AutosaveError

__all__ = ["Adopted", "SaveSession", "Written"]


@dataclass(frozen=True, slots=True)
class Adopted:
    """What follows from a state that was loaded."""

    #: Values of PVs that are not served now.
    carried: int
    #: Whether the file is to be written even if no PV changes.
    needs_save: bool


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a save."""

    #: None if nothing had changed and no file was written.
    result: SaveResult | None
    #: PVs whose new value could not be encoded, and why; the file has their last value.
    errors: dict[str, str]
    #: Unix time at which it was on the disk.
    at: float
    #: Seconds, encoding included.
    duration: float


class SaveSession:
    """A file manager and the image of what its file should hold."""

    def __init__(
        self,
        manager: RotatingFileManager,
        image: SaveImage,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        """Touch no disk.

        Args:
            manager: of the files.
            image: of what the file should hold.
            aliases: names in files of another format, and the names they stand for.
        """
        self._manager = manager
        self._image = image
        self._aliases = aliases or {}
        #: Unix time.
        self.clock = manager.clock

    def open(self) -> LoadResult:
        """Take the save file for this IOC alone, and load the newest generation that verifies.

        Raises:
            ConfigurationError: the directory cannot be used, or the file is in use by another.
        """
        self._manager.prepare()
        loaded = self._manager.load()
        if not self._aliases or loaded.snapshot is None or loaded.snapshot.serial:
            return loaded
        return replace(loaded, snapshot=loaded.snapshot.renamed(self._aliases))

    def adopt(self, loaded: LoadResult, served: Mapping[str, object], *, protect: bool) -> Adopted:
        """Go on from what was loaded.

        Args:
            loaded: what `open` returned.
            served: the PVs that there are, as keys.
            protect: spare the file from pruning, as not all of it could be restored. It is
                spared as well if PVs in it are not served now; all protection ends when a state
                comes back in full, the values that were carried forward included.
        """
        snapshot = loaded.snapshot
        # Serials count on from the highest there is: they tell the order when the clock cannot.
        self._image.serial = loaded.highest_serial
        if snapshot is None or loaded.path is None:
            return Adopted(carried=0, needs_save=False)
        if protect or any(name not in served for name in gently(snapshot.values)):
            self._manager.protect(loaded.path)
        elif snapshot.carried.keys() <= served.keys():
            self._manager.end_protection()
        # A file of another format is written anew, with a checksum.
        newest = loaded.path == self._manager.filename and snapshot.serial > 0
        self._image.adopt(snapshot, served, self.clock(), is_newest_file=newest)
        self._image.serial = max(snapshot.serial, loaded.highest_serial)
        return Adopted(self._image.carried, self._image.changed)

    def read(self, name: str) -> LoadResult:
        """One of the generations, without touching it.

        Args:
            name: of a file beside the save file, or empty for the newest that verifies.

        Raises:
            AutosaveError: there is none of this name, or it does not verify.
        """
        if not name:
            return self._manager.load()
        dated = {path.name: path for path in self._manager.files}
        path = {self._manager.filename.name: self._manager.filename, **dated}.get(name)
        if path is None:
            raise AutosaveError(f"{name} is no generation of {self._manager.filename}")
        return LoadResult(self._manager.read(path), path, (), len(dated))

    def retire(self, values: Sequence[tuple[str, Value]]) -> None:
        """These PVs are served no more; their last values are carried forward."""
        self._image.retire(values, self.clock())

    def write(self, values: Sequence[tuple[str, Value]]) -> Written:
        """Bring the file up to date; writes only if its content changes, or if it is gone.

        Args:
            values: what has changed.

        Raises:
            AutosaveError: the file is not up to date. The values are not lost, the next write
                brings them.
        """
        began = time.monotonic()
        errors = self._image.update(gently(values))
        result = None
        # An IOC that was started without any of its PVs writes no empty file.
        if not self._image.empty and (self._image.changed or not self._manager.exists()):
            result = self._manager.save(self._image.compose(self.clock()))
            self._image.is_saved()
        return Written(result, errors, self.clock(), time.monotonic() - began)

    def close(self) -> None:
        """Let another IOC have the file; nothing may be called after this."""
        self._manager.close()
