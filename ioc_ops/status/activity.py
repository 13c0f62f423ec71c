"""How busy the server is: what its counters say between two readings, and how late its loop is."""

from ioc_ops.server import Context
from ioc_ops.status.readings import LoopReading, TrafficReading

__all__ = ["TrafficWatch", "read_loop"]


def read_loop(context: Context) -> LoopReading:
    """Event loop lag of the last minute. Costs microseconds; callable from any thread."""
    return LoopReading(context.lag.max, context.lag.percentile(0.99))


class TrafficWatch:
    """Turns counters into rates: each reading is about the time since the one before."""

    def __init__(self) -> None:
        self._before: tuple[float, int, int, int] | None = None

    def read(self, context: Context, now: float) -> TrafficReading:
        """The rates at ``now`` (monotonic seconds); the first reading knows nothing yet."""
        counters = context.counters
        reading = (now, counters.events_sent, counters.writes, counters.reads)
        before, self._before = self._before, reading
        if before is None or now <= before[0]:
            return TrafficReading()
        passed = now - before[0]
        events, puts, gets = (
            (after - then) / passed for after, then in zip(reading[1:], before[1:], strict=True)
        )
        return TrafficReading(events, puts, gets)
