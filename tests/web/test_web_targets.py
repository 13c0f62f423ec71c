"""http_sd: as an application, and as ``python -m ioc_ops metrics sd``."""

import json
import logging
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from asgi_client import ask
from starlette.applications import Starlette

from ioc_ops.metrics import Registration, Target
from ioc_ops.web.targets import build_targets_app

TARGET = Target("127.0.0.1:9110", {"ioc": "sim", "prefix": "sim:"})


@pytest.fixture
def app(tmp_path: Path) -> Starlette:
    return build_targets_app(tmp_path)


def test_an_empty_directory_is_an_empty_list(app: Starlette) -> None:
    answer = ask(app, "/")
    assert (answer.status, answer.json) == (200, [])
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


def test_all_targets_are_there_at_once(app: Starlette, tmp_path: Path) -> None:
    registration = Registration(tmp_path, "sim")
    registration.begin(TARGET)
    Registration(tmp_path, "two").begin(TARGET)
    assert ask(app, "/targets").json == [TARGET.group(), TARGET.group()]
    registration.end()
    assert ask(app, "/").json == [TARGET.group()]


def test_a_bad_file_is_skipped_and_named_once(
    app: Starlette, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Registration(tmp_path, "sim").begin(TARGET)
    bad = tmp_path / "bad.json"
    for _ in range(2):  # it becomes bad, is mended, becomes bad again
        bad.write_text("{")
        for _ in range(3):
            answer = ask(app, "/")
            assert (answer.status, answer.json) == (200, [TARGET.group()])
        bad.unlink()
        ask(app, "/")
    lines = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(lines) == 2
    assert all("bad.json" in line and "is skipped" in line for line in lines)


def test_a_directory_that_is_gone_is_no_empty_list(app: Starlette, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path)
    assert ask(app, "/").status == 503


def sd(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ioc_ops", "metrics", "sd", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop(
    tmp_path: Path, number: signal.Signals
) -> None:
    Registration(tmp_path, "sim").begin(TARGET)
    with sd(str(tmp_path), "--port", "0") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert url is not None, line
        with urllib.request.urlopen(url[0], timeout=20) as answer:
            assert json.load(answer) == [TARGET.group()]
        process.send_signal(number)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("directory", "options", "words"),
    [
        ("nowhere", (), "no such directory"),
        (".", ("--port", "65536"), "--port"),
        (".", ("--host", "192.0.2.1", "--port", "0"), "--host"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(
    tmp_path: Path, directory: str, options: tuple[str, ...], words: str
) -> None:
    with sd(str(tmp_path / directory), *options) as process:
        _, said = process.communicate(timeout=40)
    assert process.returncode == 2
    assert words in said
    assert len(said.splitlines()) == 1


def test_who_looks_at_save_files_does_not_load_the_http_stack() -> None:
    program = (
        "import sys\nfrom ioc_ops.__main__ import main\n"
        "try: main(['autosave', '-h'])\nexcept SystemExit: pass\n"
        "print([m for m in ('starlette', 'uvicorn', 'prometheus_client') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
