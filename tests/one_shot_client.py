"""caproto's synchronous client, which connects anew for each request.

Of some hundred searches it misses the answer to one, of caproto's own server too, and would search
again only when its time is over; so it gets little time and several attempts.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from caproto import CaprotoTimeoutError
from caproto.sync import client

_ATTEMPTS = 5
_SEARCH_TIMEOUT = 4.0


class Event(NamedTuple):
    """What one event of a monitor said, all of it about the same moment."""

    value: Any
    severity: int
    timestamp: float
    """Seconds since 1970, of the server."""


def read(name: str, *, timeout: float = _SEARCH_TIMEOUT, **options: Any) -> Any:
    """The response to a read."""
    return _until_found(client.read, name, timeout=timeout, **options)


def write(name: str, value: object, *, timeout: float = _SEARCH_TIMEOUT, **options: Any) -> Any:
    """The response to a write; with `notify` that is when the server is through."""
    return _until_found(client.write, name, value, timeout=timeout, **options)


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
    _until_found(client.block, subscription, duration=timeout, timeout=_SEARCH_TIMEOUT)
    assert over, seen
    return seen


def _until_found(request: Any, *arguments: Any, **options: Any) -> Any:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return request(*arguments, repeater=False, **options)
        except CaprotoTimeoutError as problem:
            if "search" not in str(problem) or attempt == _ATTEMPTS:
                raise
    raise AssertionError
