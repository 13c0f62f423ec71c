"""A thread that may wait for the disk, and how the event loop waits for it: with a limit."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar

__all__ = ["Clock", "Job", "StorageThread"]

T = TypeVar("T")

# The loop looks whether a job is done: at first often, as most take a millisecond or two.
_FIRST_PAUSE = 0.0005
_LONGEST_PAUSE = 0.02


class Clock(Protocol):
    """What this needs of the async library; hooks get it as ``async_lib``."""

    async def sleep(self, seconds: float) -> object: ...

    def monotonic(self) -> float: ...


class Job(Generic[T]):
    """Work that was given to a `StorageThread`."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._future: Future[T] = Future()

    def run(self) -> None:
        """In the thread: do the work."""
        try:
            result = self._work()
        except BaseException as error:
            self._future.set_exception(error)
        else:
            self._future.set_result(result)

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._future.done()

    def result(self) -> T:
        """What the work returned; raises what it raised. Only when `done`."""
        return self._future.result(timeout=0)

    async def wait(self, clock: Clock, limit: float) -> bool:
        """Let the loop run until the work is done, at most ``limit`` seconds; tells if it is."""
        deadline = clock.monotonic() + limit
        pause = _FIRST_PAUSE
        while not self.done:
            remaining = deadline - clock.monotonic()
            if remaining <= 0:
                return False
            await clock.sleep(min(pause, remaining))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return True


class StorageThread:
    """Does one job after the other.

    A daemon thread of its own, not one of the async library's pool: a job that hangs in a dead
    mount can be neither cancelled nor joined, and must not keep the process from ending.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Job[object] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], T]) -> Job[T]:
        """Give it work; returns at once."""
        job = Job(work)
        self._jobs.put(job)  # type: ignore[arg-type]  # whose result nobody asks the queue for
        return job

    def close(self) -> None:
        """End the thread when its jobs are done; does not wait."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
