"""PVs without surprises, one that nobody may write, and a look at the counters."""

import json
from typing import Any

import psutil

from ioc_ops.server import RESTART, PVGroup, current_context, ioc_arg_parser, pvproperty, run


class Plain(PVGroup):
    """PVs without surprises."""

    number = pvproperty(value=0)
    image = pvproperty(value=[0.0], max_length=20_000)
    guarded = pvproperty(value=7, read_only=True)
    copied = pvproperty(value=0)

    @copied.putter
    async def copied(self, instance: Any, value: int) -> None:
        await self.guarded.write(value)

    stop = pvproperty(value=0)

    @stop.putter
    async def stop(self, instance: Any, value: int) -> None:
        current_context().request_stop()

    restart = pvproperty(value=0)

    @restart.startup
    async def restart(self, instance: Any, async_lib: Any) -> None:
        self.async_lib = async_lib

    @restart.putter
    async def restart(self, instance: Any, value: int) -> None:
        current_context().request_stop(RESTART)
        await self.async_lib.sleep(0)  # a putter may go on for a while

    counters = pvproperty(value="", max_length=4000)

    @counters.getter
    async def counters(self, instance: Any) -> str:
        context = current_context()
        seen: dict[str, Any] = {
            name: getattr(context.counters, name)
            for name in context.counters.__slots__
            if not name.endswith("_latency")
        }
        seen["rss"] = psutil.Process().memory_info().rss
        seen["tasks_failed"] = context.tasks_failed
        seen["name"] = context.name
        seen["state"] = context.state
        return json.dumps(seen)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="p:", desc=Plain.__doc__ or "")
    run(Plain(**ioc_options).pvdb, **run_options)
