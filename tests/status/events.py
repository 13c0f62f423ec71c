"""A monitor, event by event, with caproto's synchronous client."""

from collections.abc import Callable
from typing import Any, NamedTuple

from caproto import CaprotoTimeoutError
from caproto.sync import client

__all__ = ["Event", "follow"]

_ATTEMPTS = 5
_CONNECT_TIMEOUT = 4.0


class Event(NamedTuple):
    """What one event of a monitor said, all of it about the same moment."""

    value: Any
    severity: int
    timestamp: float
    """Seconds since 1970, of the server."""


def follow(
    name: str, enough: Callable[[list[Event]], bool], *, timeout: float = 20.0
) -> list[Event]:
    """The events of a monitor up to the one with which they are ``enough``.

    What a read would say after that is something else: by then there may be a newer value.
    """
    seen: list[Event] = []
    over: list[bool] = []

    def note(_subscription: object, response: Any) -> None:
        if over:  # more came at once with the last one
            return
        told = response.metadata
        seen.append(Event(response.data[0], int(told.severity), told.timestamp))
        if enough(seen):
            over.append(True)
            client.interrupt()

    subscription = client.subscribe(name)
    subscription.add_callback(note)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            client.block(subscription, duration=timeout, timeout=_CONNECT_TIMEOUT, repeater=False)
            break
        except CaprotoTimeoutError:  # of the search or the channel: events have no time limit
            if attempt == _ATTEMPTS:
                raise
    assert over, seen
    return seen
