"""Is the IOC alive, and is it ready? Decided from plain numbers, also while the loop is stuck."""

from collections.abc import Iterable
from dataclasses import dataclass

from ioc_ops.autosave import AutosaveStats

__all__ = ["STUCK_AFTER", "Health", "Readiness", "assess", "assess_readiness"]

# The loop gives a sign of life every 0.1 s: fifty missing ones are no coincidence.
STUCK_AFTER = 5.0

_BEFORE_RESTORED = ("constructed", "restoring")


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


@dataclass(frozen=True, slots=True)
class Readiness:
    """What an IOC must have done before it counts as ready, and why it has not."""

    restored: bool
    hooks_started: bool
    autosave_current: bool
    reasons: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing is missing."""
        return not self.reasons


def assess_readiness(
    state: str, now: float, sets: Iterable[tuple[str, AutosaveStats]]
) -> Readiness:
    """Whether an IOC does all that it is there for.

    Args:
        state: of its life, as ``Context.state`` says it.
        now: Unix time.
        sets: name and statistics of its save sets.

    Autosave is current where the last save went well, or none has been needed yet.
    """
    reasons = [] if state == "ready" else [f"the IOC is {state}"]
    late = [reason for name, stats in sets if (reason := _why_late(name, stats, now))]
    return Readiness(
        restored=state not in _BEFORE_RESTORED,
        hooks_started=state == "ready",
        autosave_current=not late,
        reasons=(*reasons, *late),
    )


def _why_late(name: str, stats: AutosaveStats, now: float) -> str:
    """Empty if what is to be saved is saved, or will be in its time."""
    unsaved = f"; changes of {now - stats.unsaved_since:.0f} s are not on disk"
    if stats.hung:
        return f"autosave {name}: storage does not answer" + unsaved * bool(stats.unsaved_since)
    if stats.failures and stats.unsaved_since and stats.last_error:
        return f"autosave {name}: {stats.last_error}" + unsaved
    return ""
