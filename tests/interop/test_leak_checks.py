"""The checks that tests/conftest.py makes of every test do find what they look for."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = (Path(__file__).parents[1] / "conftest.py").read_text(encoding="utf-8")

CLEAN = '''
import asyncio, os, queue, socket, threading, time
import pytest

@pytest.fixture(scope="module")
def server():
    """It outlives the test and is not quick."""
    ends = queue.Queue()

    def work():
        while (end := ends.get()) is not None:
            time.sleep(0.2)
            end.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield ends
    ends.put(None)
    thread.join()

def test_it(ioc, server):
    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
    asyncio.run(main())
    thread = threading.Thread(target=print)
    thread.start()
    thread.join()
    one, other = socket.socketpair()
    one.close()
    server.put(other)
    assert os.environ["EPICS_CA_ADDR_LIST"] == "127.0.0.1"
'''

LEAKS = {
    "task": """
import asyncio

def test_it():
    async def main():
        global kept
        kept = asyncio.create_task(asyncio.sleep(60))
    asyncio.run(main())
""",
    "thread": """
import threading

def test_it():
    threading.Thread(target=threading.Event().wait, daemon=True).start()
""",
    "descriptor": """
import socket

def test_it():
    global kept
    kept = socket.socket()
""",
}

ENDS = {
    "exit status 3, expected 0": "import sys; print('Server startup complete.', file=sys.stderr);"
    " sys.stdin.read(); sys.exit(3)",
    "a traceback on stderr": "import sys, traceback\nprint('Server startup complete.',"
    " file=sys.stderr)\ntry:\n  1/0\nexcept ZeroDivisionError:\n  traceback.print_exc()",
    "it still ran 1 s after SIGTERM": "import signal, sys, time;"
    " signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " print('Server startup complete.', file=sys.stderr, flush=True); time.sleep(60)",
}


def outcome(directory: Path, text: str) -> tuple[int, str]:
    """Exit status and output of pytest for a test file under our conftest.py, in less patience."""
    ours, replaced = re.subn(r"(?m)^(JOIN|STOP)_TIMEOUT = [\d.]+", r"\1_TIMEOUT = 1.0", CONFTEST)
    assert replaced == 2
    (directory / "conftest.py").write_text(ours)
    (directory / "test_it.py").write_text(text)
    (directory / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_clean_test_passes(tmp_path: Path) -> None:
    status, output = outcome(tmp_path, CLEAN)
    assert status == 0, output


@pytest.mark.parametrize("kind", LEAKS)
def test_a_leak_is_found_and_named(tmp_path: Path, kind: str) -> None:
    status, output = outcome(tmp_path, LEAKS[kind])
    assert status == 1, output
    assert f"the test left behind:\n  {kind} " in output


@pytest.mark.parametrize("reason", ENDS)
def test_a_bad_end_of_an_ioc_is_found(tmp_path: Path, reason: str) -> None:
    (tmp_path / "program.py").write_text(ENDS[reason])
    text = "import time\ndef test_it(ioc):\n    process = ioc('program')\n"
    if "still ran" not in reason:
        text += "    process.wait(10)\n"
    status, output = outcome(
        tmp_path, text.replace("ioc('program')", f"ioc('program', cwd={str(tmp_path)!r})")
    )
    assert status == 1, output
    assert reason in output
