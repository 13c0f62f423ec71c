"""AutosaveHelper: the group that restores the PVs of an IOC at its start and saves them."""

import os
import time
from collections.abc import Mapping

from ioc_ops.autosave.generations import RotatingFileManager
from ioc_ops.autosave.image import SaveImage
from ioc_ops.autosave.restore import RestoreReport, report_of, restore_steps
from ioc_ops.autosave.results import LoadResult
from ioc_ops.autosave.saver import Saver, sliced
from ioc_ops.autosave.session import SaveSession
from ioc_ops.autosave.stats import AutosaveStats
from ioc_ops.autosave.status_pvs import AutosaveStatusPVs
from ioc_ops.autosave.storage import Clock
from ioc_ops.autosave.targets import Target, find_targets, root_of
from ioc_ops.channel import ChannelData, ChannelType
from ioc_ops.errors import AutosaveError, ChannelError, ConfigurationError, DefinitionError
from ioc_ops.group import PVGroup, pvproperty

__all__ = ["AutosaveHelper"]

# Looking for changes may take this part of the time.
_LOOK_SHARE = 0.05
# Of very many PVs with one trouble the log names these.
_NAMED_PVS = 20
_DAY = 86400.0


class AutosaveHelper(AutosaveStatusPVs):
    """Saves every PV in the group tree that is marked with `autosaved`.

    ``autosave = SubGroup(AutosaveHelper, file_manager=RotatingFileManager("state/my.json"))``
    anywhere in an IOC covers the whole tree, up to the root and all groups below it.

    Values are restored before a client can connect and before any startup hook runs, without
    running putters. They are saved about one second after the first change, then at most every
    ``period`` seconds as long as changes go on, at an orderly stop, and when a client writes 1
    to ``SAVE``: with put-callback, that completes when the values are on disk. If nothing has
    changed no file is written. Files are touched in a thread of its own.
    """

    filename: str | os.PathLike[str] = "autosave.json"
    """The save file, if no ``file_manager`` is given."""
    period: float = 30
    """Seconds between two saves while values keep changing."""
    debounce: float = 1.0
    """Seconds after which a first change is on its way to the disk."""
    restore_timeout: float = 10.0
    """Seconds by which storage that hangs may delay the start."""
    save_timeout: float = 10.0
    """Seconds after which a save counts as failed."""
    stop_timeout: float = 0.9
    """Seconds that the last save may take; a server gives 1 s to all save hooks."""
    carry_days: float = 365
    """Days for which the value of a PV that is gone is kept for its return."""

    def __init__(
        self,
        prefix: str = "",
        *,
        macros: Mapping[str, str] | None = None,
        parent: PVGroup | None = None,
        name: str | None = None,
        file_manager: RotatingFileManager | None = None,
        period: float | None = None,
    ) -> None:
        """Make the helper; touches no disk.

        Args:
            prefix: as for every group.
            macros: as for every group.
            parent: as for every group.
            name: as for every group.
            file_manager: where to save; default the class's ``filename``, in the directory in
                which the IOC is started.
            period: instead of the class's.

        Raises:
            DefinitionError: the period is not above 0.
        """
        super().__init__(prefix, macros=macros, parent=parent, name=name)
        if period is not None:
            self.period = period
        if not self.period > 0:
            raise DefinitionError(f"{self.name}: period={self.period} is not above 0")
        self.file_manager = file_manager or RotatingFileManager(self.filename)
        self.filename = self.file_manager.filename
        #: For metrics: what has been done so far.
        self.stats = AutosaveStats()
        #: What the restore at the start did.
        self.restore_report = RestoreReport()
        self._targets: dict[str, Target] = {}
        self._saver: Saver | None = None
        self._clock: Clock | None = None

    # --- restore ------------------------------------------------------------------------------

    async def _at_restore(self, instance: ChannelData, async_lib: Clock) -> None:
        """Give the PVs their values; only an unusable directory stops the start."""
        root = root_of(self)
        self._targets = find_targets(root)
        self.stats.pvs = len(self._targets)
        if not self._targets:
            self.log.warning("autosave: no PV of %s is marked as autosaved", root.name)
        channels = {name: target.channel for name, target in self._targets.items()}
        image = SaveImage(root.prefix, carry_seconds=self.carry_days * _DAY)
        aliases = {t.alias: name for name, t in self._targets.items() if t.alias is not None}
        session = SaveSession(self.file_manager, image, aliases)
        saver = Saver(session, channels, self.stats, self.log)
        self._saver, self._clock = saver, async_lib
        await self.file.write(str(self.filename), verify_value=False)
        try:
            loaded = await saver.load(async_lib, self.restore_timeout)
        except ConfigurationError:
            self._close()
            raise
        except AutosaveError as error:
            self.log.error("autosave: nothing restored from %s: %s", self.filename, error)
            self.stats.restore_failures = len(self._targets)
            self.stats.last_error = str(error)
            await self.show_restore(self.restore_report, str(error))
            return
        self.restore_report = report = await self._restore(loaded, channels, async_lib)
        await saver.adopt(loaded, async_lib, self.restore_timeout, protect=not report.complete)
        self._count(loaded, report)
        self._log_report(report)
        await self.show_restore(report)
        await self._show("Ok" if self.stats.last_success else "No save", "")

    async def _restore(
        self, loaded: LoadResult, channels: Mapping[str, ChannelData], clock: Clock
    ) -> RestoreReport:
        if loaded.snapshot is None:
            return RestoreReport(unsaved=tuple(channels), rejected=loaded.rejected)
        steps = sliced(restore_steps(loaded.snapshot, channels), clock)
        outcomes = [outcome async for outcome in steps]
        return report_of(
            outcomes, loaded.snapshot, channels, path=loaded.path, rejected=loaded.rejected
        )

    def _count(self, loaded: LoadResult, report: RestoreReport) -> None:
        stats = self.stats
        stats.restored = len(report.restored)
        # Files, but none that could be used: nobody knows what was in them.
        lost_all = report.path is None and bool(report.rejected)
        stats.restore_failures = len(self._targets) if lost_all else len(report.skipped)
        stats.generations = loaded.generations
        stats.last_error = "" if report.complete else str(report)
        if loaded.snapshot is not None and loaded.path == self.filename:
            stats.last_success = loaded.snapshot.saved_at or 0.0

    def _log_report(self, report: RestoreReport) -> None:
        for rejected in report.rejected:
            kept = "" if rejected.moved_to is None else f"; kept as {rejected.moved_to.name}"
            self.log.error("autosave: cannot use %s: %s%s", rejected.path, rejected.reason, kept)
        self.log.info("autosave: %s", report)
        troubles = [f"{name} not restored: {reason}" for name, reason in report.skipped.items()]
        troubles += [f"{name} is not served now, its value is kept" for name in report.missing]
        for trouble in troubles[:_NAMED_PVS]:
            self.log.warning("autosave: %s", trouble)
        if len(troubles) > _NAMED_PVS:
            self.log.warning("autosave: and %d PVs more", len(troubles) - _NAMED_PVS)

    # --- save ---------------------------------------------------------------------------------

    async def _at_startup(self, instance: ChannelData, async_lib: Clock) -> None:
        """Write the values that are to go through their putters, then save what changes."""
        await self._put_restored()
        if self._saver is None:
            return
        debounce = min(self.debounce, self.period)
        next_save = async_lib.monotonic()
        while True:
            # While changes go on there is no need to look before the next save is due.
            wait = next_save - async_lib.monotonic()
            if wait > 0:
                await async_lib.sleep(wait)
            began = async_lib.monotonic()
            if not await self._saver.has_changes(async_lib):
                took = async_lib.monotonic() - began
                await async_lib.sleep(max(debounce / 4, took / _LOOK_SHARE))
                continue
            if wait <= 0:
                # The first change after a quiet time is rarely alone.
                await async_lib.sleep(debounce * 3 / 4)
            try:
                await self._save(self._saver, async_lib, self.save_timeout)
            except AutosaveError as error:
                self.log.error("autosave: %s not saved: %s", self.filename, error)
            next_save = async_lib.monotonic() + self.period

    async def _put_restored(self) -> None:
        for name in self.restore_report.restored:
            target = self._targets[name]
            if target.put_on_restore:
                try:
                    await target.channel.write(target.channel.value)
                except Exception:
                    self.log.exception("autosave: the putter of %s refused the saved value", name)

    async def _at_save(self, instance: ChannelData, async_lib: Clock) -> None:
        """The last save, when nothing can change any more."""
        try:
            if self._saver is not None:
                await self._save(self._saver, async_lib, self.stop_timeout)
        except AutosaveError as error:
            self.log.error("autosave: the last changes are not in %s: %s", self.filename, error)
        finally:
            self._close()

    async def save(self) -> None:
        """Save now what has changed; returns once it is on disk.

        Raises:
            AutosaveError: it is not, or the IOC does not run.
        """
        if self._saver is None or self._clock is None:
            raise AutosaveError("autosave does not run")
        await self._save(self._saver, self._clock, self.save_timeout)

    async def _save(self, saver: Saver, clock: Clock, limit: float) -> None:
        try:
            await saver.save(clock, limit)
        except AutosaveError as error:
            await self._show("Failure", str(error))
            raise
        await self._show("Warning" if saver.warning else "Ok", saver.warning)

    async def _show(self, state: str, message: str) -> None:
        last = self.stats.last_success
        text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last)) if last else ""
        await self.show_saves(state, message, text, self.stats)

    async def _at_request(self, instance: ChannelData, value: str) -> str:
        """A client has written to SAVE; its put fails if the save does."""
        if value == "Save":
            try:
                await self.save()
            except AutosaveError as error:
                # What the client asked for is refused; there is no fault in the hook.
                raise ChannelError(f"{instance.name}: not saved: {error}") from error
        return "Idle"

    def _close(self) -> None:
        saver, self._saver = self._saver, None
        if saver is not None:
            saver.close()

    autosave_hook = (
        pvproperty(
            name=":__autosave_hook__",
            value=0,
            read_only=True,
            startup=_at_startup,
            doc="Where autosave hooks in",
        )
        .restore(_at_restore)
        .save(_at_save)
    )
    save_request = pvproperty(
        name="SAVE",
        dtype=ChannelType.ENUM,
        enum_strings=("Idle", "Save"),
        value="Idle",
        put=_at_request,
        doc="Write 1 to save now; completes when it is on disk",
    )
