"""What a script does to a server, and a log of what the server answers."""

from typing import Any

from record_client import RecordClient

from ioc_ops.ca import ChannelType

VALUE, LOG, ALARM, PROPERTY = 1, 2, 4, 8
FENCE = "R:fence"


def plain(value: Any) -> Any:
    """Comparable: NaN equals NaN, and -0.0 differs from 0.0."""
    return repr(value) if isinstance(value, float) else value


class Player:
    """One server. Each action puts a line into the log."""

    def __init__(self, client: RecordClient) -> None:
        self.client = client
        self.log: list[Any] = []
        self._labels: dict[int, str] = {}
        self._turn = int(client.value(FENCE))
        self._fence = client.subscribe(FENCE, VALUE)

    def note(self, *line: Any) -> None:
        self.log.append(line)

    def write(self, name: str, *values: Any) -> None:
        """Write; the log tells whether it went well, and what subscriptions had to say."""
        status = self.client.write(name, *values)
        self.note("write", name, [plain(v) for v in values], status.name, *self._events())

    def read(self, *names: str) -> None:
        """Values in their native types, with alarm."""
        for name in names:
            event = self.client.read(name)
            alarm = (event.extras.severity, event.extras.status)
            self.note("read", name, [plain(v) for v in event.values], alarm)

    def text(self, *names: str) -> None:
        for name in names:
            self.note("text", name, self.client.text(name))

    def control(self, *names: str) -> None:
        """What stands beside the value: units, precision and limits, or states."""
        for name in names:
            extras = self.client.control(name).extras
            said = (extras.units, extras.precision, extras.states)
            self.note("control", name, *said, *[plain(float(n)) for n in extras.limits])

    def monitor(self, name: str, mask: int) -> None:
        """Subscribe; the log tells its events from now on."""
        self._labels[self.client.subscribe(name, mask)] = f"{name}/{mask}"

    def _events(self) -> list[Any]:
        # Events come in order: when that of the fence is here, all are.
        self._turn = (self._turn + 1) % 1000
        self.client.write(FENCE, self._turn)
        event = self.client.next_event(self._fence)
        while event.values != [self._turn]:
            event = self.client.next_event(self._fence)
        events = []
        for number, label in self._labels.items():
            for found in self.client.pending(number):
                values = [plain(v) for v in found.values]
                events.append((label, values, found.extras.severity, found.extras.status))
        return sorted(events, key=lambda e: e[0])

    def acknowledge(self, name: str, severity: int) -> None:
        """DBR_PUT_ACKS."""
        status = self.client.write_raw(
            name, ChannelType.PUT_ACKS, 1, severity.to_bytes(2, "big") + bytes(6)
        )
        self.note("acknowledge", name, severity, status.name, *self._events())

    def transient(self, name: str, wanted: int) -> None:
        """DBR_PUT_ACKT."""
        status = self.client.write_raw(
            name, ChannelType.PUT_ACKT, 1, wanted.to_bytes(2, "big") + bytes(6)
        )
        self.note("transient", name, wanted, status.name, *self._events())
