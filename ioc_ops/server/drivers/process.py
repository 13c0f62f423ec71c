"""What a run does to its process: signals while it lasts, and an end that comes for sure."""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from types import FrameType, TracebackType
from typing import Any, Self

from ioc_ops.server.drivers.patience import slices

__all__ = ["ProcessFrame"]

log = logging.getLogger("ioc_ops.server")

# SIGHUP: the terminal, the ssh or the window of screen is closed in which the IOC was started.
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LAST_RESORT = 0.3


class ProcessFrame:
    """Around a run of an async library."""

    def __init__(self) -> None:
        """Changes nothing yet."""
        self._watch: threading.Thread | None = None
        self._through = threading.Event()
        self._handlers: dict[signal.Signals, Any] = {}
        self._over = False

    def __enter__(self) -> Self:
        # Before the library installs a handler of its own that ends with the run.
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            if signal.getsignal(number) is handler:
                signal.signal(number, self._before[number])
        self._through.set()
        if self._watch is not None:
            self._watch.join()

    def on_signals(self, function: Callable[[], object]) -> None:
        """Call at SIGTERM, SIGINT and SIGHUP; the function must be fit for a signal handler.

        SIGHUP stays ignored where it is (nohup).
        """

        def handler(number: int, frame: FrameType | None) -> None:
            if not self._over:  # the loop may be closed by then
                function()

        # Outside of the main thread whoever runs us is in charge of the signals.
        with contextlib.suppress(ValueError):
            for number in _SIGNALS:
                if number == signal.SIGHUP and self._before[number] is signal.SIG_IGN:
                    continue
                signal.signal(number, handler)
                self._handlers[number] = handler

    async def after(self, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
        """Await ``main``; what still runs then has 0.3 s to end.

        A hook with ``except:`` in a loop ignores its cancellation, and every library would wait
        for it for ever. Shutdown hooks, saves and services are through at this point.
        """
        status = 1
        try:
            status = await main()
        finally:
            self._over = True
            self._watch = threading.Thread(target=self._last_resort, args=(status,), daemon=True)
            self._watch.start()
        return status

    def _last_resort(self, status: int) -> None:
        if not any(map(self._through.wait, slices(_LAST_RESORT))):
            _end(status)


def _end(status: int) -> None:
    log.error("a hook ignores that it was cancelled (except: in a loop?); ending without it")
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
