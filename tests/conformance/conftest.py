"""Both servers, each a process of its own on ports of its own, for all tests of this folder."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from wire_client import Connection

HERE = Path(__file__).parent


class Ports(NamedTuple):
    """Where the two servers listen."""

    base: int
    ours: int


def environment(port: int, beacons: int) -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("EPICS_", "CAPROTO_"))}
    return own | {
        "EPICS_CA_ADDR_LIST": "127.0.0.1",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_SERVER_PORT": str(port),
        "EPICS_CA_REPEATER_PORT": str(beacons),
        "EPICS_CAS_SERVER_PORT": str(port),
        "EPICS_CAS_INTF_ADDR_LIST": "127.0.0.1",
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": "127.0.0.1",
        "EPICS_CAS_BEACON_PORT": str(beacons),
        # So that both refuse the same sizes.
        "EPICS_CA_AUTO_ARRAY_BYTES": "NO",
        "EPICS_CA_MAX_ARRAY_BYTES": "100000",
    }


@pytest.fixture(scope="package")
def ports(free_port: Callable[[], int]) -> Iterator[Ports]:
    """Both servers, started side by side."""
    with ExitStack() as running:
        found, processes = [], []
        for script in ("base_ioc.py", "plain_ioc.py"):
            port = free_port()
            process = subprocess.Popen(
                [sys.executable, str(HERE / script)],
                env=environment(port, free_port()),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # The reference reports each bad request on stderr.
                stderr=subprocess.DEVNULL if script == "base_ioc.py" else None,
                text=True,
            )
            running.enter_context(process)
            running.callback(process.terminate)
            found.append(port)
            processes.append(process)
        for process in processes:
            assert process.stdout is not None
            assert "ready\n" in process.stdout, process.args  # the reference says more than that
        yield Ports(*found)


@pytest.fixture
def connect(ports: Ports) -> Iterator[Callable[[], tuple[Connection, Connection]]]:
    """Connections to the reference and to ours."""
    with ExitStack() as opened:

        def make(**arguments: int) -> tuple[Connection, Connection]:
            pair = Connection(ports.base, **arguments), Connection(ports.ours, **arguments)
            for connection in pair:
                opened.callback(connection.close)
            return pair

        yield make
