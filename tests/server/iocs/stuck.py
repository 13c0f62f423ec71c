"""Hooks that do not end: STUCK names which, HOW names in which way."""

import os
import time
from pathlib import Path
from typing import Any

from ioc_ops.server import PVGroup, ioc_arg_parser, pvproperty, run

STUCK, HOW = os.environ["STUCK"].split(), os.environ["HOW"]


def touch(name: str) -> None:
    Path(name).touch()


async def hold(async_lib: Any) -> None:
    touch("stuck")
    if HOW == "waits":
        await async_lib.sleep(3600)
    elif HOW == "thread":
        await async_lib.run_in_thread(time.sleep, 3600)
    elif HOW == "deaf":
        while True:
            try:
                await async_lib.sleep(3600)
            except BaseException:  # each library has a cancellation of its own
                continue


class Stuck(PVGroup):
    """Hooks that do not end."""

    bad = pvproperty(value=0)
    good = pvproperty(value=0)

    @bad.restore
    async def bad(self, instance: Any, async_lib: Any) -> None:
        if "restore" in STUCK:
            await hold(async_lib)

    @bad.startup
    async def bad(self, instance: Any, async_lib: Any) -> None:
        if "startup" in STUCK:
            await hold(async_lib)

    @bad.putter
    async def bad(self, instance: Any, value: int) -> None:
        if "putter" in STUCK:
            await hold(self.async_lib)

    @bad.shutdown
    async def bad(self, instance: Any, async_lib: Any) -> None:
        if "shutdown" in STUCK:
            await hold(async_lib)

    @bad.save
    async def bad(self, instance: Any, async_lib: Any) -> None:
        if "save" in STUCK:
            await hold(async_lib)

    @good.startup
    async def good(self, instance: Any, async_lib: Any) -> None:
        self.async_lib = async_lib

    @good.shutdown
    async def good(self, instance: Any, async_lib: Any) -> None:
        touch("shut")

    @good.save
    async def good(self, instance: Any, async_lib: Any) -> None:
        touch("saved")


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="s:", desc=Stuck.__doc__ or "")
    run(Stuck(**ioc_options).pvdb, **run_options)
