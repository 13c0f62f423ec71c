"""caproto's threading client, no libca anywhere. See client_loop for the requests."""

import queue
from typing import Any

import caproto
from caproto.threading.client import PV, Context, Subscription
from client_loop import TIMEOUT, Client, serve


def plain(data: Any, count: int) -> Any:
    """One element as a scalar, several as a list, strings decoded."""
    items = [item.decode() if isinstance(item, bytes) else item for item in data]
    items = [item.item() if hasattr(item, "item") else item for item in items]
    return items[0] if count == 1 else items


class CaprotoClient(Client):
    def __init__(self) -> None:
        super().__init__()
        self.context = Context(timeout=TIMEOUT)
        self.pvs: dict[str, PV] = {}
        # caproto keeps only weak references to callbacks.
        self.kept: dict[str, Any] = {}
        self.monitors: dict[str, tuple[Subscription, Any]] = {}

    def connect(self, pv: str) -> None:
        states: queue.Queue[bool] = queue.Queue()
        self.connection[pv] = states

        def changed(_: PV, state: str) -> None:
            states.put(state == "connected")

        self.kept[pv] = changed
        (self.pvs[pv],) = self.context.get_pvs(pv, connection_state_callback=changed)
        self.pvs[pv].wait_for_connection(timeout=TIMEOUT)
        self.wait_connected(pv, True)

    def read(self, pv: str, text: bool = False) -> dict[str, Any]:
        channel = self.pvs[pv]
        data_type = caproto.ChannelType.TIME_STRING if text else "time"
        got = channel.read(data_type=data_type, timeout=TIMEOUT)
        return {
            "value": plain(got.data, channel.channel.native_data_count),
            "timestamp": got.metadata.timestamp,
            "severity": int(got.metadata.severity),
            "status": int(got.metadata.status),
        }

    def describe(self, pv: str) -> dict[str, Any]:
        channel = self.pvs[pv]
        found = channel.read(data_type="control", timeout=TIMEOUT).metadata
        units = getattr(found, "units", None)
        states = getattr(found, "enum_strings", None)
        return {
            "count": channel.channel.native_data_count,
            "units": None if units is None else units.decode(),
            "precision": getattr(found, "precision", None),
            "enum_strings": None if states is None else [state.decode() for state in states],
        }

    def write(self, pv: str, value: Any, wait: bool) -> None:
        data = value if isinstance(value, list) else [value]
        data_type = caproto.ChannelType.STRING if isinstance(value, str) else None
        answer = self.pvs[pv].write(
            data, data_type=data_type, wait=wait, notify=wait, timeout=TIMEOUT
        )
        # A refused write is an answer like any other to caproto's client.
        if wait and not answer.status.success:
            raise caproto.ErrorResponseReceived(answer)

    def monitor(self, pv: str) -> None:
        events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.events[pv] = events

        def changed(_: Subscription, got: Any) -> None:
            events.put(
                {
                    "value": plain(got.data, self.pvs[pv].channel.native_data_count),
                    "timestamp": got.metadata.timestamp,
                    "severity": int(got.metadata.severity),
                }
            )

        mask = caproto.SubscriptionType.DBE_VALUE | caproto.SubscriptionType.DBE_ALARM
        subscription = self.pvs[pv].subscribe(data_type="time", mask=mask)
        self.monitors[pv] = (subscription, changed)
        subscription.add_callback(changed)

    def unmonitor(self, pv: str) -> None:
        self.monitors.pop(pv)[0].clear()

    def disconnect(self, pv: str) -> None:
        self.pvs.pop(pv).go_idle()

    def close(self) -> None:
        self.context.disconnect()
        self.context.broadcaster.disconnect()


if __name__ == "__main__":
    serve(CaprotoClient())
