"""IOCs of the tests as processes, and what their hooks write about themselves."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

IOCS = Path(__file__).parent / "iocs"

StartIoc = Callable[..., Any]


@pytest.fixture
def run_ioc(start_ioc: Callable[..., Any], library: str) -> StartIoc:
    """Start an IOC of `iocs/` by its name, on each library; keywords are those of `start_ioc`."""

    def run(name: str, *arguments: str, **options: Any) -> Any:
        command = [sys.executable, str(IOCS / f"{name}.py"), "--async-lib", library, *arguments]
        return start_ioc(command, **options)

    return run


@pytest.fixture
def run_faulty_ioc(run_ioc: StartIoc) -> Iterator[StartIoc]:
    """The same for IOCs whose hooks fail: their tracebacks are what the test wants."""
    started: list[Any] = []

    def run(name: str, *arguments: str, **options: Any) -> Any:
        started.append(run_ioc(name, *arguments, **options))
        return started[-1]

    yield run
    for process in started:
        if process.process.poll() is None:
            process.stop()
        process.lines[:] = [line for line in process.lines if "Traceback" not in line]


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., str]:
    """Start an IOC that cannot start: exit status 2, and the one line that it says.

    On one library: what the environment says is read before there is a loop. That what ends a
    loop comes out of it as one line on each is in tests/drivers.
    """

    def start(name: str, *arguments: str) -> str:
        ended = subprocess.run(
            [sys.executable, str(IOCS / f"{name}.py"), *arguments, "-q"],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert ended.stdout == ""
        assert ended.returncode == 2, ended.stderr
        lines = ended.stderr.splitlines()
        assert len(lines) == 1, ended.stderr
        return lines[0]

    return start
