"""caproto's synchronous client, which connects anew for each request.

Of some hundred searches it misses the answer to one, of caproto's own server too, and would search
again only when its time is over; so each search gets little time and there are several attempts.
A reply may take its time on a busy machine.
"""

from typing import Any
from unittest.mock import patch

from caproto import CaprotoTimeoutError
from caproto.sync import client

_ATTEMPTS = 5
_SEARCH_TIMEOUT = 4.0
_REPLY_TIMEOUT = 20.0

_search = client.search


def read(name: str, *, timeout: float = _REPLY_TIMEOUT, **options: Any) -> Any:
    """The response to a read."""
    return _until_connected(client.read, name, timeout=timeout, **options)


def write(name: str, value: object, *, timeout: float = _REPLY_TIMEOUT, **options: Any) -> Any:
    """The response to a write; with `notify` that is when the server is through."""
    return _until_connected(client.write, name, value, timeout=timeout, **options)


def _until_connected(request: Any, *arguments: Any, **options: Any) -> Any:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with patch.object(client, "search", _search_briefly):
                return request(*arguments, repeater=False, **options)
        except CaprotoTimeoutError as problem:
            before = "search" in str(problem) or "creation" in str(problem)
            if not before or attempt == _ATTEMPTS:
                raise
    raise AssertionError


def _search_briefly(name: str, udp: object, timeout: float, **options: Any) -> Any:
    return _search(name, udp, min(timeout, _SEARCH_TIMEOUT), **options)
