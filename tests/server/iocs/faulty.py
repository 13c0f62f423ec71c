"""Every hook raises: always, or while `ill` is set."""

from typing import Any

from plain import Plain

from ioc_ops.server import ioc_arg_parser, pvproperty, run


class Faulty(Plain):
    """Every hook raises."""

    ill = pvproperty(value=True)
    good = pvproperty(value=0)

    restored = pvproperty(value=1)

    @restored.restore
    async def restored(self, instance: Any, async_lib: Any) -> None:
        raise RuntimeError("nothing to restore")

    started = pvproperty(value=2)

    @started.startup
    async def started(self, instance: Any, async_lib: Any) -> None:
        raise RuntimeError("no device")

    scanned = pvproperty(value=3)

    @scanned.scan(period=0.02)
    async def scanned(self, instance: Any, async_lib: Any) -> None:
        if self.ill.value == "On":
            raise RuntimeError("no reading")
        await self.good.write(self.good.value + 1)

    ended = pvproperty(value=4)

    @ended.scan(period=0.02, stop_on_error=True)
    async def ended(self, instance: Any, async_lib: Any) -> None:
        raise RuntimeError("once and never again")

    written = pvproperty(value=5)

    @written.putter
    async def written(self, instance: Any, value: int) -> None:
        if value < 0:
            raise RuntimeError("no such position")

    got = pvproperty(value=6)

    @got.getter
    async def got(self, instance: Any) -> int:
        if self.ill.value == "On":
            raise RuntimeError("no answer")
        return 60

    @good.shutdown
    async def good(self, instance: Any, async_lib: Any) -> None:
        raise RuntimeError("will not go")

    @good.save
    async def good(self, instance: Any, async_lib: Any) -> None:
        raise RuntimeError("disk full")

    async def begin(self, async_lib: Any) -> None:
        raise RuntimeError("no beginning")


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="f:", desc=Faulty.__doc__ or "")
    ioc = Faulty(**ioc_options)
    run(ioc.pvdb, startup_hook=ioc.begin, **run_options)
