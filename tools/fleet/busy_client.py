"""A client that keeps IOCs busy: `python tools/fleet/busy_client.py PREFIX...`, until it is ended.

It watches the temperature of each, sets its offset and reads its set point.
"""

import asyncio
import itertools
import sys

import aioca

PERIOD = 0.5


async def main(prefixes: list[str]) -> None:
    """Go on for ever; an IOC that does not answer keeps nobody else waiting."""
    names = [f"{prefix}temperature" for prefix in prefixes]
    watched = aioca.camonitor(names, lambda value, index: None, notify_disconnect=True)
    # Tracing costs time: one of them will do.
    await aioca.caput(f"{prefixes[0]}Mem:EnableTracing", 1, throw=False)
    try:
        await asyncio.gather(*(use(prefix) for prefix in prefixes))
    finally:
        for monitor in watched:
            monitor.close()


async def use(prefix: str) -> None:
    """A write and a read every PERIOD, for ever."""
    for turn in itertools.count():
        await aioca.caput(f"{prefix}offset", turn % 5, wait=True, timeout=2, throw=False)
        await aioca.caget(f"{prefix}setpoint", timeout=2, throw=False)
        await asyncio.sleep(PERIOD)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
