"""Whether saving and restoring went well, in the states that synApps has for it. Pure."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from ioc_ops.autosave.restore import RestoreReport
from ioc_ops.autosave.stats import AutosaveStats

__all__ = ["Health", "State", "health_of_restore", "health_of_saves", "worst"]


class State(IntEnum):
    """``SR_status`` and its like (``save_restoreStatus.db``), worst first but for the 0."""

    NO_STATUS = 0
    FAILURE = 1
    WARNING = 2
    SEQUENCE_FAILED = 3
    OK = 4


class Health(NamedTuple):
    """A state and the reason for it; no reason where all is well."""

    state: State
    message: str = ""


def health_of_saves(stats: AutosaveStats, *, warning: str, now: float) -> Health:
    """How saving goes.

    Args:
        stats: of the save set.
        warning: what was wrong beside the last save itself.
        now: Unix time.
    """
    if stats.last_error:
        return Health(State.FAILURE, stats.last_error)
    if stats.hung:  # since the start, or on request: no save has failed yet
        return Health(State.FAILURE, "waiting for storage, nothing is saved")
    waiting = now - stats.unsaved_since if stats.unsaved_since else 0.0
    if stats.overdue and waiting > stats.overdue:
        return Health(State.WARNING, f"changes have not been saved for {waiting:.0f} s")
    if warning:
        return Health(State.WARNING, warning)
    return Health(State.OK if stats.last_success else State.NO_STATUS)


def health_of_restore(report: RestoreReport, failure: str) -> Health:
    """How restoring went; ``failure`` says why there is no report."""
    if failure or (report.path is None and report.rejected):
        return Health(State.FAILURE, failure or report.details)
    if report.path is None:
        return Health(State.NO_STATUS, report.details)
    return Health(State.OK if report.complete else State.WARNING, report.details)


def worst(healths: Iterable[Health]) -> Health:
    """The one that needs attention first; no status if there is none."""
    known = [health for health in healths if health.state != State.NO_STATUS]
    return min(known, key=lambda health: health.state, default=Health(State.NO_STATUS))
