"""Asks for what may fail; a failure costs that answer alone and is logged once."""

import logging
from collections.abc import Callable
from typing import TypeVar

__all__ = ["Asker"]

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Asker:
    """Remembers what has failed, so that the log tells it once and not at every reading."""

    def __init__(self) -> None:
        self._reported: set[str] = set()

    def ask(self, what: str, read: Callable[[], T]) -> T | None:
        """What ``read`` returns; None when it raises."""
        try:
            answer = read()
        except Exception as error:  # whatever psutil or the OS raises costs this reading alone
            if what not in self._reported:
                self._reported.add(what)
                _log.warning(
                    "status: cannot read the %s: %s: %s", what, type(error).__name__, error
                )
            return None
        self._reported.discard(what)
        return answer
