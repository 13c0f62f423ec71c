"""Beacons: short pauses after the start, doubling to the period (``online_notify.c``)."""

from collections.abc import Iterator

from ioc_ops.ca import Beacon, pack_beacon

__all__ = ["beacons"]

_FIRST_PAUSE = 0.02


def beacons(port: int, period: float) -> Iterator[tuple[bytes, float]]:
    """Datagrams to send, each with the pause in seconds that follows it; never ends."""
    pause, sequence = min(_FIRST_PAUSE, period), 0
    while True:
        yield pack_beacon(Beacon(port, sequence)), pause
        pause = min(pause * 2, period)
        sequence += 1
