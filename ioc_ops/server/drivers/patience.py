"""How long to wait for what may hang, on a machine that may take the processor away."""

from collections.abc import Iterator

__all__ = ["slices"]

_NUMBER = 10


def slices(seconds: float) -> Iterator[float]:
    """Seconds, in slices to be waited for one after the other.

    A process that is stopped for a while, or whose host is busy or moves it elsewhere, finds that
    the time of one wait is over when it may go on. So it loses one slice, not its last save.
    """
    return (seconds / _NUMBER for _ in range(_NUMBER))
