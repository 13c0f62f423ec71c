"""curio (``pip install ioc-ops[curio]``, Python 3.11).

Only a coroutine can ask something of curio's kernel, so all that comes from elsewhere (a
circuit that spawns, a signal, ``call_soon``, a future that is done) is posted to a task that does.
"""

import contextlib
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextvars import Context, copy_context
from types import ModuleType
from typing import Any

import curio
from curio.traps import _read_wait, _write_wait

from ioc_ops.server.drivers.sockets_driver import SocketsDriver, call
from ioc_ops.server.drivers.tasks import Job

__all__ = ["CurioDriver", "make_driver"]

_Action = Callable[[], Coroutine[Any, Any, None] | None]


class _Task(curio.Task):  # type: ignore[misc]  # curio has no types
    """A task with context variables, copied from its parent unless the driver has better ones."""

    context: Context

    def __init__(self, coro: Any, parent: "_Task | None" = None) -> None:
        super().__init__(coro, parent)
        self.context = copy_context() if parent is None else parent.context.copy()

    def send(self, value: Any) -> Any:
        return self.context.run(super().send, value)


class CurioDriver(SocketsDriver):
    """One run of curio."""

    name = "curio"
    library: ModuleType = curio

    def __init__(self) -> None:
        """Starts nothing yet."""
        super().__init__()
        self._posted: deque[tuple[Context, _Action]] = deque()
        self._unstarted: set[Job] = set()
        self._woken = False
        self._over = False

    def run_library(self, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
        self._receiver, self._sender = socket.socketpair()
        with self._receiver, self._sender:
            self._receiver.setblocking(False)
            self._sender.setblocking(False)
            try:
                status: int = curio.run(self._inside, main, taskcls=_Task)
            finally:
                for job in list(self._unstarted):
                    job.close()
            return status

    async def _inside(self, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
        await curio.spawn(self._do_posted, daemon=True)
        try:
            return await main()
        finally:
            # curio's own end cancels all tasks, the oldest last, and does not like new ones.
            self._over = True

    async def sleep(self, seconds: float) -> None:
        await curio.sleep(seconds)

    async def wait_readable(self, sock: socket.socket) -> None:
        await _read_wait(sock)

    async def wait_writable(self, sock: socket.socket) -> None:
        await _write_wait(sock)

    async def wait_future(self, future: "Future[Any]", seconds: float | None = None) -> None:
        woken = curio.Event()
        # Not by _future_wait: that writes a byte into a pipe of curio's for each that is done,
        # and some hundreds at once (clients that are let go) are more than it holds.
        future.add_done_callback(lambda future: self._post(woken.set))
        try:
            if seconds is None:
                await woken.wait()
            else:
                async with curio.ignore_after(seconds):
                    await woken.wait()
        finally:
            future.cancel()

    def start(self, work: Awaitable[None], name: str, ended: Callable[[], None]) -> Job:
        job = Job(work, name, ended)
        context = copy_context()
        self._unstarted.add(job)

        async def begin() -> None:
            self._unstarted.discard(job)
            if job.cancelled or self._over:
                job.close()
                return
            # A daemon in curio's sense: nobody has to join it.
            task = await curio.spawn(job.run, daemon=True)
            task.name = name
            task.context = context
            job.stop = lambda: self._post(lambda: task.cancel(blocking=False))

        self._post(begin)
        return job

    def call_soon(self, function: Callable[[], None]) -> None:
        self._post(function)

    def call_from_signal(self, function: Callable[[], None]) -> None:
        self._post(function)

    def _post(self, action: _Action) -> None:
        self._posted.append((copy_context(), action))
        if not self._woken:
            self._woken = True
            with contextlib.suppress(OSError):  # full is as good, and closed is over
                self._sender.send(b"\0")

    async def _do_posted(self) -> None:
        while True:
            await _read_wait(self._receiver)
            self._receiver.recv(4096)
            # From here on whoever posts wakes this task again: nothing is missed.
            self._woken = False
            for _ in range(len(self._posted)):
                work = call(*self._posted.popleft())
                if work is not None:
                    await work


def make_driver() -> CurioDriver:
    """A driver for one run."""
    return CurioDriver()
