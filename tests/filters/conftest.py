"""The same PVs twice: served by EPICS Base, and by us."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filter_client import HOST, Client, Pair

HERE = Path(__file__).parent
STOP_TIMEOUT = 20.0  # seconds


@contextmanager
def _serving(script: str, ready: str, free_port: Callable[[], int]) -> Iterator[int]:
    """Run an IOC of this directory; its port."""
    port, beacons = str(free_port()), str(free_port())
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("EPICS_", "NOTIFY"))}
    environment |= {
        "EPICS_CA_SERVER_PORT": port,
        "EPICS_CAS_SERVER_PORT": port,
        "EPICS_CAS_INTF_ADDR_LIST": HOST,
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": HOST,
        "EPICS_CAS_BEACON_PORT": beacons,
        "EPICS_CA_REPEATER_PORT": beacons,
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_ADDR_LIST": HOST,
    }
    process = subprocess.Popen(
        [sys.executable, str(HERE / script)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    lines = []
    try:
        while ready not in (line := process.stdout.readline()):
            lines.append(line)
            assert line, "the IOC did not start:\n" + "".join(lines)
        yield int(port)
    finally:
        process.stdin.close()
        process.terminate()
        process.wait(STOP_TIMEOUT)
        process.stdout.close()


@pytest.fixture(scope="session")
def base_port(free_port: Callable[[], int]) -> Iterator[int]:
    """Port of an IOC of EPICS Base."""
    with _serving("base_ioc.py", "READY", free_port) as port:
        yield port


@pytest.fixture(scope="session")
def our_port(free_port: Callable[[], int]) -> Iterator[int]:
    """Port of an IOC of ours."""
    with _serving("filtered_ioc.py", "Server startup complete.", free_port) as port:
        yield port


@pytest.fixture
def pair(base_port: int, our_port: int) -> Iterator[Pair]:
    """A client of Base's and one of ours."""
    made = Pair(Client(base_port), Client(our_port))
    yield made
    made.base.close()
    made.ours.close()
