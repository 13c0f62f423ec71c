"""One IOC source as two processes: under caproto as it stands, and under ours."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parent / "moved_ioc.py"


class Ports(NamedTuple):
    """Where the two servers listen."""

    caproto: int
    ours: int


def moved(source: str) -> str:
    """An IOC of caproto's with its imports changed: all that moving takes."""
    return re.sub(r"^(from|import) caproto\b", r"\1 ioc_ops", source, flags=re.MULTILINE)


def environment(port: int, beacons: int) -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("EPICS_", "CAPROTO_"))}
    return own | {
        "EPICS_CA_ADDR_LIST": "127.0.0.1",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_SERVER_PORT": str(port),
        "EPICS_CA_REPEATER_PORT": str(beacons),
        "EPICS_CAS_INTF_ADDR_LIST": "127.0.0.1",
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": "127.0.0.1",
        "EPICS_CAS_BEACON_PORT": str(beacons),
    }


@contextmanager
def both_running(directory: Path, free_port: Callable[[], int]) -> Iterator[Ports]:
    """Start both side by side, ours from a copy of the source in `directory`."""
    ours = directory / "moved_ioc.py"
    ours.write_text(moved(SOURCE.read_text(encoding="utf-8")), encoding="utf-8")
    found = [free_port() for _ in range(4)]
    with ExitStack() as running:
        processes = []
        for script, port, beacons in ((SOURCE, *found[:2]), (ours, *found[2:])):
            process = subprocess.Popen(
                [sys.executable, str(script)],
                env=environment(port, beacons),
                stdout=subprocess.PIPE,
                # Both log each refused write.
                stderr=subprocess.DEVNULL,
                text=True,
            )
            running.enter_context(process)
            running.callback(process.terminate)
            processes.append(process)
        for process in processes:
            assert process.stdout is not None
            assert "ready\n" in process.stdout, process.args
        yield Ports(found[0], found[2])
