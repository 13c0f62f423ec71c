"""The life of an IOC as a process: restore, start, stop, restart, and what may hold it up."""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from raw_circuit import RawCircuit, search

from ioc_ops.ca import Eca
from ioc_ops.server import RESTART

StartIoc = Callable[..., Any]

# What is logged, and when, is decided above the libraries.
ONE_LIBRARY = pytest.mark.parametrize("library", ["asyncio"], indirect=True)


def wait_until(condition: Callable[[], object], timeout: float = 30.0) -> None:
    """Until a process that cannot tell us otherwise has done something."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)


def said(directory: Path) -> list[str]:
    return (directory / "life.log").read_text().splitlines()


def test_restore_comes_before_clients_and_before_every_other_hook(
    run_ioc: StartIoc, tmp_path: Path
) -> None:
    ioc = run_ioc("life", ready=False)
    wait_until(lambda: (tmp_path / "life.log").exists() and said(tmp_path))
    # Restoring: nobody listens, neither TCP nor UDP.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        assert tcp.connect_ex(("127.0.0.1", ioc.port)) == errno.ECONNREFUSED
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", ioc.port))
    assert said(tmp_path) == ["restore second begins restoring"]
    (tmp_path / "go").touch()
    ioc.wait_for("Server startup complete.")
    with RawCircuit(ioc.port) as circuit:
        assert circuit.get(circuit.connect("life:second")).value == 42
    wait_until(lambda: len(said(tmp_path)) >= 5)
    log = said(tmp_path)
    assert log[:2] == ["restore second begins restoring", "restore second ends restoring"]
    assert sorted(line.rpartition(" ")[0] for line in log[2:]) == [
        "scan second=42",
        "startup first, second=42",
        "startup_hook second=42",
    ]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(
    run_ioc: StartIoc, tmp_path: Path, signum: signal.Signals
) -> None:
    (tmp_path / "go").touch()
    ioc = run_ioc("life")
    with RawCircuit(ioc.port) as circuit:
        circuit.connect("life:first")
        ioc.stop(signum)
        with pytest.raises(EOFError):
            circuit.receive()
    assert ioc.process.returncode == 0
    stopping = [line for line in said(tmp_path) if line.endswith(" stopping")]
    # Those of a phase run side by side; which begins is up to the library.
    assert sorted(stopping[:3]) == [
        "shutdown first begins stopping",
        "shutdown first ends stopping",
        "shutdown second stopping",
    ]
    assert sorted(stopping[3:]) == ["save first stopping", "save second stopping"]
    assert any("Server exiting...." in line for line in ioc.lines)


def test_a_stop_that_was_asked_for_from_inside(run_ioc: StartIoc) -> None:
    ioc = run_ioc("plain")
    with RawCircuit(ioc.port) as circuit:
        assert circuit.put(circuit.connect("p:stop"), 1) == Eca.NORMAL
    assert ioc.wait(20.0) == 0


def test_a_restart_answers_its_client_first_and_says_so_with_status_75(run_ioc: StartIoc) -> None:
    ioc = run_ioc("plain", expect_exit=RESTART)
    with RawCircuit(ioc.port) as circuit:
        assert circuit.put(circuit.connect("p:restart"), 1) == Eca.NORMAL
        with pytest.raises(EOFError):
            circuit.receive()
    assert ioc.wait(20.0) == RESTART == 75


@pytest.mark.parametrize(
    ("stuck", "how"),
    [
        ("startup", "thread"),
        ("startup", "deaf"),
        ("shutdown", "waits"),
        ("shutdown", "thread"),
        ("shutdown", "deaf"),
        ("save", "thread"),
    ],
)
def test_a_hook_that_does_not_end_does_not_hold_the_stop(
    run_ioc: StartIoc, tmp_path: Path, stuck: str, how: str
) -> None:
    ioc = run_ioc("stuck", env={"STUCK": stuck, "HOW": how})
    ioc.stop()
    assert ioc.process.returncode == 0
    assert (tmp_path / "stuck").exists()
    assert (tmp_path / "shut").exists()
    assert (tmp_path / "saved").exists()
    told = [line for line in ioc.lines if f"{stuck} hooks were not through" in line]
    assert len(told) == (0 if stuck == "startup" else 1)


def test_many_hooks_that_do_not_end_do_not_hold_the_stop_either(
    run_ioc: StartIoc, tmp_path: Path
) -> None:
    ioc = run_ioc("stuck", env={"STUCK": "startup shutdown save", "HOW": "deaf"})
    ioc.stop()
    assert (tmp_path / "saved").exists()


def test_a_putter_that_does_not_end_does_not_hold_the_stop(
    run_ioc: StartIoc, tmp_path: Path
) -> None:
    ioc = run_ioc("stuck", env={"STUCK": "putter", "HOW": "waits"})
    with RawCircuit(ioc.port) as circuit:
        circuit.start_put(circuit.connect("s:bad"), 1)
        wait_until((tmp_path / "stuck").exists)
        ioc.stop()
    assert (tmp_path / "saved").exists()


@pytest.mark.parametrize(("how", "signum"), [("waits", signal.SIGINT), ("thread", signal.SIGTERM)])
def test_a_restore_that_does_not_end_does_not_hold_the_stop(
    run_ioc: StartIoc, tmp_path: Path, how: str, signum: signal.Signals
) -> None:
    ioc = run_ioc("stuck", env={"STUCK": "restore", "HOW": how}, ready=False)
    wait_until((tmp_path / "stuck").exists)
    ioc.stop(signum)
    assert ioc.process.returncode == 0
    # What was not restored must not be saved over what there is.
    assert not (tmp_path / "saved").exists()


def test_values_and_clients_come_back_on_the_same_port_at_once(run_ioc: StartIoc) -> None:
    ioc = run_ioc("plain")
    for _ in range(2):
        with RawCircuit(ioc.port) as circuit:
            assert circuit.put(circuit.connect("p:number"), 5) == Eca.NORMAL
            ioc.kill()  # with a client connected: its port lingers
        ioc.start()
    assert search("p:number", port=ioc.port) == {"p:number": ioc.port}


# --- what ends the start -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "arguments", "why"),
    [
        ({"EPICS_CAS_SERVER_PORT": "abc"}, [], "EPICS_CAS_SERVER_PORT='abc' is no port"),
        ({"EPICS_CAS_INTF_ADDR_LIST": "192.0.2.1"}, [], "interface 192.0.2.1: this host has no"),
        ({}, ["--interfaces", "192.0.2.1"], "interface 192.0.2.1: this host has no"),
        ({"EPICS_CAS_BEACON_PERIOD": "soon"}, [], "EPICS_CAS_BEACON_PERIOD='soon' is no period"),
        ({"EPICS_CA_MAX_ARRAY_BYTES": "many"}, [], "EPICS_CA_MAX_ARRAY_BYTES"),
        ({}, ["--nonsense"], "--nonsense"),
    ],
)
def test_what_cannot_be_configured_ends_the_start_with_one_line(
    refused: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    arguments: list[str],
    why: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    line = refused("plain", *arguments)
    assert line.startswith("plain.py: error: ")
    assert why in line


def test_a_udp_port_that_another_program_holds_ends_the_start_with_one_line(
    refused: Callable[..., str],
) -> None:
    port = int(os.environ["EPICS_CAS_SERVER_PORT"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        assert f"cannot listen on 127.0.0.1:{port}" in refused("plain")


@ONE_LIBRARY
def test_the_pvs_are_listed_when_asked_for(run_ioc: StartIoc) -> None:
    ioc = run_ioc("plain", "--list-pvs", "--prefix", "my:")
    ioc.wait_for("PVs available:")
    ioc.wait_for("    my:number")
    quiet = run_ioc("plain", "-q", "--prefix", "quiet:", ready=False)
    wait_until(lambda: _found("quiet:number", quiet))
    assert [line for line in quiet.lines if "in use" not in line] == []


def _found(name: str, ioc: Any) -> bool:
    if ioc.process.poll() is not None:
        raise subprocess.CalledProcessError(ioc.process.returncode, ioc.command)
    with contextlib.suppress(TimeoutError, ConnectionError):
        return bool(search(name, port=ioc.port, address="127.255.255.255", timeout=0.1))
    return False
