"""Saving from the event loop: notices changes, hands them to storage, never waits for long."""

import errno
import logging
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TypeVar

from ioc_ops.autosave.files.results import LoadResult
from ioc_ops.autosave.files.thread import Clock, Job, StorageThread
from ioc_ops.autosave.session import Adopted, SaveSession, Written
from ioc_ops.autosave.stats import AutosaveStats
from ioc_ops.autosave.values import Value
from ioc_ops.autosave.watch import Watch
from ioc_ops.channel import ChannelData
from ioc_ops.errors import AutosaveError, ConfigurationError

__all__ = ["Saver", "sliced"]

T = TypeVar("T")

# The loop gets its turn after this much work in one go. A task that waits for a timer needs three
# turns of asyncio to run.
_SLICE_SECONDS = 0.001

# All PVs are looked at this often even if none has told of news: user code may change what a PV
# says without publishing it.
_LOOK_ANYWAY = 60.0


async def sliced(steps: Iterator[T], clock: Clock) -> list[T]:
    """Take all steps, with a turn of the event loop in between whenever they have taken long."""
    # No asynchronous generator: curio complains of one that is not driven to its end.
    taken = []
    until = clock.monotonic() + _SLICE_SECONDS
    for step in steps:
        taken.append(step)
        if clock.monotonic() >= until:
            await clock.sleep(0)
            until = clock.monotonic() + _SLICE_SECONDS
    return taken


