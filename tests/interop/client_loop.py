"""What the client scripts have in common: requests as JSON lines on stdin, replies on stdout.

A request is {"verb": ..., "pv": ..., ...}; the reply {"result": ...} or {"error": "one line"}.
The verbs are those of `Client`. A library whose API is blocking subclasses it as it stands; one
with coroutines overrides `perform`.
"""

import json
import queue
import sys
from typing import Any

TIMEOUT = 15.0  # seconds for a single operation; generous, nothing waits that long when all is well


class Client:
    """The verbs, each with the name of a PV; a library fills them in."""

    def __init__(self) -> None:
        # What monitors brought, by PV: {"value": ..., "timestamp": ..., "severity": ...}
        self.events: dict[str, queue.Queue[dict[str, Any]]] = {}
        # What connection callbacks brought, by PV.
        self.connection: dict[str, queue.Queue[bool]] = {}

    def connect(self, pv: str) -> None:
        """Find the PV and open a channel; raises if that takes longer than TIMEOUT."""
        raise NotImplementedError

    def read(self, pv: str, text: bool = False) -> dict[str, Any]:
        """A fresh value (an enum's state as a string with `text`), with severity and status."""
        raise NotImplementedError

    def describe(self, pv: str) -> dict[str, Any]:
        """Element count and, where the PV has them, units, precision and enum_strings."""
        raise NotImplementedError

    def write(self, pv: str, value: Any, wait: bool) -> None:
        """With `wait` the reply comes when the server reports completion; raises if it failed."""
        raise NotImplementedError

    def monitor(self, pv: str) -> None:
        """Subscribe; the events are fetched with `event`."""
        raise NotImplementedError

    def unmonitor(self, pv: str) -> None:
        """Cancel the subscription."""
        raise NotImplementedError

    def disconnect(self, pv: str) -> None:
        """Close the channel."""
        raise NotImplementedError

    def event(self, pv: str, timeout: float = TIMEOUT) -> dict[str, Any] | None:
        """The next event of the monitor, None if there is none within `timeout`."""
        try:
            return self.events[pv].get(timeout=timeout)
        except queue.Empty:
            return None

    def wait_connected(self, pv: str, connected: bool) -> None:
        """Wait until the library reports that the channel is (dis)connected."""
        try:
            while self.connection[pv].get(timeout=2 * TIMEOUT) != connected:
                pass
        except queue.Empty:
            raise TimeoutError(f"{pv} did not become connected={connected}") from None

    def perform(self, verb: str, arguments: dict[str, Any]) -> Any:
        """One request."""
        return getattr(self, verb)(**arguments)

    def close(self) -> None:
        """End the library's business before the process ends."""


def serve(client: Client) -> None:
    """Answer requests until stdin ends."""
    for line in sys.stdin:
        arguments = json.loads(line)
        try:
            reply = {"result": client.perform(arguments.pop("verb"), arguments)}
        except Exception as error:  # whatever the library raises is for the test to judge
            reply = {"error": f"{type(error).__name__}: {error}".replace("\n", " ")}
        print(json.dumps(reply), flush=True)
    client.close()
