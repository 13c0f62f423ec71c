"""Is the IOC alive? Decided from numbers alone, so that it can be asked while the loop is stuck."""

from dataclasses import dataclass

__all__ = ["STUCK_AFTER", "Health", "assess"]

# The loop gives a sign of life every 0.5 s: ten missing ones are no coincidence.
STUCK_AFTER = 5.0


@dataclass(frozen=True, slots=True)
class Health:
    """``silent`` is the time in seconds since the loop's last sign of life."""

    alive: bool
    silent: float
    summary: str


def assess(monotonic: float, heartbeat: float, stuck_after: float = STUCK_AFTER) -> Health:
    """The health of a loop whose last sign of life was at ``heartbeat``, at ``monotonic``.

    Both are readings of the same monotonic clock in seconds.
    """
    silent = max(0.0, monotonic - heartbeat)
    if silent > stuck_after:
        return Health(False, silent, f"the IOC's loop has been stuck for {silent:.0f} s")
    return Health(True, silent, "ok")
