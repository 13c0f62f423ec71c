"""Work that blocks, done by a thread: requests go to it, results come back."""

import threading
import time

from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    ThreadsafeQueue,
    ioc_arg_parser,
    pvproperty,
    run,
)


def worker(requests: ThreadsafeQueue, responses: ThreadsafeQueue) -> None:
    """Take requests one by one until there is a None; runs in a thread."""
    done = 0
    while (seconds := requests.get()) is not None:
        print(f"worker: busy for {seconds} s", flush=True)
        time.sleep(seconds)  # a device that does not answer sooner
        done += 1
        responses.put(done)


class WorkerThreadIOC(PVGroup):
    """
    Requests that take their time, and how many are through.

    request   seconds that the worker is to be busy; the write completes at once
    response  number of requests that the worker has done
    """

    request = pvproperty(value=0, lower_ctrl_limit=0, upper_ctrl_limit=3600, doc="Seconds")
    response = pvproperty(value=0, doc="Requests done")

    @request.startup
    async def request(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Start the worker, then pass on what it has to say."""
        self.requests = async_lib.ThreadsafeQueue()
        responses = async_lib.ThreadsafeQueue()
        threading.Thread(target=worker, args=(self.requests, responses), daemon=True).start()
        try:
            while True:
                await self.response.write(await responses.async_get())
        finally:
            self.requests.put(None)

    @request.putter
    async def request(self, instance: PvpropertyData, value: int) -> None:
        """The queue has room for all that comes."""
        await self.requests.async_put(value)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="wt:", desc=WorkerThreadIOC.__doc__)
    ioc = WorkerThreadIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
