"""`make demo`, as a process without a terminal."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(180)  # two IOCs and four clients, each a process that starts
DEMO = [sys.executable, "-m", "ioc_ops.examples.demo"]
PVS = ("demo:setpoint", "demo:mode", "demo:counts", "demo:label", "demo:waveform")

# An IOC like that of the demo which keeps nothing.
FORGETFUL = """
from ioc_ops.examples.demo_ioc import DemoIOC
from ioc_ops.server import PVGroup, SubGroup, ioc_arg_parser, pvproperty, run

class NoAutosave(PVGroup):
    save = pvproperty(value=0, name="SAVE")

class Forgetful(DemoIOC):
    autosave = SubGroup(NoAutosave)

if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="demo:", desc="")
    run(Forgetful(**ioc_options).pvdb, **run_options)
"""


@pytest.fixture(autouse=True)
def own_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """So that a test sees what the demo leaves there."""
    path = tmp_path / "tmp"
    path.mkdir()
    monkeypatch.setenv("TMPDIR", str(path))
    return path


def run_once(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DEMO, "--once", *arguments],
        env=os.environ | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def test_every_value_comes_back(own_temporary_directory: Path) -> None:
    done = run_once()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    rows = [line.split() for line in done.stdout.splitlines() if line.endswith("✓")]
    assert [row[0] for row in rows] == list(PVS)
    assert "kill -9" in done.stdout
    assert re.search(r"http://127\.0\.0\.1:\d+/metrics \(\d+ samples\)", done.stdout)
    assert "Stopped in an orderly way" in done.stdout
    assert list(own_temporary_directory.iterdir()) == []


def test_a_lost_value_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "forgetful.py").write_text(FORGETFUL)
    done = run_once("--ioc", "forgetful", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.count("✗ LOST") == len(PVS)
    assert done.stderr.startswith("demo failed: 5 of 5 values lost")
    assert done.stderr.count("\n") == 1


def test_an_ioc_that_does_not_start_is_a_failure() -> None:
    done = run_once("--ioc", "no_such_module")
    assert done.returncode == 1
    assert done.stderr == "demo failed: the IOC did not start; its last lines are above\n"
    assert "No module named no_such_module" in done.stdout


def test_a_terminal_without_check_marks() -> None:
    done = run_once(PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all 5 values came back" in done.stdout


@pytest.fixture
def demo() -> Iterator[subprocess.Popen[str]]:
    """The demo as the user starts it, without --once."""
    with subprocess.Popen(
        DEMO,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process
        process.kill()


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """The output up to and with the first line that contains `text`."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    pytest.fail(f"no {text!r} in:\n{seen}")


def serves(port: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", int(port)), timeout=20).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_it_runs_on_until_ctrl_c(demo: subprocess.Popen[str], signum: signal.Signals) -> None:
    seen = read_until(demo, "Ctrl+C here stops it.")
    (port,) = re.findall(r"EPICS_CA_SERVER_PORT=(\d+)", seen)
    assert "caget demo:setpoint" in seen
    assert serves(port)
    demo.send_signal(signum)
    read_until(demo, "Stopped in an orderly way")
    assert demo.wait(20) == 0
    assert not serves(port)


def test_told_to_end_half_way_it_takes_its_ioc_along(
    demo: subprocess.Popen[str], own_temporary_directory: Path
) -> None:
    seen = read_until(demo, "serving on")
    (port,) = re.findall(r"serving on 127\.0\.0\.1:(\d+)", seen)
    demo.send_signal(signal.SIGTERM)
    assert demo.wait(20) == 130
    assert not serves(port)
    assert list(own_temporary_directory.iterdir()) == []
