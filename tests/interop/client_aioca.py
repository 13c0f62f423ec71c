"""aioca, with the libca of epicscorelibs. See client_loop for the requests."""

import asyncio
import threading
from collections.abc import Coroutine
from queue import Queue
from typing import Any

import aioca
from client_loop import TIMEOUT, Client, serve


def plain(value: Any) -> Any:
    """numpy to what JSON knows."""
    return value.tolist() if hasattr(value, "tolist") else value


class AiocaClient(Client):
    """aioca wants one event loop for its life: it runs in a thread, requests come from the main."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.states: dict[str, aioca.Subscription] = {}
        self.monitors: dict[str, aioca.Subscription] = {}

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        # Not future.result(): it raises an exception only if that is true, and aioca's are false.
        error = future.exception(2 * TIMEOUT)
        if error is not None:
            raise error
        return future.result()

    def connect(self, pv: str) -> None:
        self.run(aioca.connect(pv, timeout=TIMEOUT))
        states: Queue[bool] = Queue()
        self.connection[pv] = states

        # aioca reports connections through a subscription only.
        async def watch() -> None:
            self.states[pv] = aioca.camonitor(
                pv, lambda value: states.put(value.ok), all_updates=True, notify_disconnect=True
            )

        self.run(watch())
        self.wait_connected(pv, True)

    def read(self, pv: str, text: bool = False) -> dict[str, Any]:
        got = self.run(
            aioca.caget(
                pv,
                datatype=aioca.DBR_ENUM_STR if text else None,
                format=aioca.FORMAT_TIME,
                timeout=TIMEOUT,
            )
        )
        names = ("timestamp", "severity", "status")
        return {"value": plain(got), **{name: getattr(got, name) for name in names}}

    def describe(self, pv: str) -> dict[str, Any]:
        info = self.run(aioca.cainfo(pv, timeout=TIMEOUT))
        found = self.run(aioca.caget(pv, format=aioca.FORMAT_CTRL, timeout=TIMEOUT))
        return {
            "count": info.count,
            "units": getattr(found, "units", None),
            "precision": getattr(found, "precision", None),
            "enum_strings": getattr(found, "enums", None),
        }

    def write(self, pv: str, value: Any, wait: bool) -> None:
        self.run(aioca.caput(pv, value, wait=wait, timeout=TIMEOUT))

    def monitor(self, pv: str) -> None:
        events: Queue[dict[str, Any]] = Queue()
        self.events[pv] = events

        def changed(value: Any) -> None:
            events.put(
                {
                    "value": plain(value),
                    "timestamp": value.timestamp,
                    "severity": value.severity,
                }
            )

        async def start() -> None:
            self.monitors[pv] = aioca.camonitor(
                pv,
                changed,
                events=aioca.DBE_VALUE | aioca.DBE_ALARM,
                format=aioca.FORMAT_TIME,
                all_updates=True,
            )

        self.run(start())

    async def _close(self, subscription: aioca.Subscription) -> None:
        subscription.close()

    def unmonitor(self, pv: str) -> None:
        self.run(self._close(self.monitors.pop(pv)))

    def disconnect(self, pv: str) -> None:
        self.run(self._close(self.states.pop(pv)))
        self.run(self._purge())

    async def _purge(self) -> None:
        aioca.purge_channel_caches()

    def close(self) -> None:
        for subscription in (*self.states.values(), *self.monitors.values()):
            self.run(self._close(subscription))
        self.run(self._purge())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


if __name__ == "__main__":
    serve(AiocaClient())
