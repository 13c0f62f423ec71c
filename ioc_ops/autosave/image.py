"""What the save file should hold, as ready lines; only changed values are encoded again."""

from collections.abc import Iterable, Mapping

from ioc_ops.autosave.fileformat import carried_line, compose, value_line
from ioc_ops.autosave.pauses import gently, sorted_gently
from ioc_ops.autosave.snapshot import CarriedValue, Snapshot
from ioc_ops.autosave.values import Value
from ioc_ops.errors import AutosaveError

__all__ = ["SaveImage"]


class SaveImage:
    """The lines of one save file. Lives in the storage thread: encoding takes time."""

    def __init__(self, ioc: str, *, carry_seconds: float) -> None:
        """Begin without a file.

        Args:
            ioc: name of the IOC, for the head of the file.
            carry_seconds: how long the value of a PV that is gone is carried forward.
        """
        self.ioc = ioc
        self.carry_seconds = carry_seconds
        #: Whether the file on disk is another than this.
        self.changed = True
        #: Number of the newest save, counted over restarts.
        self.serial = 0
        self._lines: dict[str, bytes] = {}
        self._carried: dict[str, CarriedValue] = {}
        self._order: list[str] = []

    def adopt(
        self, snapshot: Snapshot, served: Mapping[str, object], now: float, *, is_newest_file: bool
    ) -> None:
        """Go on from a state that was loaded.

        The values of PVs that are served stay as they were saved until `update` brings new ones,
        also where they could not be restored; those of PVs that are not served are carried.

        Args:
            snapshot: the state.
            served: the PVs that there are, as keys.
            now: Unix time.
            is_newest_file: False if the file on disk is to be written anew in any case.
        """
        self.serial = snapshot.serial
        self._carried = {
            name: carried
            for name, carried in snapshot.carried.items()
            if name not in served and now - carried.since <= self.carry_seconds
        } | {
            name: CarriedValue(value, int(now))
            for name, value in gently(snapshot.values.items())
            if name not in served
        }
        for name in gently(served):
            value = snapshot.find(name)
            if value is not None:
                self._lines[name] = value_line(name, value)
        self._order = sorted_gently(self._lines)
        self.changed = not is_newest_file or self._carried.keys() != snapshot.carried.keys()

    def update(self, values: Iterable[tuple[str, Value]]) -> dict[str, str]:
        """Take new values; returns the PVs whose value cannot be encoded, and why."""
        errors: dict[str, str] = {}
        for name, value in values:
            try:
                line = value_line(name, value)
            except AutosaveError as error:
                errors[name] = str(error)
                continue
            if self._lines.get(name) != line:
                self._lines[name] = line
                self.changed = True
                self._carried.pop(name, None)  # it is served again
        if len(self._order) != len(self._lines):
            self._order = sorted_gently(self._lines)
        return errors

    def retire(self, values: Iterable[tuple[str, Value]], now: float) -> None:
        """These PVs are served no more; their last values are carried forward."""
        for name, value in values:
            self._lines.pop(name, None)
            self._carried[name] = CarriedValue(value, int(now))
            self.changed = True
        self._order = sorted_gently(self._lines)

    def compose(self, now: float) -> list[bytes]:
        """The content of the file, in pieces; `is_saved` when it is on the disk."""
        return compose(
            [self._lines[name] for name in gently(self._order)],
            [carried_line(name, self._carried[name]) for name in sorted(self._carried)],
            saved_at=now,
            serial=self.serial + 1,
            ioc=self.ioc,
        )

    def is_saved(self) -> None:
        """The content last composed is on the disk."""
        self.serial += 1
        self.changed = False

    @property
    def carried(self) -> int:
        """Values of PVs that are not served now."""
        return len(self._carried)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to save."""
        return not self._lines and not self._carried
