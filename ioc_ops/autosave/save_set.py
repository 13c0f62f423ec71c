"""SaveSet: PVs that are restored from a file of their own, and saved to it."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ioc_ops.autosave.control_pvs import AutosaveControlPVs
from ioc_ops.autosave.files.generations import RotatingFileManager
from ioc_ops.autosave.files.results import LoadResult
from ioc_ops.autosave.files.thread import Clock
from ioc_ops.autosave.formats import RequestedPV
from ioc_ops.autosave.health import Health, health_of_saves
from ioc_ops.autosave.image import SaveImage
from ioc_ops.autosave.last_save import tell_lost
from ioc_ops.autosave.members import Members, RequestFile, check_sets
from ioc_ops.autosave.restore import RestoreReport, log_report
from ioc_ops.autosave.restored import Restored, put_saved, restore_loaded
from ioc_ops.autosave.saver import Saver
from ioc_ops.autosave.schedule import SAVED_AT_STOP, Method, Trigger, run
from ioc_ops.autosave.session import SaveSession
from ioc_ops.autosave.snapshot import current_value
from ioc_ops.autosave.stats import AutosaveStats
from ioc_ops.autosave.status_pvs import clip
from ioc_ops.autosave.targets import find_targets
from ioc_ops.channel import ChannelData
from ioc_ops.errors import AutosaveError, ConfigurationError, DefinitionError
from ioc_ops.group import PVGroup, pvproperty, root_of, scan_wrapper
from ioc_ops.server import AsyncLibraryLayer

__all__ = ["SaveSet", "save_sets_of"]

_DAY = 86400.0
# However late storage answered another set at the start, this one may wait that long.
_LEAST_RESTORE_TIME = 1.0


def save_sets_of(root: PVGroup) -> "list[SaveSet]":
    """The save sets of a group tree, in the order of definition."""
    return [group for group in (root, *root.groups.values()) if isinstance(group, SaveSet)]


class SaveSet(AutosaveControlPVs):
    """Saves the PVs that are marked ``autosaved(..., save_set=NAME)`` to a file of their own.

    ``positions = SubGroup(SaveSet, period=5)`` makes the set ``positions``, with the file
    positions.json. A set may also take its PVs from a request file of synApps.

    Values are restored before a client can connect and before any startup hook runs, without
    running putters. When they are saved is a matter of ``method``; on request they are when a
    client writes 1 to ``SAVE``: with put-callback, that completes when the values are on disk.
    If nothing has changed no file is written. Files are touched in a thread of its own.
    """

    saves_marked = True

    filename: str | os.PathLike[str] | None = None
    """The save file, if no ``file_manager`` is given; None names it after the set."""
    period: float = 30
    """Seconds between two saves while values keep changing."""
    debounce: float = 1.0
    """Seconds until a first change is on its way to the disk; with 100,000 PVs five times that."""
    restore_timeout: float = 10.0
    """Seconds by which storage that hangs may delay the start, all sets together."""
    save_timeout: float = 10.0
    """Seconds after which a save counts as failed."""
    stop_timeout: float = 0.9
    """Seconds that the last save may take; a server gives 1 s to all save hooks."""
    carry_days: float = 365
    """Days for which the value of a PV that is gone is kept for its return."""
    overdue: float | None = None
    """Seconds after which changes that are not saved are an alarm; None derives it."""

    def __init__(
        self,
        prefix: str = "",
        *,
        macros: Mapping[str, str] | None = None,
        parent: PVGroup | None = None,
        name: str | None = None,
        file_manager: RotatingFileManager | None = None,
        period: float | None = None,
        method: Method | str = Method.ON_CHANGE,
        trigger: str | None = None,
        save_set: str | None = None,
        request: str | os.PathLike[str] | None = None,
        request_macros: Mapping[str, str] | None = None,
        request_path: Iterable[str | os.PathLike[str]] = (),
    ) -> None:
        """Make the set; touches no disk.

        Args:
            prefix, macros, parent, name: as for every group.
            file_manager: where to save; default the class's ``filename``, in the directory in
                which the IOC is started.
            period: instead of the class's.
            method: "on change": about a second after the first change, then at most every
                ``period`` as long as changes go on. "periodic": every ``period``, if something
                has changed. "triggered": at each update of the PV ``trigger``. "manual": on
                request alone. The first two also save at an orderly stop.
            trigger: name of that PV, with or without the prefix of the IOC.
            save_set: name of the set; default the attribute that it is in the group.
            request: request file (``.req``) that names PVs of this IOC, saved beside those that
                are marked for the set.
            request_macros: for that file; default those of the group, and ``P`` for the prefix
                of the IOC.
            request_path: directories in which it and what it includes is looked for.

        Raises:
            DefinitionError: the period is not above 0, or the method does not exist or does not
                go with the trigger.
        """
        super().__init__(prefix, macros=macros, parent=parent, name=name)
        if period is not None:
            self.period = period
        if not self.period > 0:
            raise DefinitionError(f"{self.name}: period={self.period} is not above 0")
        try:
            self.method = Method(method)
        except ValueError:
            raise DefinitionError(
                f"{self.name}: method={method!r} is none of {', '.join(map(str, Method))}"
            ) from None
        if (self.method == Method.TRIGGERED) != (trigger is not None):
            raise DefinitionError(
                f'{self.name}: method="triggered" and trigger="name of a PV" go together'
            )
        #: What `autosaved` calls the set.
        self.set_name = self.name.rpartition(".")[2] if save_set is None else save_set
        self.file_manager = file_manager or RotatingFileManager(
            self.filename or f"{self.set_name}.json"
        )
        self.filename = self.file_manager.filename
        #: For metrics: what has been done so far.
        self.stats = AutosaveStats()
        #: No save but the last and those on request, as long as this is set.
        self.paused = False
        self.trigger: Trigger | None = None
        self._trigger_name = trigger
        self._request: RequestFile | None = None
        if request is not None:
            path = [Path(each) for each in request_path]
            self._request = RequestFile(request, request_macros, path)
        self._members = Members(self.set_name, {}, {})
        #: What came from the file, at the start or at the last request.
        self.restored = Restored()
        self.restore_began: float | None = None
        self._saver: Saver | None = None
        self._clock: Clock | None = None

    # --- restore ------------------------------------------------------------------------------

    @property
    def restore_report(self) -> RestoreReport:
        """What the newest restore did."""
        return self.restored.report

    async def _at_restore(self, instance: ChannelData, async_lib: Clock) -> None:
        """Give the PVs their values; only a wrong configuration stops the start."""
        root = root_of(self)
        sets = save_sets_of(root)
        tagged = find_targets(root)
        check_sets(tagged, [each.set_name for each in sets])
        if self._trigger_name is not None:
            self.trigger = Trigger.of(root, self._trigger_name)
        self._clock = async_lib
        limit = self._time_to_restore(sets, async_lib.monotonic())
        try:
            requested = await self._requested(root, async_lib, limit)
            self._members = Members.of(root, self.set_name, tagged, requested)
            self._saver = saver = self._make_saver(root)
            await self.file.write(clip(str(self.filename)), verify_value=False)
            loaded = await saver.load(async_lib, limit)
            await self._restore(loaded, saver, sets, async_lib, limit)
        except ConfigurationError:
            self._close()
            raise
        except AutosaveError as error:
            self.log.error("autosave: nothing restored from %s: %s", self.filename, error)
            self.stats.restore_failures = len(self._members.targets)
            self.restored.failure = str(error)
        root.pvdb.added.append(self._pv_added)
        root.pvdb.removed.append(self._pv_removed)
        await self.publish()

    def _time_to_restore(self, sets: "Sequence[SaveSet]", now: float) -> float:
        self.restore_began = now
        began = min(each.restore_began for each in sets if each.restore_began is not None)
        return max(began + self.restore_timeout - now, _LEAST_RESTORE_TIME)

    async def _requested(self, root: PVGroup, clock: Clock, limit: float) -> Sequence[RequestedPV]:
        macros = {"P": root.prefix, **self.macros}
        return await self._request.read(macros, clock, limit) if self._request else ()

    def _make_saver(self, root: PVGroup) -> Saver:
        members = self._members
        for each in members.unknown:
            self.log.warning("autosave: %s:%d: no PV %s here", each.file, each.line, each.shown)
        self.stats.pvs = len(members.targets)
        derived = 2 * self.period + self.save_timeout
        self.stats.overdue = derived if self.overdue is None else self.overdue
        if not members.targets:
            which = f" for {self.set_name}" if self.set_name else ""
            self.log.warning("autosave: no PV of %s is marked as autosaved%s", root.name, which)
        image = SaveImage(root.prefix, carry_seconds=self.carry_days * _DAY)
        session = SaveSession(self.file_manager, image, members.aliases)
        by_itself = self.method in SAVED_AT_STOP
        return Saver(session, members.channels, self.stats, self.log, by_itself=by_itself)

    async def _restore(
        self,
        loaded: LoadResult,
        saver: Saver,
        sets: "Sequence[SaveSet]",
        clock: Clock,
        limit: float,
    ) -> None:
        channels = self._members.channels
        others = [each for each in sets if each is not self]
        # Of a PV in several sets the value that was saved last counts.
        saved_at = 0.0 if loaded.snapshot is None else loaded.snapshot.saved_at or 0.0
        newer = set().union(*(each.restored.newer_than(saved_at) for each in others))
        elsewhere = newer & channels.keys()
        self.restored = await restore_loaded(loaded, channels, elsewhere, clock)
        await saver.adopt(loaded, clock, limit, protect=not self.restored.report.complete)
        saver.watch.forget(elsewhere)
        for other in others:
            self.take_over(other)
            other.take_over(self)
        self._count(loaded)
        log_report(self.restore_report, self.file_manager.filename, self.log)

    def take_over(self, other: "SaveSet") -> None:
        """PVs that were in the other set until now bring their values along."""
        count = self.restored.take_over(other.restored, self._members.channels)
        if count:
            self.stats.restored += count
            self.log.info("autosave: %d PVs restored from %s", count, other.filename)

    def _count(self, loaded: LoadResult) -> None:
        self.stats.count(self.restore_report, loaded.generations)
        if loaded.snapshot is not None and loaded.path == self.filename:
            self.stats.last_success = loaded.snapshot.saved_at or 0.0

    # --- PVs that come and go -----------------------------------------------------------------

    def _pv_added(self, channel: ChannelData) -> None:
        """Before any hook of the PV runs: its value is back."""
        if self._saver is None:
            return
        if self.trigger is not None and self.trigger.name == channel.name:
            self.trigger.follow(channel)
        for target in self._members.of_pv(channel):
            self._members.targets[target.name] = target
            trouble = self.restored.give_back(target.name, target.channel)
            if trouble is not None:
                self.log.warning("autosave: %s not restored: %s", target.name, trouble)
            # The default of a PV that takes its saved value no more does not replace that.
            self._saver.add(target.name, target.channel, known=trouble is not None)
        self.stats.pvs = len(self._members.targets)

    def _pv_removed(self, channel: ChannelData) -> None:
        """Its value is kept for its return."""
        if self._saver is None:
            return
        for target in self._members.of_pv(channel):
            if self._members.targets.pop(target.name, None) is not None:
                try:
                    last = self.restored.kept[target.name] = current_value(target.channel)
                except AutosaveError:
                    last = None
                self._saver.remove(target.name, last)
        self.stats.pvs = len(self._members.targets)

    # --- save ---------------------------------------------------------------------------------

    async def _at_startup(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        """Write the values that are to go through their putters, then save by the method."""
        targets, to_put = self._members.targets, self._members.to_put
        # Few or none of very many: not a look-up for each that was restored.
        for name in self.restore_report.restored if to_put else ():
            if name in to_put and (target := targets.get(name)) is not None:
                try:
                    await target.channel.write(target.channel.value)
                except Exception:
                    self.log.exception("autosave: the putter of %s refused the saved value", name)
        if self._saver is not None:
            await run(self.method, self, async_lib)

    async def has_changes(self, clock: Clock) -> bool:
        """Whether there is something to save by itself."""
        return bool(self._saver and not self.paused and await self._saver.has_changes(clock))

    async def try_to_save(self, clock: Clock) -> None:
        """Save unless paused; what goes wrong is logged and shown."""
        if self._saver is None or self.paused:
            return
        try:
            await self._save(self._saver, clock, self.save_timeout)
        except AutosaveError as error:
            self.log.error("autosave: %s not saved: %s", self.filename, error)

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
        finally:
            await self.publish()

    async def _at_save(self, instance: ChannelData, async_lib: Clock) -> None:
        """The last save, when nothing can change any more."""
        why = "there was no time for it"
        try:
            if self._saver is not None and self.method in SAVED_AT_STOP:
                await self._save(self._saver, async_lib, self.stop_timeout)
            why = ""
        except AutosaveError as error:
            why = str(error)
        finally:
            if why:
                tell_lost(self.log, self.file_manager.filename, why, self.stats, self.restored)
            self._close()

    def _close(self) -> None:
        if self._saver is not None:
            self._saver.close()
            self._saver = None

    # --- what operators see and ask for -------------------------------------------------------

    @property
    def health(self) -> Health:
        """How saving goes, now."""
        warning = "" if self._saver is None else self._saver.warning
        now = self.file_manager.clock()
        return health_of_saves(self.stats, warning=warning, now=now)

    async def publish(self) -> None:
        """Bring the status PVs up to date."""
        await self.show_saves(self.health, self.stats)
        await self.show_restore(self.restored.health, self.restore_report)

    async def restore_now(self, file: str = "") -> RestoreReport:
        """Write saved values to the PVs of the running IOC, in order, through their putters.

        PVs that the file does not have are left alone; what a putter refuses costs its PV alone.

        Args:
            file: name of a generation beside the save file; empty for the newest.

        Returns:
            What became of each PV.

        Raises:
            AutosaveError: there is nothing to restore, or the IOC does not run.
        """
        if self._saver is None or self._clock is None:
            raise AutosaveError("autosave does not run")
        try:
            loaded = await self._saver.read(file, self._clock, self.restore_timeout)
            if loaded.snapshot is None:
                raise AutosaveError(f"there is no save file {self.filename} that can be used")
        except AutosaveError as error:
            self.restored.failure = str(error)
            await self.publish()
            raise
        self.restored.report = await put_saved(loaded, self._members.channels)
        self.restored.failure = ""
        self._count(loaded)
        log_report(self.restore_report, self.file_manager.filename, self.log)
        await self.publish()
        return self.restore_report

    @scan_wrapper(period=1.0)
    async def _every_second(self, instance: ChannelData, async_lib: Clock) -> None:
        # A save that is overdue, and storage that answers again, show although nothing happens.
        if self._saver is not None:
            await self._saver.look(async_lib, self.save_timeout)
        await self.publish()

    autosave_hook = (
        pvproperty(
            name=":__autosave_hook__",
            value=0,
            read_only=True,
            startup=_at_startup,
            scan=_every_second,
            doc="Where autosave hooks in",
        )
        .restore(_at_restore)
        .save(_at_save)
    )
