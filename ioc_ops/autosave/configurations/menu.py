"""ConfigMenu: the group that keeps several states of some PVs under names."""

import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from ioc_ops.autosave.compare import Tolerance
from ioc_ops.autosave.configurations.files import ConfigEntry, ConfigFiles
from ioc_ops.autosave.configurations.names import MAX_TEXT_BYTES, ConfigNames, legal_name
from ioc_ops.autosave.configurations.pvs import ConfigMenuPVs, is_part_of_a_menu
from ioc_ops.autosave.configurations.selection import Choice, Selection, Selector, requested
from ioc_ops.autosave.configurations.values import (
    ConfigReport,
    LoadPlan,
    TaskClock,
    load_values,
    plan_load,
    read_values,
)
from ioc_ops.autosave.files.filesystem import FileSystem
from ioc_ops.autosave.files.thread import Job, StorageThread
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.channel import AlarmSeverity, ChannelData
from ioc_ops.errors import AutosaveError, ChannelError, ConfigurationError, DefinitionError
from ioc_ops.group import PVGroup, root_of

__all__ = ["ConfigMenu"]

T = TypeVar("T")

_MENU = re.compile(r"[A-Za-z0-9_-]{1,40}")
_SERIOUS = AlarmSeverity.MAJOR_ALARM
_NAMED_PVS = 20


