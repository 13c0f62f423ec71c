"""One of the clients of `kill_harness`: writes and saves until the IOC dies, then tells.

On stdin comes a line per life of the IOC. On stdout goes "saved" when a first save is acknowledged,
and a line of JSON per life: the newest state that was acknowledged, the newest that may have been
applied, and how many were.
"""

import asyncio
import json
import sys

import aioca
from epicscorelibs.ca.cadef import CAException, Disconnected

TIMEOUT = 10.0  # seconds; the IOC answers in milliseconds unless it is dead


class Client:
    """Counts up, and writes the count to each of its PVs."""

    def __init__(self, number: int) -> None:
        self.prefix = f"kill:{number}:"
        self.count = 0
        self.tried: dict[str, int] = {}
        self.acknowledged: dict[str, int] = {}
        self.saves = 0

    async def live(self) -> None:
        """Until a request fails."""
        aioca.purge_channel_caches()
        try:
            while True:
                done = {}
                for _ in range(3):
                    self.count += 1
                    for name, value in self._values().items():
                        self.tried[name] = self.count
                        await aioca.caput(self.prefix + name, value, wait=True, timeout=TIMEOUT)
                        done[name] = self.count
                done["ticks"] = int(await aioca.caget("kill:ticks", timeout=TIMEOUT))
                # Completes when all that was put before is on disk.
                await aioca.caput("kill:keeper:SAVE", 1, wait=True, timeout=TIMEOUT)
                self.acknowledged |= done
                self.saves += 1
                if self.saves == 1:
                    print("saved", flush=True)
        except (aioca.CANothing, CAException, Disconnected, RuntimeError):
            pass  # all that aioca makes of a circuit that is lost, at one moment or another

    def _values(self) -> dict[str, object]:
        n = self.count
        return {"long": n, "double": n + 0.1, "text": f"state {n}", "array": [n] * (n % 400 + 1)}


async def main(number: int) -> None:
    client = Client(number)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        client.saves = 0
        await client.live()
        print(json.dumps([client.acknowledged, client.tried, client.saves]), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
