"""A stop whose last save fails: a line for people, an exit status for supervisors."""

import logging
import time
from contextlib import suppress
from pathlib import Path

from ioc_ops.autosave.restored import Restored
from ioc_ops.autosave.stats import AutosaveStats
from ioc_ops.server import current_context

__all__ = ["tell_lost"]

_NOT_SAVED = 74  # EX_IOERR of sysexits.h


def tell_lost(
    log: logging.Logger, file: Path, why: str, stats: AutosaveStats, restored: Restored
) -> None:
    """Say what there is to go back to; the process ends with a status that is not 0.

    Args:
        log: for the line.
        file: that is not up to date.
        why: it is not.
        stats: of its save set.
        restored: what the newest restore did.
    """
    safe = "none that is safe is known"
    if stats.last_success:
        of = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(stats.last_success))
        safe = f"the newest that is safe is of {of}"
    elif restored.report.path is not None:
        safe = f"the newest that is safe is {restored.report.path.name}"
    log.error("autosave: the last changes are not in %s: %s; %s", file, why, safe)
    with suppress(LookupError):
        context = current_context()
        # A restart that was asked for is one still.
        context.exit_status = context.exit_status or _NOT_SAVED