class Saver:
    """The PVs of one helper, the thread that writes their file, and what is under way in it.

    While storage hangs nothing more is handed to the thread; changes stay with the PVs and are
    taken when it answers again.
    """

    def __init__(
        self,
        session: SaveSession,
        channels: Mapping[str, ChannelData],
        stats: AutosaveStats,
        log: logging.Logger,
        *,
        by_itself: bool = True,
    ) -> None:
        """Start the thread.

        Args:
            session: the file; belongs to the thread from now on.
            channels: the PVs, by the name under which they are saved.
            stats: kept up to date.
            log: for what is noticed later than the call that caused it.
            by_itself: the PVs are saved whenever they change. Else nothing is ever late.
        """
        self.stats = stats
        self.log = log
        self.watch = Watch(channels)
        #: What was wrong beside the last save itself; empty if nothing was.
        self.warning = ""
        self._by_itself = by_itself
        self._session = session
        self._storage = StorageThread("autosave")
        self._loading: Job[LoadResult] | None = None
        self._reading: Job[LoadResult] | None = None
        self._writing: list[Job[Written]] = []
        self._names = dict.fromkeys(channels)
        self._next_look = 0.0

    # --- loading ------------------------------------------------------------------------------

    async def load(self, clock: Clock, limit: float) -> LoadResult:
        """Read the newest generation that verifies, within ``limit`` seconds.

        Raises:
            ConfigurationError: the save directory cannot be used.
            AutosaveError: storage does not answer in time, or cannot be read.
        """
        loading = self._storage.submit(self._session.open)
        if not await loading.wait(clock, limit):
            self._loading = loading
            # What the file holds is not known yet. Defaults must not overwrite it.
            self.watch.accept(self._names)
            self.mark_unsaved()
            raise self._hung(limit)
        return _result(loading)

    async def read(self, name: str, clock: Clock, limit: float) -> LoadResult:
        """One of the generations, within ``limit`` seconds; empty for the newest that verifies.

        Raises:
            AutosaveError: storage does not answer in time, or there is no such file.
        """
        reading = self._storage.submit(partial(self._session.read, name))
        if not await reading.wait(clock, limit):
            self._reading = reading
            raise self._hung(limit)
        return _result(reading)

    def add(self, name: str, channel: ChannelData, *, known: bool) -> None:
        """One PV more.

        Args:
            name: under which it is saved.
            channel: the PV.
            known: what it has is not to be saved before it changes.
        """
        self._names[name] = None
        self.watch.add(name, channel)
        # While the file is not known yet, a default must not overwrite what it has.
        if known or self._loading is not None:
            self.watch.accept([name])

    def remove(self, name: str, last: Value | None) -> None:
        """One PV less; its last value is carried forward."""
        self._names.pop(name, None)
        self.watch.remove(name)
        if last is not None:
            self._storage.submit(partial(self._session.retire, [(name, last)]))
            self.mark_unsaved()

    async def adopt(self, loaded: LoadResult, clock: Clock, limit: float, *, protect: bool) -> None:
        """Go on from what was loaded: values that PVs have not been given stay in the file."""
        if loaded.snapshot is None:
            return
        self.watch.accept(name for name in self._names if loaded.snapshot.find(name) is not None)
        job = self._storage.submit(
            partial(self._session.adopt, loaded, self._names, protect=protect)
        )
        if await job.wait(clock, limit):
            self._note(job.result())

    def _note(self, adopted: Adopted) -> None:
        self.stats.carried = adopted.carried
        if adopted.needs_save:
            self.mark_unsaved()

    async def _adopt_late(self, loading: Job[LoadResult], clock: Clock, limit: float) -> None:
        """The file has come after the IOC had to start without it.

        Clients may have written since, so nothing is restored any more. But the PVs that nobody
        has written keep their saved value in the file, and get it at the next start.
        """
        self.stats.hung = False
        try:
            loaded = _result(loading)
        except (AutosaveError, ConfigurationError) as error:
            self.log.error("autosave: %s", error)
            self.watch.forget(self._names)
            return
        snapshot = loaded.snapshot
        self.watch.forget(
            name for name in self._names if snapshot is None or snapshot.find(name) is None
        )
        self.log.warning(
            "autosave: storage answers again; what nobody has written since keeps its value in %s "
            "for the next start",
            loaded.path,
        )
        if snapshot is not None:
            job = self._storage.submit(
                partial(self._session.adopt, loaded, self._names, protect=True)
            )
            if await job.wait(clock, limit):
                self._note(job.result())

    # --- saving -------------------------------------------------------------------------------

    def mark_unsaved(self) -> None:
        """There is something that should be on disk and is not."""
        if self._by_itself:
            self.stats.unsaved_since = self.stats.unsaved_since or self._session.clock()

    async def has_changes(self, clock: Clock) -> bool:
        """Whether there is something to save."""
        if self.stats.unsaved_since:
            return True
        if not self.watch.news and clock.monotonic() < self._next_look:
            return False
        changed = any(await sliced(self.watch.look(), clock))
        self._next_look = clock.monotonic() + _LOOK_ANYWAY
        if changed:
            self.mark_unsaved()
        return changed

    async def save(self, clock: Clock, limit: float) -> None:
        """Bring the file up to date with the PVs; returns once it is on disk.

        Args:
            clock: the async library.
            limit: seconds that this may take.

        Raises:
            AutosaveError: it is not on disk. Nothing is lost by that, the next save brings it.
        """
        deadline = clock.monotonic() + limit
        try:
            await self._until_free(clock, deadline, limit)
            await sliced(self.watch.take(), clock)
            await self._until_free(clock, deadline, limit)
            # No await from here on: what was taken goes to the thread, whoever is cancelled.
            job = self._storage.submit(partial(self._session.write, self.watch.hand_on()))
            self._writing.append(job)
            if not await job.wait(clock, deadline - clock.monotonic()):
                raise self._hung(limit)
        except AutosaveError as error:
            self._failed(error)
            raise
        self._harvest()
        _result(job)

    async def _until_free(self, clock: Clock, deadline: float, limit: float) -> None:
        while self._loading is not None or self._writing:
            job: Job[LoadResult] | Job[Written] = self._loading or self._writing[-1]
            if not await job.wait(clock, deadline - clock.monotonic()):
                raise self._hung(limit)
            await self.look(clock, deadline - clock.monotonic())

    async def look(self, clock: Clock, limit: float) -> None:
        """Notice what storage has done since it was no longer waited for.

        Args:
            clock: the async library.
            limit: seconds that this may take.
        """
        self._harvest()
        if self._loading is not None and self._loading.done:
            loading, self._loading = self._loading, None
            await self._adopt_late(loading, clock, limit)
        if self._reading is not None and self._reading.done:
            self._reading = None
            if self._loading is None and not self._writing:
                self.stats.hung = False

    def _hung(self, seconds: float) -> AutosaveError:
        self.stats.hung = True
        error = AutosaveError(f"storage has not answered for {seconds:g} s")
        error.__cause__ = TimeoutError()
        return error

    def _harvest(self) -> None:
        """Note what the thread has finished, in the order in which it did."""
        while self._writing and self._writing[0].done:
            job = self._writing.pop(0)
            self.stats.hung = False
            try:
                written = _result(job)
            except AutosaveError as error:
                self._failed(error)
            else:
                self._succeeded(written)

    def _failed(self, error: AutosaveError) -> None:
        self.stats.failures_by_kind[_kind_of(error)] += 1
        self.stats.last_error = str(error)
        self.mark_unsaved()

    def _succeeded(self, written: Written) -> None:
        stats = self.stats
        stats.last_duration = written.duration
        stats.last_error = ""
        stats.unsaved_since = 0.0
        unsavable = self.watch.unsavable | written.errors
        problems = [f"{name}: {reason}" for name, reason in unsavable.items()]
        if written.result is not None:
            stats.saves += 1
            stats.last_success = written.at
            stats.size = written.result.size
            stats.generations = written.result.generations
            problems += written.result.warnings
        warning = "; ".join(problems)
        if warning and warning != self.warning:
            self.log.warning("autosave: %s", warning)
        self.warning = warning

    def close(self) -> None:
        """End the thread, and give up the lock, when its work is done; does not wait for that."""
        self.watch.close()
        self._storage.submit(self._session.close)
        self._storage.close()


def _kind_of(error: AutosaveError) -> str:
    cause = error.__cause__
    if isinstance(cause, TimeoutError):
        return "timeout"
    number = cause.errno if isinstance(cause, OSError) else None
    return errno.errorcode.get(number or 0, "other")


def _result(job: Job[T]) -> T:
    """What the job returned. Raises nothing but AutosaveError and ConfigurationError."""
    try:
        return job.result()
    except (AutosaveError, ConfigurationError):
        raise
    except Exception as error:  # a bug, or what a user's file system raises
        raise AutosaveError(f"{type(error).__name__}: {error}") from error