class ConfigMenu(ConfigMenuPVs):
    """Saves some PVs under names, lists the names, and loads and verifies one of them.

    ``configs = SubGroup(ConfigMenu, prefix="", config="scan", directory="state/configs")`` serves
    the PVs of ``configMenu.db`` of synApps for the macro ``CONFIG=scan``, and ``scanMenu:SaveAs``,
    ``scanMenu:Load``, ``scanMenu:Delete``, ``scanMenu:List`` and ``scanMenu:Message``. Every
    request completes, with put-callback, when it is done, and fails if that does; one that comes
    while another one goes on is refused.

    Files are ``scan_NAME.cfg``, as synApps writes and reads them.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        macros: Mapping[str, str] | None = None,
        parent: PVGroup | None = None,
        name: str | None = None,
        config: str,
        directory: str | os.PathLike[str],
        save_set: str | None = None,
        request: str | os.PathLike[str] | None = None,
        request_macros: Mapping[str, str] | None = None,
        pvs: Sequence[str] | None = None,
        enable_save: bool = True,
        asg: str = "DEFAULT",
        keep: int = 10,
        hook_timeout: float = 10.0,
        storage_timeout: float = 10.0,
        tolerance: Tolerance | None = None,
        file_system: FileSystem | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Make the menu; touches no disk.

        Args:
            prefix: as for every group; the macro ``P`` of the screens.
            macros: as for every group.
            parent: as for every group.
            name: as for every group.
            config: what this menu is about; begins the names of its PVs and files. As in synApps
                the files of a menu ``scan_2`` are listed by a menu ``scan`` of that directory too.
            directory: of the files, made at the start; several menus may share it.
            save_set: the PVs of this save set. Without this, ``request`` and ``pvs``: every PV of
                the tree that is autosaved and that clients may write.
            request: a request file of synApps that names the PVs.
            request_macros: for that file, beside ``P``, ``CONFIG`` and the group's own.
            pvs: names of PVs and fields, and patterns (``det*:exposure``) of PVs.
            asg: access group of the menu's PVs. The IOC itself writes what is loaded: the access
                groups of those PVs do not count.
            enable_save: what ``enableSave`` is at first: whether clients may save and delete.
            keep: copies of what was overwritten or deleted, for each name.
            hook_timeout: seconds after which a putter or getter is given up.
            storage_timeout: seconds after which storage counts as hung.
            tolerance: within which numbers that were loaded count as equal; by default what the
                formats lose of a float or double.
            file_system: for tests.
            clock: Unix time; for tests.

        Raises:
            DefinitionError: the arguments contradict each other or make no sense.
        """
        if not _MENU.fullmatch(config):
            raise DefinitionError(
                f"ConfigMenu(config={config!r}): give letters, digits, - and _, 40 at most"
            )
        super().__init__(
            prefix, macros={**(macros or {}), "CONFIG": config}, parent=parent, name=name
        )
        if sum(way is not None for way in (save_set, request, pvs)) > 1:
            raise DefinitionError(f"{self.name}: give one of save_set, request and pvs")
        if isinstance(pvs, str):
            raise DefinitionError(f"{self.name}: pvs={pvs!r}: give a list of names, not one string")
        if keep < 1 or not hook_timeout > 0 or not storage_timeout > 0:
            raise DefinitionError(f"{self.name}: keep and the timeouts must be above 0")
        self.directory = Path(directory)
        self.hook_timeout = hook_timeout
        self.storage_timeout = storage_timeout
        self.tolerance = tolerance
        #: What the last load did.
        self.report = ConfigReport()
        self._choice = Choice(None if pvs is None else tuple(pvs), save_set)
        self._request = None if request is None else Path(request)
        self._request_macros = {"P": self.prefix, **self.macros, **(request_macros or {})}
        self._files = ConfigFiles(
            ConfigNames(self.directory, config),
            self.prefix,
            keep=keep,
            file_system=file_system,
            clock=clock,
        )
        self._entries: list[ConfigEntry] = []
        self._busy_with = ""
        self._failed = ""
        self._clock: TaskClock | None = None
        self._storage: StorageThread | None = None
        self._hung: Job[object] | None = None
        self._selector: Selector | None = None
        for channel in self.pvdb.values():
            channel.asg = asg
        self.menu_name.restore(config)
        self.request_file.restore("" if request is None else Path(request).name)
        if not enable_save:
            self.enabled.restore("No")
            self.disabled.restore(1.0)

    # --- for the IOC itself -------------------------------------------------------------------

    @property
    def entries(self) -> list[ConfigEntry]:
        """What there is, in the order in which it is shown."""
        return self._entries

    @property
    def names(self) -> list[str]:
        """Names of the configurations, in the order in which they are shown."""
        return [entry.name for entry in self._entries]

    async def load(self, name: str) -> ConfigReport:
        """Write the values of a configuration to its PVs, putters included, and verify them.

        Raises:
            AutosaveError: a PV has not the value of the file (``report`` says which), there is no
                such file or it cannot be used, or the menu is busy.
        """
        return await self._alone(f"loading {name!r}", lambda: self._load(name))

    async def save(self, name: str, description: str | None = None) -> str:
        """Save the present values; returns once they are on disk.

        Args:
            name: characters that are neither letters nor digits become ``_``.
            description: at most 39 bytes; None keeps the one that there is.

        Returns:
            The name under which they are saved.

        Raises:
            AutosaveError: nothing was saved, or the menu is busy.
        """
        return await self._alone(f"saving {name!r}", lambda: self._save(name, description))

    async def delete(self, name: str) -> None:
        """Delete a configuration; its file is kept as one of the dated copies.

        Raises:
            AutosaveError: it cannot be deleted, or the menu is busy.
        """
        await self._alone(f"deleting {name!r}", lambda: self._delete(name))

    async def find(self) -> None:
        """Look through the directory again, and sort the names.

        Raises:
            AutosaveError: it cannot be read, or the menu is busy.
        """
        await self._alone("looking for files", self._find)

    # --- one after the other ------------------------------------------------------------------

    async def _alone(self, what: str, work: Callable[[], Awaitable[tuple[T, str, bool]]]) -> T:
        """Do what gives a result, a message and whether that is a warning; show how it ends."""
        if self._storage is None:
            raise AutosaveError(f"{self.name} does not run")
        if self._busy_with:
            raise AutosaveError(f"busy {self._busy_with}")
        self._busy_with = what
        message, severity = f"{what} was broken off", _SERIOUS
        try:
            await self.show_busy(busy=True)
            if self._selector is None:
                self._selector = await self._prepare()
            result, message, warns = await work()
            severity = AlarmSeverity.MINOR_ALARM if warns else AlarmSeverity.NO_ALARM
        except (AutosaveError, ConfigurationError) as error:
            message = str(error)
            raise
        except Exception as error:
            self.log.exception("%s", what)
            message = f"{type(error).__name__}: {error}"
            raise AutosaveError(message) from error
        finally:
            self._busy_with = ""
            if severity:
                level = self.log.error if severity == _SERIOUS else self.log.warning
                level("configurations: %s", message)
            # That files were found does not say that the load before was well.
            if message or self._failed == what:
                await self.show_end(message, severity)
                self._failed = what if severity == _SERIOUS else ""
            await self.show_busy(busy=False)
        return result

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Have the storage thread do something, within ``storage_timeout``."""
        assert self._clock is not None  # noqa: S101 - only while it runs
        assert self._storage is not None  # noqa: S101
        clock, limit = self._clock, self.storage_timeout
        deadline = clock.monotonic() + limit
        if self._hung is None or await self._hung.wait(clock, limit):
            job = self._storage.submit(work)
            self._hung = job  # type: ignore[assignment]  # nobody asks it for its result
            if await job.wait(clock, deadline - clock.monotonic()):
                self._hung = None
                return job.result()
        raise AutosaveError(f"storage has not answered for {limit:g} s")

    async def _listing(self, work: Callable[[], T]) -> T:
        """The same for work that may change the directory; what there is then is shown."""

        def both() -> tuple[T, list[ConfigEntry]]:
            return work(), self._files.find()

        result, found = await self._in_thread(both)
        # Lines stay where they are: an operator may be about to press the button of one.
        there = {entry.name: entry for entry in found}
        known = [there.pop(name) for name in self.names if name in there]
        self._entries = [*known, *there.values()]
        await self.show_entries()
        return result

    # --- the work -----------------------------------------------------------------------------

    async def _load(self, text: str) -> tuple[ConfigReport, str, bool]:
        assert self._clock is not None  # noqa: S101
        self.report = ConfigReport()
        channels = self._selected().channels

        def read() -> tuple[LoadPlan, str]:
            name, snapshot = self._files.load(text)
            plan = plan_load(name, snapshot, channels, self._files.is_own)
            return plan, self._files.description_of(snapshot)

        plan, description = await self._listing(read)
        if not plan.steps and not plan.failed:
            raise AutosaveError(f"{plan.name} has a value for none of the {len(channels)} PVs")
        # From here on the PVs are neither what they were nor, until verified, what they should be.
        await self.show_current(f"{plan.name[: MAX_TEXT_BYTES - 13]} (incomplete)", description)
        report = await load_values(plan, self._clock, self.hook_timeout, self.tolerance)
        self.report = report
        if report.failed:
            raise AutosaveError(str(report))
        await self.show_current(plan.name, description)
        return report, str(report), not report.complete

    async def _save(self, text: str, description: str | None) -> tuple[str, str, bool]:
        assert self._clock is not None  # noqa: S101
        name = legal_name(text)
        if description is None:
            there = [entry.description for entry in self._entries if entry.name == name]
            description = (there or [""])[0]
        if len(description.encode("utf-8", "replace")) > MAX_TEXT_BYTES:
            raise AutosaveError(f"the description has more than {MAX_TEXT_BYTES} bytes")
        selection = self._selected()
        if not selection.channels:
            raise AutosaveError(f"{self.name} has no PVs to save")
        values = await read_values(selection.channels, self._clock, self.hook_timeout)
        state = Snapshot(values, unreadable=dict.fromkeys(selection.unserved, "not served"))
        kept = description
        warnings = await self._listing(lambda: self._files.save(name, kept, state))
        warnings = [*selection.unfit[:_NAMED_PVS], *warnings]
        await self.show_current(name, description)
        message = "; ".join([f"saved {name}: {len(values)} PVs", *warnings])
        return name, message, bool(warnings)

    async def _delete(self, text: str) -> tuple[None, str, bool]:
        name, warnings = await self._listing(lambda: self._files.delete(text))
        return None, "; ".join([f"deleted {name}", *warnings]), bool(warnings)

    async def _find(self) -> tuple[None, str, bool]:
        found = await self._in_thread(self._files.find)
        self._entries = found
        await self.show_entries()
        for entry in found:
            if entry.trouble:
                self.log.warning("configurations: %s is unreadable: %s", entry.name, entry.trouble)
        return None, "", False

    def _selected(self) -> Selection:
        assert self._selector is not None  # noqa: S101 - only while it runs
        return self._selector.selection()

    # --- life ---------------------------------------------------------------------------------

    async def _at_restore(self, instance: ChannelData, async_lib: TaskClock) -> None:
        """See what there is; only what can never work stops the start."""
        self._clock = async_lib
        self._storage = StorageThread("configurations")
        try:
            await self.find()
        except AutosaveError:
            pass  # shown and logged; tried again when somebody wants something
        except ConfigurationError:
            self._close()
            raise

    async def _prepare(self) -> Selector:
        writable = self.enabled.value == "Yes"

        def prepare() -> tuple[str, ...] | None:
            self._files.prepare(writable=writable)
            if self._request is None:
                return None
            names = requested(self._request, self._request_macros)
            return tuple([name for name in names if not self._files.is_own(name)])

        names = await self._in_thread(prepare)
        choice = self._choice if names is None else Choice(names)
        selector = Selector(root_of(self), choice, is_part_of_a_menu)
        self._check(selector.selection(), by_default=choice == Choice())
        return selector

    def _check(self, selection: Selection, *, by_default: bool) -> None:
        for trouble in selection.troubles:
            self.log.warning("configurations: %s: %s", self.name, trouble)
        if selection.channels:
            return
        if not by_default:
            about = "; ".join(
                ["names no PV that is served and can be written", *selection.unfit[:_NAMED_PVS]]
            )
            raise ConfigurationError(f"configurations: {self.name} {about}")
        self.log.warning("configurations: no PV for %s is marked as autosaved", self.name)

    async def _at_save(self, instance: ChannelData, async_lib: TaskClock) -> None:
        """The end of the IOC."""
        self._close()

    def _close(self) -> None:
        storage, self._storage = self._storage, None
        if storage is not None:
            storage.close()

    status = ConfigMenuPVs.status.restore(_at_restore).save(_at_save)

    # --- for clients --------------------------------------------------------------------------

    async def at_load(self, instance: ChannelData, name: str) -> None:
        await self._for_client(instance, self.load(name))

    async def at_save_as(self, instance: ChannelData, name: str, description: str | None) -> None:
        await self.check_enabled(instance)
        await self._for_client(instance, self.save(name, description))

    async def at_delete(self, instance: ChannelData, name: str) -> None:
        await self.check_enabled(instance)
        await self._for_client(instance, self.delete(name))

    async def at_find(self, instance: ChannelData) -> None:
        await self._for_client(instance, self.find())

    async def _for_client(self, instance: ChannelData, work: Awaitable[object]) -> None:
        try:
            await work
        except (AutosaveError, ConfigurationError) as error:
            # What the client asked for is refused; there is no fault in the hook.
            raise ChannelError(f"{instance.name}: {error}") from error
