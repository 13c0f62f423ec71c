"""To wait for what another process does, however slow the machine is."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

__all__ = ["meanwhile", "until"]


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Ask again until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def meanwhile(request: Callable[[], object]) -> Iterator[None]:
    """Repeat a request in a thread during the block; raises what the request raises."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(0.02):
            request()

    with ThreadPoolExecutor(1) as pool:
        repeated = pool.submit(repeat)
        try:
            yield
        finally:
            over.set()
        repeated.result()
