"""An IOC with one save set, driven through its life by hand: hooks, time, and a disk in memory."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from driven import Driven
from fake_disk import FakeDisk
from virtual_clock import VirtualClock

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager, autosaved
from ioc_ops.autosave.fileformat import loads
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.channel import ChannelData
from ioc_ops.server import PVGroup, SubGroup, pvproperty

FILE = Path("/d/my.json")
DAY = 86400.0


class Motor(PVGroup):
    """A group whose putters tell that they ran."""

    position = autosaved(pvproperty(value=0.0, upper_ctrl_limit=100.0, lower_ctrl_limit=-100.0))
    speed = autosaved(pvproperty(value=1), put_on_restore=True)
    plain = pvproperty(value=5)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.put: list[tuple[str, object]] = []

    @position.putter
    async def position(self, instance: ChannelData, value: float) -> None:
        self.put.append((instance.name, value))

    @speed.putter
    async def speed(self, instance: ChannelData, value: int) -> None:
        self.put.append((instance.name, value))


class Ioc(PVGroup):
    label = autosaved(pvproperty(value="nothing"))
    mode = autosaved(pvproperty(value=False))
    motor = SubGroup(Motor)
    keeper = SubGroup(AutosaveHelper, prefix="as:")


class Life(Driven):
    """An IOC from restore to its end, on a disk and with a clock of the test's."""

    def __init__(self, disk: FakeDisk, clock: VirtualClock, cls: type[PVGroup] = Ioc) -> None:
        self.disk = disk
        self.clock = clock
        self.ioc: Any = cls(prefix="x:")
        self.helper: AutosaveHelper = self.ioc.keeper
        self.helper.file_manager = RotatingFileManager(
            FILE, file_system=disk, clock=lambda: 1e9 + clock.now
        )
        self.helper.filename = FILE
        self._loop: asyncio.Task[None] | None = None

    def _hook(self, kind: str) -> Any:
        channel = self.helper.autosave_hook
        return getattr(channel.pvspec, kind)(self.helper, channel, self.clock)

    async def restore(self) -> None:
        await self.clock.until(self._hook("restore"))

    async def start(self) -> None:
        self._loop = asyncio.create_task(self._hook("startup"))
        await asyncio.sleep(0)

    async def stop(self) -> None:
        await self.kill()
        await self.clock.until(self._hook("save"))

    async def kill(self) -> None:
        """The loop ends in the middle of what it does."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None

    async def set(self, name: str, value: object) -> None:
        # Saves of this IOC are timed: no time passes for a write.
        await self.ioc.pvdb[f"x:{name}"].write(value)

    async def request(self, value: object = 1) -> None:
        await self.clock.until(self.ioc.keeper.save_request.write(value))


@asynccontextmanager
async def running(
    disk: FakeDisk, clock: VirtualClock | None = None, cls: type[PVGroup] = Ioc
) -> AsyncIterator[Life]:
    """From restore to an orderly stop."""
    life = Life(disk, clock or VirtualClock(), cls)
    await life.restore()
    await life.start()
    try:
        yield life
    finally:
        disk.before = lambda number, name: None
        await life.stop()


def saved(disk: FakeDisk) -> Snapshot:
    return loads(disk.content(FILE))


def file_of(disk: FakeDisk) -> int:
    """Tells whether the file has been written anew."""
    return disk.names[FILE]


def with_values(**values: object) -> FakeDisk:
    """A disk with what an IOC has saved in an orderly way."""
    disk = FakeDisk()

    async def main() -> None:
        async with running(disk) as life:
            for name, value in values.items():
                await life.set(name.replace("_", ":"), value)

    asyncio.run(main())
    return disk.after_kill()


def used_disk() -> FakeDisk:
    """A disk with what all tests of this IOC begin with."""
    return with_values(label="Strahl \u00e9", mode="On", motor_position=12.5, motor_speed=7)


def failing(code: int, operation: str) -> Callable[[int, str], None]:
    def before(number: int, name: str) -> None:
        if name == operation:
            raise OSError(code, os.strerror(code))

    return before
