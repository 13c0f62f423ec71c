"""Kill an IOC under load, again and again, and see that no acknowledged value is lost.

    python tests/autosave/kill_harness.py --kills 200

Three clients (libca) write with put-callback and ask for saves; the IOC saves by itself besides,
and one PV changes 200 times a second. At a random moment, every fifth time during the start, the
IOC gets SIGKILL. After the next start each PV must have the newest acknowledged value, or one
that was written after it. Exit status 1 if one has not.
"""

import argparse
import asyncio
import json
import os
import random
import re
import socket
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).parent
CLIENTS = 3
READY = b"Server startup complete."
START_TIMEOUT = 30.0
TALK_TIMEOUT = 30.0


def free_port() -> int:
    """None that the system gives to clients, which would have it while the IOC is dead."""
    while True:
        port = random.randrange(12_000, 32_000)
        with (
            suppress(OSError),
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
            return port


def use_own_network(ports: Sequence[int]) -> None:
    """Speak to nobody but the IOC, on ports of its own; libca reads this when it is loaded."""
    server, repeater = map(str, ports)
    os.environ |= {
        "EPICS_CA_ADDR_LIST": "127.0.0.1",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_SERVER_PORT": server,
        "EPICS_CA_REPEATER_PORT": repeater,
        "EPICS_CAS_SERVER_PORT": server,
        "EPICS_CAS_INTF_ADDR_LIST": "127.0.0.1",
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1]), *sys.path]),
    }


