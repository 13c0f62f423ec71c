"""pyepics, with the libca of its own wheel. See client_loop for the requests."""

import queue
from typing import Any

import epics
from client_loop import TIMEOUT, Client, serve


def plain(value: Any) -> Any:
    """numpy to what JSON knows."""
    return value.tolist() if hasattr(value, "tolist") else value


class PyepicsClient(Client):
    def __init__(self) -> None:
        super().__init__()
        self.pvs: dict[str, epics.PV] = {}
        self.monitors: dict[str, epics.PV] = {}

    def connect(self, pv: str) -> None:
        states: queue.Queue[bool] = queue.Queue()
        self.connection[pv] = states

        def changed(conn: bool, **_: Any) -> None:
            states.put(conn)

        self.pvs[pv] = epics.PV(pv, auto_monitor=False, connection_callback=changed)
        if not self.pvs[pv].wait_for_connection(timeout=TIMEOUT):
            raise TimeoutError(f"{pv} not found")
        self.wait_connected(pv, True)

    def read(self, pv: str, text: bool = False) -> dict[str, Any]:
        got = self.pvs[pv].get_with_metadata(
            form="time", as_string=text, use_monitor=False, timeout=TIMEOUT
        )
        if got is None:
            raise TimeoutError(f"no value from {pv}")
        return {name: plain(got[name]) for name in ("value", "timestamp", "severity", "status")}

    def describe(self, pv: str) -> dict[str, Any]:
        found = self.pvs[pv].get_ctrlvars(timeout=TIMEOUT) or {}
        return {
            "count": self.pvs[pv].nelm,
            "units": found.get("units"),
            "precision": found.get("precision"),
            "enum_strings": list(found.get("enum_strs", ())) or None,
        }

    def write(self, pv: str, value: Any, wait: bool) -> None:
        # The status of a put-callback does not reach pyepics' caller: no error comes of it.
        status = self.pvs[pv].put(value, wait=wait, timeout=TIMEOUT)
        if wait and (status is None or status < 0):
            raise TimeoutError(f"no completion from {pv}")

    def monitor(self, pv: str) -> None:
        events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.events[pv] = events

        def changed(value: Any, timestamp: float, severity: int, **_: Any) -> None:
            events.put({"value": plain(value), "timestamp": timestamp, "severity": severity})

        mask = epics.dbr.DBE_VALUE | epics.dbr.DBE_ALARM
        self.monitors[pv] = epics.PV(pv, form="time", auto_monitor=mask, callback=changed)

    def unmonitor(self, pv: str) -> None:
        self.monitors.pop(pv).disconnect()

    def disconnect(self, pv: str) -> None:
        self.pvs.pop(pv).disconnect()

    def close(self) -> None:
        epics.ca.finalize_libca()


if __name__ == "__main__":
    serve(PyepicsClient())
