"""A putter that takes 10 ms for each unit that is written, and one that waits to be let go."""

from typing import Any

from ioc_ops.server import PVGroup, ioc_arg_parser, pvproperty, run


class Slow(PVGroup):
    """Putters that take their time."""

    x = pvproperty(value=0)

    @x.startup
    async def x(self, instance: Any, async_lib: Any) -> None:
        self.async_lib = async_lib
        self.let_go = async_lib.Event()

    @x.putter
    async def x(self, instance: Any, value: int) -> None:
        await self.async_lib.sleep(value / 100)

    held = pvproperty(value=0)

    @held.putter
    async def held(self, instance: Any, value: int) -> None:
        await self.let_go.wait()

    free = pvproperty(value=0)

    @free.putter
    async def free(self, instance: Any, value: int) -> None:
        self.let_go.set()


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="slow:", desc=Slow.__doc__ or "")
    run(Slow(**ioc_options).pvdb, **run_options)
