"""EPICS Base and ours, each a process of its own, and the same script played on both."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "server"))

from record_client import RecordClient  # noqa: E402 - found by the line above
from record_script import Player  # noqa: E402
from record_servers import Ports, environment  # noqa: E402


@pytest.fixture(scope="module")
def serve(
    tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[Callable[..., Ports]]:
    """Start both servers with the records of a module of this folder: its name, `database()`
    for EPICS Base, and the name of the function that makes ours."""
    with ExitStack() as running:

        def start(module: str, database: str, function: str) -> Ports:
            file = tmp_path_factory.mktemp("records") / "records.db"
            file.write_text(database)
            commands = (
                ["base_records_ioc.py", str(file)],
                ["our_records_ioc.py", module, function],
            )
            found, processes = [], []
            for script, *arguments in commands:
                port = free_port()
                process = subprocess.Popen(
                    [sys.executable, str(HERE / script), *arguments],
                    env=environment(port, free_port()),
                    stdin=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                running.enter_context(process)
                running.callback(process.terminate)
                found.append(port)
                processes.append(process)
            for process in processes:
                assert process.stderr is not None
                lines: list[str] = []
                for line in process.stderr:
                    lines.append(line)
                    if "Server startup complete." in line:
                        break
                assert lines, process.args
                assert "Server startup complete." in lines[-1], "".join(lines)
            return Ports(*found)

        yield start


@pytest.fixture
def clients(ports: Ports) -> Iterator[tuple[RecordClient, RecordClient]]:
    """A circuit to EPICS Base, and one to ours; the module says what they serve."""
    with RecordClient(ports.base) as base, RecordClient(ports.ours) as ours:
        yield base, ours


@pytest.fixture
def play(clients: tuple[RecordClient, RecordClient]) -> Callable[..., list[Any]]:
    """Play a script on both servers; what both have said, which must be the same."""

    def on_both(script: Callable[..., None], *arguments: Any) -> list[Any]:
        said = []
        for client in clients:
            player = Player(client)
            script(player, *arguments)
            said.append(player.log)
        base, ours = said
        differing = [pair for pair in zip(base, ours, strict=True) if pair[0] != pair[1]]
        assert not differing, "\n".join(f"base {a}\nours {b}" for a, b in differing)
        return base

    return on_both
