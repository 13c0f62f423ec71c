"""No descriptor is left for a client: said in a line now and then, not at each try."""

import asyncio
import errno
import logging
import math
import time
from collections.abc import Callable
from typing import Any

__all__ = ["AT_ONCE", "BACKLOG", "Refusals"]

AT_ONCE = 16
"""Connections that asyncio tries to accept in a row, with an error for each that it cannot."""
BACKLOG = 1024
"""Those that may wait in the kernel; they need not all be accepted in a row."""

_PERIOD = 10.0  # seconds between two lines
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Refusals:
    """Tells of one listener that it cannot accept."""

    def __init__(
        self, log: logging.Logger, what: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``what`` it listens for."""
        self._log = log
        self._what = what
        self._clock = clock
        self._next = -math.inf

    def tell(self, problem: OSError) -> None:
        """Log it, unless that was done a moment ago."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _PERIOD
        self._log.warning(
            "no %s connection can be accepted: %s; end some clients or allow more descriptors "
            "(ulimit -n, LimitNOFILE=)",
            self._what,
            problem.strerror,
        )

    def handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception handler for loops of asyncio, which log a traceback for each."""
        problem = context.get("exception")
        if "socket" in context and isinstance(problem, OSError) and problem.errno in _EXHAUSTED:
            self.tell(problem)
        else:
            loop.default_exception_handler(context)
