"""Work that blocks, done by a thread: a write completes when its work is done."""

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


def worker(requests: ThreadsafeQueue) -> None:
    """Take requests one by one until there is a None; runs in a thread."""
    while (request := requests.get()) is not None:
        seconds, done = request
        print(f"worker: busy for {seconds} s", flush=True)
        time.sleep(seconds)  # a device that does not answer sooner
        done.set()  # an event of the async library that any thread may set


class WorkerThreadIOC(PVGroup):
    """
    Requests that take their time.

    request  seconds that the worker is to be busy; caput -c returns when it is done

    Where one call is all that the thread does, async_lib.run_in_thread(call) is shorter.
    """

    request = pvproperty(value=0, lower_ctrl_limit=0, upper_ctrl_limit=3600, doc="Seconds")

    @request.startup
    async def request(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Start the worker."""
        self.async_lib = async_lib
        self.requests = async_lib.ThreadsafeQueue()
        threading.Thread(target=worker, args=(self.requests,), daemon=True).start()

    @request.putter
    async def request(self, instance: PvpropertyData, value: int) -> None:
        """Whoever waits for completion waits for the worker, and nobody else does."""
        done = self.async_lib.Event()
        self.requests.put((value, done))
        await done.wait()

    @request.shutdown
    async def request(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Let the worker go."""
        self.requests.put(None)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="wt:", desc=WorkerThreadIOC.__doc__)
    ioc = WorkerThreadIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
