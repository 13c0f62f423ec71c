"""An IOC with a menu of configurations, putters that misbehave, and storage that can be stalled."""

import time
from pathlib import Path

from ioc_ops.autosave import ConfigMenu, autosaved
from ioc_ops.autosave.files.filesystem import FileSystem
from ioc_ops.channel import ChannelData, ChannelType
from ioc_ops.errors import ChannelError
from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    SubGroup,
    ioc_arg_parser,
    pvproperty,
    run,
)

STALLED = Path("stalled")
SLOW = 0.002
SLOW_PUTTER = 0.3
HOOK_TIMEOUT = 2.0


class Disk(FileSystem):
    """Each step of a save takes its time; all waits while there is a file called `stalled`."""

    def _wait(self) -> None:
        time.sleep(SLOW)
        while STALLED.exists():
            time.sleep(0.01)

    def create(self, path: Path) -> int:
        self._wait()
        return super().create(path)

    def write(self, descriptor: int, data: memoryview) -> int:
        self._wait()
        return super().write(descriptor, data[: len(data) // 2 + 1])

    def link(self, source: Path, target: Path) -> None:
        self._wait()
        super().link(source, target)

    def replace(self, source: Path, target: Path) -> None:
        self._wait()
        super().replace(source, target)

    def read(self, path: Path) -> bytes:
        self._wait()
        return super().read(path)


class ConfigIoc(PVGroup):
    """What `mode` says is what the putter of `moody` does."""

    plain = autosaved(pvproperty(value=1))
    moody = autosaved(pvproperty(value=1))
    last = autosaved(pvproperty(value=1))
    mode = pvproperty(value="take", dtype=ChannelType.STRING)
    configs = SubGroup(
        ConfigMenu,
        prefix="",
        config="scan",
        directory="state",
        hook_timeout=HOOK_TIMEOUT,
        storage_timeout=3.0,
        file_system=Disk(),
    )
    library: AsyncLibraryLayer

    @mode.startup
    async def mode(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        self.library = async_lib

    @moody.putter
    async def moody(self, instance: ChannelData, value: int) -> None:
        if self.mode.value == "slow":
            await self.library.sleep(SLOW_PUTTER)
        elif self.mode.value == "hang":
            await self.library.sleep(1e6)
        elif self.mode.value == "refuse":
            raise ChannelError(f"{instance.name}: not in this mood")
        elif self.mode.value == "break":
            raise RuntimeError("broken")


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="cfg:", desc=ConfigIoc.__doc__)
    run(ConfigIoc(**ioc_options).pvdb, **run_options)
