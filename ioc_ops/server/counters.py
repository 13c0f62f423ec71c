"""Plain integers that the hot path bumps; status PVs and metrics both read them."""

from collections import Counter

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
        "protocol_errors",
        "reads",
        "search_hits",
        "searches",
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
        self.messages_received: Counter[str] = Counter()
        """By command, reads and writes excepted: they have counters of their own."""
        self.protocol_errors = 0
        self.reads = 0
        self.search_hits = 0
        self.searches = 0
        self.writes = 0
