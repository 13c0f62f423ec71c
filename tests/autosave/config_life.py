"""An IOC with a menu of configurations, from its start to its end, by hand: time and disk."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from driven import Driven
from fake_disk import FakeDisk
from virtual_clock import VirtualClock

from ioc_ops.autosave import ConfigMenu, autosaved
from ioc_ops.channel import AlarmSeverity, ChannelData, ChannelType
from ioc_ops.server import PVGroup, SubGroup, get_pv_pair_wrapper, pvproperty

pair = get_pv_pair_wrapper(setpoint_suffix="", readback_suffix="_RBV")


class Ioc(PVGroup):
    """PVs whose putters tell that they ran, refuse, change what is written, or hang."""

    first = autosaved(pvproperty(value=1.0, record="ao"))
    second = autosaved(pvproperty(value=2, upper_ctrl_limit=100, lower_ctrl_limit=0))
    mode = autosaved(
        pvproperty(value="A", dtype=ChannelType.ENUM, enum_strings=("A", "B", "C"), record="mbbo")
    )
    curve = autosaved(pvproperty(value=[1.0, 2.0], max_length=5))
    text = autosaved(pvproperty(value="some text"))
    pair = autosaved(pair(name="pair", value=1))
    measured = pvproperty(value=5.0)
    starts = autosaved(pvproperty(value=3, read_only=True))

    configs = SubGroup(ConfigMenu, prefix="", config="scan", directory="/d")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.put: list[tuple[str, object]] = []
        self.does: dict[str, Callable[[Any], Any]] = {}

    async def group_write(self, instance: ChannelData, value: Any) -> Any:
        name = instance.name.removeprefix("x:")
        self.put.append((name, value))
        answer = self.does.get(name, lambda value: value)(value)
        return await answer if asyncio.iscoroutine(answer) else answer


class Life(Driven):
    """An IOC that has started."""

    def __init__(self, disk: FakeDisk, cls: type[PVGroup] = Ioc) -> None:
        self.disk = disk
        self.clock = VirtualClock()
        self.ioc: Any = cls(prefix="x:")
        self.configs: ConfigMenu = self.ioc.configs
        self.configs.storage_timeout = 60.0  # of the thread's real time only a moment
        self.configs._files._fs = disk
        self.configs._files._clock = lambda: 1e9 + self.clock.now

    def _hook(self, kind: str) -> Any:
        channel = self.configs.status
        return getattr(channel.pvspec, kind)(self.configs, channel, self.clock)

    async def start(self) -> None:
        await self.clock.until(self._hook("restore"))

    async def stop(self) -> None:
        await self._hook("save")

    async def press(self, name: str) -> None:
        await self.clock.until(self.ioc.pvdb[f"x:{name}"].fields["PROC"].write(1))

    @property
    def message(self) -> str:
        return str(self.value("scanMenu:Message"))

    def ended(self) -> tuple[object, AlarmSeverity, object]:
        return self.value("scanMenu:status"), self.severity("scanMenu:status"), self.busy

    @property
    def busy(self) -> object:
        return self.value("scanMenu:busy")


WELL = ("Success", AlarmSeverity.NO_ALARM, "Done")
ODD = ("Success", AlarmSeverity.MINOR_ALARM, "Done")
FAILED = ("Failure", AlarmSeverity.MAJOR_ALARM, "Done")


@asynccontextmanager
async def running(disk: FakeDisk, cls: type[PVGroup] = Ioc) -> AsyncIterator[Life]:
    life = Life(disk, cls)
    await life.start()
    try:
        yield life
    finally:
        disk.before = lambda number, name: None
        await life.stop()


def lines(disk: FakeDisk, name: str) -> dict[str, str]:
    content = disk.content(f"/d/scan_{name}.cfg").decode()
    pairs = [line.partition(" ")[::2] for line in content.splitlines()]
    return {pv: value for pv, value in pairs if pv.startswith("x:") or pv.startswith("#x:")}


def disk_with_a() -> FakeDisk:
    """Configuration a, in which nothing is as at the start."""
    disk = FakeDisk()

    async def main() -> None:
        async with running(disk) as life:
            for name, value in {"first": 10.0, "second": 20, "mode": "B", "text": "T"}.items():
                await life.set(name, value)
            await life.clock.until(life.configs.save("a", "all set"))

    asyncio.run(main())
    return disk
