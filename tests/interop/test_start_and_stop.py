"""Starts that cannot succeed, and stops that were asked for, of IOCs as processes."""

import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

HOST = "127.0.0.1"
HOOKED = str(Path(__file__).parent / "hooked_ioc.py")
BAD_CONFIGURATION = 2
START_TIMEOUT = 30.0  # seconds; a loaded machine takes its time to import

# For what happens before there is a loop, or is the same in tests/drivers on each library.
ONE_LIBRARY = pytest.mark.parametrize("library", ["asyncio"], indirect=True)


def complaint(process: Any) -> str:
    """The one line on stderr, beside the log's [I]nformation, of a start that failed."""
    assert process.wait(START_TIMEOUT) == BAD_CONFIGURATION, "\n".join(process.lines)
    assert not any("Server startup complete." in line for line in process.lines)
    (line,) = [line for line in process.lines if not line.startswith("[I ")]
    return str(line)


@ONE_LIBRARY
@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["--nonsense"], "--nonsense"),
        (["--prefix"], "--prefix"),
        (["-q", "-v"], "-v"),
        (["--metrics-port", "many"], "many"),
        (["--metrics-port", "65536"], "65536"),
        (["--async-lib", "twisted"], "twisted"),
        # 203.0.113.0/24 is for documentation: no interface has such an address.
        (["--interfaces", "203.0.113.7"], "203.0.113.7"),
        (["--interfaces", "no-such-host.invalid"], "no-such-host.invalid"),
        (["--metrics-port", "0", "--metrics-host", "203.0.113.7"], "203.0.113.7"),
    ],
    ids=" ".join,
)
def test_broken_command_line(ioc: Any, arguments: list[str], culprit: str) -> None:
    process = ioc("ioc_ops.examples.simple", *arguments, ready=False, expect_exit=2)
    assert culprit in complaint(process)


@ONE_LIBRARY
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EPICS_CAS_SERVER_PORT", "nonsense"),
        ("EPICS_CAS_SERVER_PORT", "0"),
        ("EPICS_CAS_SERVER_PORT", "65536"),
        ("EPICS_CAS_SERVER_PORT", "-1"),
        ("EPICS_CAS_BEACON_PORT", "nonsense"),
        ("EPICS_CAS_BEACON_PERIOD", "often"),
        ("EPICS_CAS_INTF_ADDR_LIST", "203.0.113.7"),
        ("EPICS_CAS_BEACON_ADDR_LIST", "127.0.0.1:often"),
        ("EPICS_CA_MAX_ARRAY_BYTES", "lots"),
    ],
)
def test_broken_environment(ioc: Any, name: str, value: str) -> None:
    process = ioc("ioc_ops.examples.simple", env={name: value}, ready=False, expect_exit=2)
    assert value in complaint(process)


@ONE_LIBRARY
@pytest.mark.parametrize("name", ["EPICS_CAS_BEACON_ADDR_LIST", "EPICS_CAS_IGNORE_ADDR_LIST"])
def test_a_host_that_nobody_knows_keeps_no_ioc_from_starting(ioc: Any, name: str) -> None:
    process = ioc("ioc_ops.examples.simple", env={name: "no-such-host.invalid"})
    [warning] = [line for line in process.lines if name in line]
    assert "no-such-host.invalid" in warning


@ONE_LIBRARY
def test_port_that_another_program_holds(ioc: Any, ca_environment: dict[str, str]) -> None:
    port = int(ca_environment["EPICS_CAS_SERVER_PORT"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, port))  # alone: no SO_REUSEADDR as an IOC would have it
        process = ioc("ioc_ops.examples.simple", ready=False, expect_exit=2)
        assert str(port) in complaint(process)


def test_metrics_port_in_use(ioc: Any) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = str(other.getsockname()[1])
        process = ioc("ioc_ops.examples.simple", "--metrics-port", port, ready=False, expect_exit=2)
        assert port in complaint(process)


def test_save_directory_that_is_a_file(ioc: Any, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("not a directory")
    process = ioc("ioc_ops.examples.demo_ioc", ready=False, expect_exit=2)
    assert "state" in complaint(process)
    assert (tmp_path / "state").read_text() == "not a directory"


@ONE_LIBRARY
def test_two_iocs_on_one_host_and_port(ioc: Any) -> None:
    """The second gets another TCP port; both are found by searches on the first."""
    first = ioc("ioc_ops.examples.simple", "--prefix", "one:")
    second = ioc("ioc_ops.examples.simple", "--prefix", "two:")
    ports = {process.wait_for("Listening on").rpartition(":")[2] for process in (first, second)}
    assert str(first.port) in ports
    assert len(ports) == 2


@pytest.fixture
def hooked(start_ioc: Any, library: str) -> Callable[..., Any]:
    """Start the IOC with shutdown hooks; the keywords are those of `start_ioc`."""
    return partial(start_ioc, [sys.executable, HOOKED, "--async-lib", library])


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_stop_runs_shutdown_hooks(
    hooked: Callable[..., Any], tmp_path: Path, signum: signal.Signals
) -> None:
    process = hooked()
    process.stop(signum)
    assert ((tmp_path / "first").read_text(), (tmp_path / "second").read_text()) == ("1", "2")


@pytest.mark.parametrize("behaviour", ["raises", "hangs"])
def test_a_bad_shutdown_hook_spoils_neither_the_others_nor_the_stop(
    hooked: Callable[..., Any], tmp_path: Path, behaviour: str
) -> None:
    process = hooked(env={"SHUTDOWN": behaviour}, expect_traceback=behaviour == "raises")
    process.stop()
    assert not (tmp_path / "first").exists()
    assert (tmp_path / "second").read_text() == "2"


def test_stop_with_a_client_connected(ioc: Any, client: Any) -> None:
    process = ioc("ioc_ops.examples.random_walk")
    client("connect", "random_walk:x")
    client("monitor", "random_walk:x")
    assert client("event", "random_walk:x") is not None
    process.stop()
    client("wait_connected", "random_walk:x", connected=False)


def test_stop_while_starting(ioc: Any) -> None:
    """Between its first line and readiness SIGTERM must neither be lost nor end in a traceback."""
    process = ioc("ioc_ops.examples.demo_ioc", ready=False)
    process.wait_for("starting up")
    process.stop()


@ONE_LIBRARY
def test_list_pvs_and_prefix(ioc: Any) -> None:
    process = ioc("ioc_ops.examples.simple", "--list-pvs", "--prefix", "mine:")
    process.wait_for("mine:C")
    listed = [line.strip() for line in process.lines if line.strip().startswith("mine:")]
    assert listed == ["mine:A", "mine:B", "mine:C"]


def test_metrics_of_an_example(ioc: Any, free_port: Callable[[], int]) -> None:
    from urllib.request import urlopen

    port = free_port()
    ioc("ioc_ops.examples.simple", "--metrics-port", str(port))
    with urlopen(f"http://{HOST}:{port}/metrics", timeout=20) as response:
        assert b"epics_ioc_" in response.read()
    with urlopen(f"http://{HOST}:{port}/healthz", timeout=20) as response:
        assert response.status == 200
