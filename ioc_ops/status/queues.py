"""The queues of the server, seen as the queues that iocStats watches.

EPICS Base has a queue of records to process and three of callbacks. Here there are, per client,
the requests that wait for user code and the bytes that wait to be sent.
"""

from ioc_ops.server import Context
from ioc_ops.server.circuit import MOST_WAITING, OUTPUT_LIMIT
from ioc_ops.status.readings import QueueReading, QueuesReading

__all__ = ["QueueWatch"]


class QueueWatch:
    """Looks at the queues and remembers the most it has seen."""

    def __init__(self) -> None:
        self._most_requests = 0
        self._most_output = 0

    def read(self, context: Context) -> QueuesReading:
        """The fullest queue of each kind among all clients. Costs microseconds, never blocks."""
        circuits = tuple(context.circuits)
        requests = max((circuit.waiting for circuit in circuits), default=0)
        output = max((OUTPUT_LIMIT - circuit.room for circuit in circuits), default=0)
        self._most_requests = max(self._most_requests, requests)
        self._most_output = max(self._most_output, output)
        return QueuesReading(
            requests=_reading(MOST_WAITING, requests, self._most_requests, 0),
            output=_reading(
                OUTPUT_LIMIT, output, self._most_output, context.counters.events_replaced
            ),
            absent=QueueReading(0, 0, 0.0, 0, 0.0, 0),
        )


def _reading(size: int, used: int, high: int, overruns: int) -> QueueReading:
    return QueueReading(size, used, 100 * used / size, high, 100 * high / size, overruns)
