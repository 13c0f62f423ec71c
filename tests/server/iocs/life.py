"""Says in a file in which phase of its life which hook ran; its restore waits for a file."""

from pathlib import Path
from typing import Any

from ioc_ops.server import PVGroup, current_context, ioc_arg_parser, lifecycle, pvproperty, run

LOG = Path("life.log")


def say(what: str) -> None:
    with LOG.open("a") as file:
        file.write(f"{what} {current_context().state}\n")


def may_go() -> bool:
    return Path("go").exists()


class Life(PVGroup):
    """Waits for the file `go` before it is restored."""

    first = pvproperty(value=0)

    @first.startup
    async def first(self, instance: Any, async_lib: Any) -> None:
        # Restored already, although this PV comes before the one that is restored.
        say(f"startup first, second={self.second.value}")

    @first.shutdown
    async def first(self, instance: Any, async_lib: Any) -> None:
        say("shutdown first begins")
        await async_lib.sleep(0.05)
        say("shutdown first ends")

    @first.save
    async def first(self, instance: Any, async_lib: Any) -> None:
        say("save first")

    second = pvproperty(value=0)

    @second.restore
    async def second(self, instance: Any, async_lib: Any) -> None:
        say("restore second begins")
        while not may_go():
            await async_lib.sleep(0.01)
        instance.restore(42)
        say("restore second ends")

    @second.scan(period=3600)
    async def second(self, instance: Any, async_lib: Any) -> None:
        say(f"scan second={instance.value}")

    @second.shutdown
    async def second(self, instance: Any, async_lib: Any) -> None:
        await async_lib.run_in_thread(say, "shutdown second")

    @second.save
    async def second(self, instance: Any, async_lib: Any) -> None:
        say("save second")

    async def begin(self, async_lib: Any) -> None:
        say(f"startup_hook second={self.second.value}")


if __name__ == "__main__":
    # The order of hooks is what counts here: a busy machine must not cut them short.
    lifecycle._SHUTDOWN_TIME = lifecycle._SAVE_TIME = 15.0
    ioc_options, run_options = ioc_arg_parser(default_prefix="life:", desc=Life.__doc__ or "")
    ioc = Life(**ioc_options)
    run(ioc.pvdb, startup_hook=ioc.begin, **run_options)
