"""caproto's synchronous client, which connects anew for each request.

Of some hundred searches it misses the answer to one, of caproto's own server too, and would search
again only when its time is over; so it gets little time and several attempts.
"""

from typing import Any

from caproto import CaprotoTimeoutError
from caproto.sync import client

_ATTEMPTS = 5
_SEARCH_TIMEOUT = 4.0


def read(name: str, *, timeout: float = _SEARCH_TIMEOUT, **options: Any) -> Any:
    """The response to a read."""
    return _until_found(client.read, name, timeout=timeout, **options)


def write(name: str, value: object, *, timeout: float = _SEARCH_TIMEOUT, **options: Any) -> Any:
    """The response to a write; with `notify` that is when the server is through."""
    return _until_found(client.write, name, value, timeout=timeout, **options)


def _until_found(request: Any, *arguments: Any, **options: Any) -> Any:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return request(*arguments, repeater=False, **options)
        except CaprotoTimeoutError as problem:
            if "search" not in str(problem) or attempt == _ATTEMPTS:
                raise
    raise AssertionError
