"""Between threads and tasks: events, queues and worker threads, for every async library.

A library adds one thing, how a task waits for a ``concurrent.futures.Future``.
"""

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextvars import copy_context
from typing import Any, Protocol, TypeVar

__all__ = ["Event", "ThreadsafeQueue", "WaitFuture", "WorkerThreads"]

_T = TypeVar("_T")
_MOST_THREADS = 64


class WaitFuture(Protocol):
    """What a library waits with."""

    async def __call__(self, future: "Future[Any]", seconds: float | None = None) -> None:
        """Return when the future is done or the time is over; one that is not done is cancelled.

        A task that is cancelled cancels the future, too.
        """


class Event:
    """A flag that tasks wait for and that any thread or signal handler may set."""

    def __init__(self, wait_future: WaitFuture) -> None:
        """Not set."""
        self._wait_future = wait_future
        self._is_set = False
        # No lock: a signal handler may come while one is held by the thread it interrupts.
        self._waiting: deque[Future[None]] = deque()

    def set(self) -> None:
        self._is_set = True
        with contextlib.suppress(IndexError):
            while True:
                future = self._waiting.popleft()
                with contextlib.suppress(InvalidStateError):
                    future.set_result(None)

    def clear(self) -> None:
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    async def wait(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - users' API
        if self._is_set:
            return True
        future: Future[None] = Future()
        self._waiting.append(future)
        try:
            # Once more: only who sets it from now on finds the future.
            if not self._is_set:
                await self._wait_future(future, timeout)
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(future)
        # An event that was set and cleared again has been waited for all the same.
        return self._is_set or (future.done() and not future.cancelled())


class ThreadsafeQueue:
    """Put and get from threads and tasks alike."""

    def __init__(self, wait_future: WaitFuture) -> None:
        """Empty."""
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._news = Event(wait_future)

    def put(self, value: Any) -> None:
        self._queue.put(value)
        self._news.set()

    def get(self) -> Any:
        return self._queue.get()

    async def async_put(self, value: Any) -> None:
        self.put(value)

    async def async_get(self) -> Any:
        while True:
            self._news.clear()
            with contextlib.suppress(queue.Empty):
                return self._queue.get_nowait()
            await self._news.wait()


class WorkerThreads:
    """Threads for calls that block. None that hangs can keep the process from ending."""

    def __init__(self) -> None:
        """Starts threads as they are needed, at most 64."""
        self._jobs: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._count = 0
        self._idle = 0
        self._closed = False

    async def run(
        self, wait_future: WaitFuture, function: Callable[..., _T], *arguments: Any
    ) -> _T:
        """Call in a thread, in the context of the caller; raises what the function raises."""
        future: Future[_T] = Future()
        context = copy_context()

        def job() -> None:
            if future.cancelled():
                return
            # Whoever has stopped waiting has cancelled the future.
            with contextlib.suppress(InvalidStateError):
                try:
                    result = context.run(function, *arguments)
                except BaseException as problem:
                    future.set_exception(problem)
                else:
                    future.set_result(result)

        with self._changed:
            self._jobs.append(job)
            if len(self._jobs) > self._idle and self._count < _MOST_THREADS:
                self._count += 1
                name = f"ioc_ops worker {self._count}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
            else:
                self._changed.notify()
        await wait_future(future)
        return future.result()

    def close(self) -> None:
        """Let the idle ones end, and the others when they are through."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        while job := self._next():
            job()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._idle += 1
            while not self._jobs and not self._closed:
                self._changed.wait()
            self._idle -= 1
            return self._jobs.popleft() if self._jobs else None
