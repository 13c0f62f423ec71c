"""An IOC whose shutdown hooks tell that they ran; SHUTDOWN says how they behave."""

import os
from pathlib import Path

from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    ioc_arg_parser,
    pvproperty,
    run,
)

BEHAVIOUR = os.environ.get("SHUTDOWN", "")


class HookedIOC(PVGroup):
    first = pvproperty(value=1)
    second = pvproperty(value=2)

    def tell(self, instance: PvpropertyData) -> None:
        Path(instance.pvspec.attr).write_text(str(instance.value))

    @first.startup
    async def first(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        await async_lib.sleep(3600)

    @first.shutdown
    async def first(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        if BEHAVIOUR == "raises":
            raise ValueError("no orderly end for me")
        if BEHAVIOUR == "hangs":
            await async_lib.sleep(3600)
        self.tell(instance)

    @second.shutdown
    async def second(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        await async_lib.sleep(0.02)  # of 0.7 s that it has
        self.tell(instance)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="hooked:", desc="")
    run(HookedIOC(**ioc_options).pvdb, **run_options)
