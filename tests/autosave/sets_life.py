"""An IOC with several save sets, driven through its life by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from driven import Driven
from fake_disk import FakeDisk
from virtual_clock import VirtualClock

from ioc_ops.autosave import AutosaveHelper, Method, RotatingFileManager, SaveSet, autosaved
from ioc_ops.autosave.fileformat import loads
from ioc_ops.autosave.save_set import save_sets_of
from ioc_ops.server import PVGroup, SubGroup, pvproperty

SECONDS_OF_2001 = 1e9


class Ioc(PVGroup):
    label = autosaved(pvproperty(value="nothing"))
    position = autosaved(pvproperty(value=0.0), save_set="positions")
    shot = autosaved(pvproperty(value=0), save_set="shots")
    recipe = autosaved(pvproperty(value=0), save_set="recipes")
    both = autosaved(pvproperty(value=0), save_set=("", "positions"))
    fire = pvproperty(value=0)

    keeper = SubGroup(AutosaveHelper, prefix="as:")
    positions = SubGroup(SaveSet, period=5, method="periodic")
    shots = SubGroup(SaveSet, method="triggered", trigger="fire")
    recipes = SubGroup(SaveSet, method=Method.MANUAL)


class Life(Driven):
    """An IOC on a disk and with a clock of the test's; every save set runs its hooks."""

    def __init__(
        self,
        disk: FakeDisk,
        clock: VirtualClock,
        cls: type[PVGroup] = Ioc,
        *,
        positions_on: FakeDisk | None = None,
    ) -> None:
        self.disk = disk
        self.clock = clock
        self.ioc: Any = cls(prefix="x:")
        self.sets = {each.set_name: each for each in save_sets_of(self.ioc)}
        for name, each in self.sets.items():
            each.file_manager = RotatingFileManager(
                file(name),
                file_system=positions_on or disk if name == "positions" else disk,
                clock=lambda: SECONDS_OF_2001 + clock.now,
            )
            each.filename = each.file_manager.filename
        self._tasks: list[asyncio.Task[None]] = []

    async def restore(self) -> None:
        for each in self.sets.values():
            hook = each.autosave_hook
            await self.clock.until(hook.pvspec.restore(each, hook, self.clock))

    async def start(self) -> None:
        for each in self.sets.values():
            hook = each.autosave_hook
            self._tasks.append(asyncio.create_task(hook.pvspec.startup(each, hook, self.clock)))
        await asyncio.sleep(0)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for each in self.sets.values():
            hook = each.autosave_hook
            await self.clock.until(hook.pvspec.save(each, hook, self.clock))

    def saved(self, name: str) -> dict[str, object]:
        if file(name) not in self.disk.names:
            return {}
        return dict(loads(self.disk.content(file(name))).values)


def file(name: str) -> Path:
    return Path("/d") / f"{name or 'main'}.json"


@asynccontextmanager
async def running(
    disk: FakeDisk,
    clock: VirtualClock,
    cls: type[PVGroup] = Ioc,
    *,
    positions_on: FakeDisk | None = None,
) -> AsyncIterator[Life]:
    life = Life(disk, clock, cls, positions_on=positions_on)
    await life.restore()
    await life.start()
    try:
        yield life
    finally:
        await life.stop()
