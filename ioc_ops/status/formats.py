"""How iocStats writes times, long texts and counters (devIocStatsString.c, ioc.template)."""

import time

__all__ = ["TEXT_LENGTH", "clip", "next_heartbeat", "split", "time_of_day", "uptime"]

# A stringin record holds 40 bytes, the last of which is the terminating NUL.
TEXT_LENGTH = 39

# HEARTBEAT counts like a signed 32-bit integer and never shows 0 again.
_HEARTBEAT_LAST = 2_147_483_647

_SECONDS_PER_DAY = 86_400


def clip(text: str, size: int = TEXT_LENGTH) -> str:
    """``text`` cut to ``size`` bytes of UTF-8 (default: a DBR_STRING), never inside a character.

    What is no UTF-8 (a path, an environment variable) becomes question marks.
    """
    return text.encode(errors="replace")[:size].decode(errors="ignore")


def split(text: str) -> tuple[str, str]:
    """The first and the second 39 bytes of ``text`` (APP_DIR1 and APP_DIR2)."""
    first = clip(text)
    return first, clip(text[len(first) :])


def uptime(seconds: float) -> str:
    """A duration as ``"HH:MM:SS"``, ``"1 day, HH:MM:SS"`` or ``"N days, HH:MM:SS"``."""
    days, rest = divmod(max(0, int(seconds)), _SECONDS_PER_DAY)
    clock = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
    if days == 0:
        return clock
    return f"{days} day{'s' if days > 1 else ''}, {clock}"


def time_of_day(unix_seconds: float) -> str:
    """Local wall-clock time as ``"MM/DD/YYYY HH:MM:SS"`` (TODFORMAT of the shipped databases)."""
    return time.strftime("%m/%d/%Y %H:%M:%S", time.localtime(unix_seconds))


def next_heartbeat(count: float) -> int:
    """The value of HEARTBEAT one second after ``count``: 1 to 2147483647, then 1 again."""
    return int(count) + 1 if 0 <= count < _HEARTBEAT_LAST else 1
