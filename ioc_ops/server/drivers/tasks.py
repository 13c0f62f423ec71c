"""Tasks of libraries other than asyncio: what they raise is logged, and they can be awaited."""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Protocol

from ioc_ops.server.drivers.patience import slices
from ioc_ops.server.drivers.threads import Event

__all__ = ["Job", "Start", "TaskGroup"]

log = logging.getLogger("ioc_ops.server")


class Job:
    """Work on its way into a task of the library, and there."""

    def __init__(self, work: Awaitable[None], name: str, ended: Callable[[], None]) -> None:
        """``ended`` is called once, even if the work never begins."""
        self.name = name
        self.cancelled = False
        self._work = work
        self._ended: Callable[[], None] | None = ended
        self.stop: Callable[[], None] = _nothing
        """Cancels the task; set by the driver."""

    async def run(self) -> None:
        """What the task does. Raises nothing but cancellation, SystemExit, KeyboardInterrupt."""
        try:
            if not self.cancelled:
                await self._work
        except Exception:
            log.exception("%s: the task failed", self.name)
        finally:
            self.close()

    def cancel(self) -> None:
        """Cancel; work that has not begun does not begin."""
        self.cancelled = True
        self.stop()

    def close(self) -> None:
        """The work is through, or will never begin."""
        if isinstance(self._work, Coroutine):
            self._work.close()  # else one that never ran would complain
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()


def _nothing() -> None:
    pass


class Start(Protocol):
    """Makes a task of the library."""

    def __call__(self, work: Awaitable[None], name: str, ended: Callable[[], None]) -> Job: ...


class TaskGroup:
    """Tasks that are cancelled and awaited together."""

    def __init__(self, start: Start, make_event: Callable[[], Event]) -> None:
        """Empty."""
        self._start = start
        self._make_event = make_event
        self._jobs: set[Job] = set()
        self._empty: Event | None = None

    def __len__(self) -> int:
        """How many run."""
        return len(self._jobs)

    def spawn(self, work: Awaitable[None], name: str) -> Job:
        """Start one more."""

        def ended() -> None:
            self._jobs.discard(job)
            if self._empty is not None and not self._jobs:
                self._empty.set()

        job = self._start(work, name, ended)
        self._jobs.add(job)
        return job

    def cancel(self) -> None:
        """Cancel all."""
        for job in list(self._jobs):
            job.cancel()

    async def join(self, seconds: float) -> bool:
        """Wait for all to end; whether they did."""
        self._empty = self._make_event()
        for some in slices(seconds):
            if not self._jobs or await self._empty.wait(some):
                return True
        return False
