"""The hooks that an IOC runs by itself, from restore to save, whenever their PVs come and go."""

from collections import deque
from collections.abc import Collection, Coroutine
from contextvars import copy_context
from typing import Any

from ioc_ops.channel import AlarmStatus, ChannelData
from ioc_ops.errors import ConfigurationError
from ioc_ops.server.context import Context
from ioc_ops.server.drivers.layer import Driver, Task
from ioc_ops.server.hooks import (
    BoundHook,
    failed,
    hooked_among,
    hooks_of,
    run_restore,
    run_scan,
    run_startup,
    run_stop,
)

__all__ = ["RunningHooks"]


class RunningHooks:
    """The hooks of all PVs of one IOC, each PV's with their tasks."""

    def __init__(self, context: Context, driver: Driver) -> None:
        """Run nothing yet; hear of the PVs that come and go from now on."""
        self._context = context
        self._driver = driver
        # No hook sees what another, which added its PV, has set in a ContextVar.
        self._base = copy_context()
        self._started = False
        # Found before clients are served: to look at very many PVs keeps the loop for a while.
        self._hooked: dict[ChannelData, None] = {}
        self._unrestored: deque[BoundHook] = deque()
        self._tasks: dict[ChannelData, list[Task]] = {}
        self._leaving: dict[ChannelData, deque[BoundHook]] = {}
        context.added.append(self._add)
        context.removed.append(self._remove)

    async def restore(self) -> None:
        """Await all restore hooks, one after the other; those of PVs that they add come last.

        Raises:
            ConfigurationError: a hook says that the IOC cannot start.
        """
        self._hooked.update(dict.fromkeys(hooked_among(self._context.pvdb.values())))
        self._unrestored.extend(hooks_of(self._hooked, "restore"))
        while self._unrestored:
            await run_restore(self._context, self._unrestored.popleft(), self._driver)

    def start(self) -> None:
        """Start all startup hooks and scans."""
        self._started = True
        late = dict.fromkeys(hook.pv for hook in self._unrestored)
        self._unrestored.clear()
        self._start([pv for pv in self._hooked if pv not in late])
        self._hooked.clear()
        for pv in late:
            self._begin(pv)

    def last_hooks(self, kind: str) -> list[Coroutine[Any, Any, None]]:
        """What is to be awaited at the end: the shutdown or save hooks that have not begun."""
        hooks = [hook for left in self._leaving.values() for hook in left if hook.kind == kind]
        hooks.extend(hooks_of(self._context.pvdb.values(), kind))
        return [run_stop(self._context, hook, self._driver) for hook in hooks]

    # -- PVs that come and go ---------------------------------------------------------------

    def _add(self, pv: ChannelData) -> None:
        if not self._started:
            self._hooked[pv] = None
            self._unrestored.extend(hooks_of((pv,), "restore"))
        elif self._context.running:
            self._begin(pv)

    def _begin(self, pv: ChannelData) -> None:
        restore = list(hooks_of((pv,), "restore"))
        if restore:
            self._tasks[pv] = []
            self._spawn(pv, self._restore_and_start(pv, restore), pv.name)
        else:
            self._start((pv,))

    async def _restore_and_start(self, pv: ChannelData, restore: list[BoundHook]) -> None:
        for hook in restore:
            try:
                await run_restore(self._context, hook, self._driver)
            except ConfigurationError as problem:  # too late to end the start
                failed(self._context, hook, AlarmStatus.READ, problem)
        if pv in self._tasks:
            self._start((pv,))

    def _start(self, pvs: Collection[ChannelData]) -> None:
        hooks = [*hooks_of(pvs, "startup"), *hooks_of(pvs, "scan")]
        for hook in hooks:
            self._tasks.setdefault(hook.pv, [])
        for hook in hooks:
            if hook.pv in self._tasks:  # else a hook that began at once has taken the PV out
                run = run_startup if hook.kind == "startup" else run_scan
                work = run(self._context, hook, self._driver)
                self._spawn(hook.pv, work, hook.channel.name)

    def _spawn(self, pv: ChannelData, work: Coroutine[Any, Any, None], name: str) -> None:
        tasks = self._tasks[pv]
        task = self._base.copy().run(self._driver.spawn, work, name)
        tasks.append(task)
        if self._tasks.get(pv) is not tasks:  # the hook began at once and took its own PV out
            task.cancel()

    def _remove(self, pv: ChannelData) -> None:
        self._hooked.pop(pv, None)
        self._unrestored = deque([hook for hook in self._unrestored if hook.pv is not pv])
        for task in self._tasks.pop(pv, ()):
            task.cancel()
        if self._started and self._context.running:
            last = deque([*hooks_of((pv,), "shutdown"), *hooks_of((pv,), "save")])
            if last:
                self._leaving[pv] = last
                self._base.copy().run(self._driver.spawn, self._leave(pv, last), pv.name)

    async def _leave(self, pv: ChannelData, last: deque[BoundHook]) -> None:
        await self._driver.sleep(0)  # what was cancelled ends first
        while last:
            await run_stop(self._context, last.popleft(), self._driver)
        if self._leaving.get(pv) is last:
            del self._leaving[pv]
