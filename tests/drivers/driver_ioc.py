"""An IOC that uses everything that hooks get from the async library."""

import os
import shutil
import threading
from contextvars import ContextVar
from pathlib import Path

from ioc_ops.server import (
    RESTART,
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    current_context,
    ioc_arg_parser,
    lifecycle,
    pvproperty,
    run,
)

ORDER: ContextVar[str] = ContextVar("ORDER", default="")

SHUTDOWN, SAVED = Path("shutdown"), Path("saved")


def note(path: Path, text: str) -> None:
    path.write_text(text)


class DriverIOC(PVGroup):
    plain = pvproperty(value=1.0)
    big = pvproperty(value=[0.0], max_length=1_000_000)
    asked = pvproperty(value=0.0)
    applied = pvproperty(value=[0.0], max_length=100)
    order = pvproperty(value=0.0)
    ticks = pvproperty(value=0.0)
    library = pvproperty(value="")
    ioc_name = pvproperty(value="")
    request = pvproperty(value=0.0)
    reply = pvproperty(value=0.0)
    raise_flag = pvproperty(value=0.0)
    flags_seen = pvproperty(value=0.0)
    thread = pvproperty(value="")
    threads_asked = pvproperty(value=0.0)
    outer = pvproperty(value=0.0)
    inner = pvproperty(value="")
    refused = pvproperty(value=0.0)
    stop_with = pvproperty(value=0.0)

    @asked.getter
    async def asked(self, instance: PvpropertyData) -> float:
        await self.async_lib.library.sleep(0)
        return float(instance.value + 1)

    @order.putter
    async def order(self, instance: PvpropertyData, value: float) -> None:
        # The first takes the longest: only a queue keeps the order.
        await self.async_lib.sleep(0.03 if value == 1 else 0)
        await self.applied.write([*self.applied.value, value])

    @ticks.scan(period=0.02)
    async def ticks(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        await instance.write(instance.value + 1)

    @library.startup
    async def library(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        self.async_lib = async_lib
        await async_lib.library.sleep(0.01)
        await self.ioc_name.write(current_context().name)
        await instance.write(f"{async_lib.name} {async_lib.library.__name__}")

    @reply.startup
    async def reply(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        self.requests = async_lib.ThreadsafeQueue()
        replies = async_lib.ThreadsafeQueue()

        def work() -> None:
            while True:
                replies.put(self.requests.get() * 2)

        threading.Thread(target=work, daemon=True).start()
        while True:
            await instance.write(await replies.async_get())

    @request.putter
    async def request(self, instance: PvpropertyData, value: float) -> None:
        await self.requests.async_put(value)

    @raise_flag.startup
    async def raise_flag(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        self.flag = async_lib.Event()
        while True:
            assert await self.flag.wait(timeout=3600)
            self.flag.clear()
            await self.flags_seen.write(self.flags_seen.value + 1)

    @raise_flag.putter
    async def raise_flag(self, instance: PvpropertyData, value: float) -> None:
        threading.Thread(target=self.flag.set).start()

    @threads_asked.putter
    async def threads_asked(self, instance: PvpropertyData, value: float) -> None:
        name = await self.async_lib.run_in_thread(lambda: threading.current_thread().name)
        await self.thread.write(name)

    @outer.putter
    async def outer(self, instance: PvpropertyData, value: float) -> None:
        ORDER.set(f"outer {value:.0f}")
        await self.async_lib.sleep(0)
        await self.inner.write(f"written by {ORDER.get()}")

    @inner.putter
    async def inner(self, instance: PvpropertyData, value: str) -> str:
        return f"{value}, putter of {ORDER.get()} in {current_context().name}"

    @refused.putter
    async def refused(self, instance: PvpropertyData, value: float) -> None:
        raise ValueError("not today")

    @stop_with.putter
    async def stop_with(self, instance: PvpropertyData, value: float) -> None:
        current_context().request_stop(RESTART if value == RESTART else int(value))

    # -- the end ------------------------------------------------------------------------

    @plain.startup
    async def plain(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        try:
            while os.environ.get("STUBBORN"):
                try:
                    await async_lib.sleep(0.1)
                except:  # noqa: E722 - what users write
                    pass
            if os.environ.get("HUNG_THREAD"):
                await async_lib.run_in_thread(threading.Event().wait)
            await async_lib.library.sleep(3600)
        finally:
            note(Path("cancelled"), "yes")

    @plain.shutdown
    async def plain(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        await async_lib.library.sleep(0.01)
        note(SHUTDOWN, str(instance.value))
        if os.environ.get("HUNG_SHUTDOWN"):
            await async_lib.sleep(3600)

    @plain.save
    async def plain(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        await async_lib.run_in_thread(shutil.copy, SHUTDOWN, SAVED)
        if os.environ.get("HUNG_SAVE"):
            await async_lib.sleep(3600)


if __name__ == "__main__":
    # How long a hook may take is the subject of few tests: in the others the machine may be busy.
    if not os.environ.get("HUNG_SHUTDOWN"):
        lifecycle._SHUTDOWN_TIME = 20.0
    if not os.environ.get("HUNG_SAVE"):
        lifecycle._SAVE_TIME = 20.0
    ioc_options, run_options = ioc_arg_parser(default_prefix="d:", desc="")
    run(DriverIOC(**ioc_options).pvdb, **run_options)
