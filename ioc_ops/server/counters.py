"""Plain integers that the hot path bumps; status PVs and metrics both read them."""

from collections import Counter

from ioc_ops.ca import Command
from ioc_ops.server.latency import Latency

__all__ = ["Counters"]


class Counters:
    """Totals since the start of the IOC."""

    __slots__ = (
        "access_denied",
        "beacons_sent",
        "bytes_received",
        "bytes_sent",
        "connections",
        "events_replaced",
        "events_sent",
        "hook_failures",
        "messages_received",
        "messages_sent",
        "protocol_errors",
        "read_latency",
        "reads",
        "search_hits",
        "searches",
        "write_latency",
        "writes",
    )

    def __init__(self) -> None:
        self.access_denied = 0
        self.beacons_sent = 0
        self.bytes_received = 0
        self.bytes_sent = 0
        self.connections = 0
        self.events_replaced = 0
        """Events that a congested circuit never saw because a newer value took their place."""
        self.events_sent = 0
        self.hook_failures: Counter[str] = Counter()
        """By kind: getter, putter, startup, shutdown, scan, restore, save."""
        self.messages_received = [0] * len(Command)
        """Over TCP, by command number."""
        self.messages_sent = [0] * len(Command)
        """Over TCP, by command number; events are in ``events_sent`` and not here."""
        self.protocol_errors = 0
        self.read_latency = Latency()
        """Of reads that ran a getter."""
        self.reads = 0
        self.search_hits = 0
        self.searches = 0
        self.write_latency = Latency()
        """Of writes that ran hooks, from the request on: waiting for earlier writes counts."""
        self.writes = 0
