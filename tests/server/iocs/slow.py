"""A putter that takes 10 ms for each unit that is written."""

from typing import Any

from ioc_ops.server import PVGroup, ioc_arg_parser, pvproperty, run


class Slow(PVGroup):
    """A putter that takes its time."""

    x = pvproperty(value=0)

    @x.startup
    async def x(self, instance: Any, async_lib: Any) -> None:
        self.async_lib = async_lib

    @x.putter
    async def x(self, instance: Any, value: int) -> None:
        await self.async_lib.sleep(value / 100)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="slow:", desc=Slow.__doc__ or "")
    run(Slow(**ioc_options).pvdb, **run_options)
