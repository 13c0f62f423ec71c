"""Long work in a thread that leaves the event loop its turn."""

import time
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from typing import TypeVar

__all__ = ["gently", "sorted_gently"]

T = TypeVar("T")

# The interpreter lets another thread run only every 5 ms if it is not told to, and the loop needs
# up to three turns for what it has to do.
_WORK_SECONDS = 0.001
_PAUSE_SECONDS = 0.0001

# A sort keeps the interpreter to its end; that of so few names takes half a millisecond.
_SORTED_AT_ONCE = 2000


def gently(items: Iterable[T]) -> Iterator[T]:
    """The same items, with moments between them in which other threads can run."""
    until = time.monotonic() + _WORK_SECONDS
    for item in items:
        yield item
        if time.monotonic() >= until:
            time.sleep(_PAUSE_SECONDS)
            until = time.monotonic() + _WORK_SECONDS


def sorted_gently(names: Iterable[str]) -> list[str]:
    """`sorted`, with such moments."""
    left = iter(names)
    runs = iter(lambda: sorted(islice(left, _SORTED_AT_ONCE)), [])
    return list(gently(merge(*gently(runs))))