class Harness:
    """The IOC, its clients, and what each value must at least be."""

    def __init__(self, file: Path, seed: int) -> None:
        self.file = file
        self.random = random.Random(seed)
        self.least: dict[str, int] = {"kill:ticks": 0}
        self.most: dict[str, float] = {"kill:ticks": float("inf")}
        self.saves = 0
        self.wrong: list[str] = []
        self._clients: list[asyncio.subprocess.Process] = []
        self._ioc: asyncio.subprocess.Process | None = None

    async def start_clients(self) -> None:
        for number in range(CLIENTS):
            # libca says of each lost circuit that it is lost: of no interest, but for the last.
            with self._log_of(number).open("w") as log:
                self._clients.append(
                    await asyncio.create_subprocess_exec(
                        sys.executable,
                        str(HERE / "kill_client.py"),
                        str(number),
                        stdin=asyncio.subprocess.PIPE,
                        stdout=asyncio.subprocess.PIPE,
                        stderr=log,
                    )
                )

    def _log_of(self, number: int) -> Path:
        return self.file.parents[1] / f"client{number}.log"

    async def stop(self) -> None:
        if self._ioc is not None and self._ioc.returncode is None:
            self._ioc.kill()
            await self._ioc.communicate()
        for client in self._clients:
            assert client.stdin is not None
            client.stdin.close()
            await client.wait()

    async def start_ioc(self) -> asyncio.subprocess.Process:
        self._ioc = await asyncio.create_subprocess_exec(
            sys.executable,
            str(HERE / "kill_ioc.py"),
            cwd=self.file.parents[1],
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        return self._ioc

    async def until_ready(self, ioc: asyncio.subprocess.Process) -> None:
        assert ioc.stderr is not None
        while READY not in (line := await ioc.stderr.readline()):
            if not line:
                raise RuntimeError(f"the IOC has ended: {await ioc.wait()}")
            if b"ERROR" in line or b"cannot" in line or b"not restored" in line:
                self.wrong.append(line.decode().strip())

    async def kill_in_start(self) -> None:
        ioc = await self.start_ioc()
        await asyncio.sleep(self.random.uniform(0.0, 1.0))
        ioc.kill()
        await ioc.communicate()

    async def kill_under_load(self) -> None:
        ioc = await self.start_ioc()
        await asyncio.wait_for(self.until_ready(ioc), START_TIMEOUT)
        await self.check()
        for client in self._clients:
            assert client.stdin is not None
            client.stdin.write(b"go\n")
        # However slow the machine is: there is something to lose.
        assert await self._said(0) == b"saved\n"
        await asyncio.sleep(self.random.uniform(0.0, 0.5))
        ioc.kill()
        await ioc.communicate()
        for number in range(len(self._clients)):
            while (line := await self._said(number)) == b"saved\n":
                pass
            acknowledged, tried, saves = json.loads(line)
            self.saves += saves
            self._note(number, acknowledged, tried)

    async def _said(self, number: int) -> bytes:
        stdout = self._clients[number].stdout
        assert stdout is not None
        line = await asyncio.wait_for(stdout.readline(), TALK_TIMEOUT)
        if not line:
            raise RuntimeError(f"a client has ended: {self._log_of(number).read_text()[-2000:]}")
        return line

    def _note(self, number: int, acknowledged: Mapping[str, int], tried: Mapping[str, int]) -> None:
        for name, count in acknowledged.items():
            pv = "kill:ticks" if name == "ticks" else f"kill:{number}:{name}"
            self.least[pv] = max(count, self.least.get(pv, 0))
        self.most |= {f"kill:{number}:{name}": count for name, count in tried.items()}

    async def check(self) -> None:
        """Read all PVs, and compare."""
        import aioca

        aioca.purge_channel_caches()
        pvs = sorted(self.least)
        for pv, value in zip(pvs, await aioca.caget(pvs, timeout=TALK_TIMEOUT), strict=True):
            count = count_in(pv, value)
            if not self.least[pv] <= count <= self.most.get(pv, float("inf")):
                self.wrong.append(
                    f"{pv} is {count}: acknowledged {self.least[pv]}, written {self.most.get(pv)}"
                )
        aioca.purge_channel_caches()
        bad = [path.name for path in self.file.parent.glob("*.bad_*")]
        if bad:
            self.wrong.append(f"files that did not verify: {bad}")


def count_in(pv: str, value: object) -> int:
    """The count that a client has written; -1 for a mixture of two."""
    if pv.endswith(":text"):
        match = re.fullmatch(r"state (\d+)|0", str(value))
        return -1 if match is None else int(match[1] or 0)
    if pv.endswith(":array"):
        count, *others = list(value)  # type: ignore[call-overload]
        whole = set(others) <= {count} and len(others) == int(count) % 400
        return int(count) if whole else -1
    number = float(value)  # type: ignore[arg-type]
    return int(number)


async def kill(kills: int, seed: int, file: Path) -> Harness:
    """Kill the IOC so often, and look once more after the last time."""
    harness = Harness(file, seed)
    await harness.start_clients()
    try:
        for number in range(kills):
            if number % 5 == 4:
                await harness.kill_in_start()
            else:
                await harness.kill_under_load()
            if number % 20 == 19:
                print(f"{number + 1} kills, {harness.saves} acknowledged saves", flush=True)
            if harness.wrong:
                break
        ioc = await harness.start_ioc()
        await asyncio.wait_for(harness.until_ready(ioc), START_TIMEOUT)
        await harness.check()
        ioc.terminate()
        await ioc.communicate()
        if ioc.returncode != 0:
            harness.wrong.append(f"exit status {ioc.returncode} after SIGTERM")
    finally:
        await harness.stop()
    left = [path.name for path in file.parent.glob(".*.tmp")]
    if left:
        harness.wrong.append(f"left behind: {left}")
    return harness


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill an IOC under load; see that nothing is lost")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--ports", type=int, nargs=2, default=(free_port(), free_port()))
    options = parser.parse_args()
    use_own_network(options.ports)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "state", "kill.json")
        harness = asyncio.run(kill(options.kills, options.seed, file))
    for line in harness.wrong:
        print("WRONG:", line)
    print(
        f"{options.kills} kills (seed {options.seed}), {harness.saves} acknowledged saves, "
        f"{len(harness.wrong)} wrong, {time.monotonic() - began:.0f} s"
    )
    return 1 if harness.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
