"""`python -m ioc_ops autosave` as a program: at a terminal, in a pipe, with signals."""

import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from live_commands import Commands

from ioc_ops.autosave.fileformat import dumps
from ioc_ops.autosave.snapshot import Snapshot

PIPES = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


def program(directory: Path, *arguments: str, **pipes: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-m", "ioc_ops", "autosave", *arguments]
    return subprocess.Popen(command, cwd=directory, text=True, **pipes)


def wait_until_stuck(commands: Commands, directory: Path, process: subprocess.Popen[str]) -> None:
    """Until a restore of x:a and x:stuck waits for the latter."""
    (directory / "puts.sav").write_text("# autosave R5.3\nx:puts x:a x:stuck\n<END>\n")
    while commands("diff", "puts.sav", "live").status:
        assert process.poll() is None


def waits_for_its_terminal(process: subprocess.Popen[str]) -> bool:
    """Whether the main thread of a process is in a system call on stdin.

    That it sleeps does not say so: it may wait for another thread, libca's for example.
    """
    try:  # the number of the system call, and its arguments
        return Path(f"/proc/{process.pid}/syscall").read_text().split()[1:2] == ["0x0"]
    except OSError:  # not on this kernel, or not permitted
        return psutil.Process(process.pid).status() == psutil.STATUS_SLEEPING


def on_a_terminal(directory: Path, answer: str | None, *arguments: str) -> tuple[int, str]:
    """Exit status, and what the terminal showed; None for Ctrl+C in the place of an answer."""
    ours, theirs = pty.openpty()
    shown, asked = b"", False
    with program(directory, *arguments, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        try:
            while chunk := os.read(ours, 4096):
                shown += chunk
                if asked or b"[y/N]" not in shown:
                    continue
                asked = True
                # A signal between the question and the system call that waits would be heard
                # after an answer only, as in every program that reads a line.
                while not waits_for_its_terminal(process):
                    assert process.poll() is None
                    time.sleep(0.01)
                if answer is None:
                    process.send_signal(signal.SIGINT)
                else:
                    os.write(ours, answer.encode())
        except OSError:  # how Linux tells that nobody has the other end any more
            pass
        finally:
            os.close(ours)
    return process.returncode, shown.decode().replace("\r", "")


def test_a_terminal_without_the_letters_of_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.json").write_bytes(dumps(Snapshot({"x:text": "grün"})))
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    with program(tmp_path, "show", "a.json", **PIPES) as process:
        out, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert "'gr\\xfcn'" in out


@pytest.mark.usefixtures("live_ioc")
def test_somebody_at_a_terminal_is_asked(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(dumps(Snapshot({"x:double": 2.0})))
    status, shown = on_a_terminal(tmp_path, "\x04", "restore", "a.json")  # Ctrl+D
    assert status == 1
    assert "x:double  1.0   2.0    would be written" in shown
    assert "Write 1 PVs? [y/N]" in shown
    assert shown.endswith("nothing was written\n")
    assert commands("diff", "a.json", "live").status == 1
    status, shown = on_a_terminal(tmp_path, "y\n", "restore", "a.json")
    assert (status, shown.splitlines()[-1]) == (0, "1 written")
    status, shown = on_a_terminal(tmp_path, "", "restore", "a.json", "--all", "-y")
    assert status == 0
    assert "[y/N]" not in shown


@pytest.mark.usefixtures("live_ioc")
def test_ctrl_c_at_the_question(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "a.sav").write_text("# autosave R5.3\nx:a 2\nx:stuck 2\nx:m 2\n<END>\n")
    status, shown = on_a_terminal(tmp_path, None, "restore", "a.sav")
    assert (status, shown.splitlines()[-2:]) == (130, ["Write 3 PVs? [y/N] ", "interrupted"])
    assert commands("diff", "a.sav", "live", "--pv", "x:a").status == 1


@pytest.mark.usefixtures("live_ioc")
def test_ctrl_c_while_writing(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "a.sav").write_text("# autosave R5.3\nx:gone 1\nx:a 2\nx:stuck 2\nx:m 2\n<END>\n")
    with program(tmp_path, "restore", "a.sav", "--timeout", "3", **PIPES) as process:
        wait_until_stuck(commands, tmp_path, process)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "interrupted"
    assert "Traceback" not in errors
    rows = [line.split() for line in out.splitlines()]
    assert ["x:gone", "-", "1", "not", "connected"] in rows
    assert ["x:a", "1.0", "2", "written"] in rows
    assert ["x:stuck", "1.0", "2", "not", "completed:", "interrupted"] in rows
    assert not any(row[0] == "x:m" for row in rows)
    assert rows[-1] == ["1", "of", "3", "PVs", "not", "reached"]


@pytest.mark.usefixtures("live_ioc")
def test_all_is_written_although_nobody_reads_the_report(
    commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / "a.sav").write_text("# autosave R5.3\nx:a 2\nx:m 2\n<END>\n")
    with program(tmp_path, "restore", "a.sav", **PIPES) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        errors = process.stderr.read()
    assert (process.returncode, "Error" in errors, "Traceback" in errors) == (141, False, False)
    assert commands("diff", "a.sav", "live").status == 0


@pytest.mark.parametrize(
    ("output", "arguments", "status", "said"),
    [
        ("/dev/full", ["show", "a.json"], 2, "error: output: No space left on device\n"),
        (
            "/dev/full",
            ["diff", "a.json", "b.json"],
            255,
            "error: output: No space left on device\n",
        ),
        ("&-", ["diff", "a.json", "b.json"], 1, ""),
        ("&-", ["show", "gone.json"], 2, "error: gone.json: No such file or directory\n"),
        ("&- 2>&-", ["show", "gone.json"], 2, ""),
        ("&- 2>&-", ["show"], 2, ""),
    ],
)
def test_output_that_takes_nothing(
    tmp_path: Path, output: str, arguments: list[str], status: int, said: str
) -> None:
    for name, value in (("a", 1.0), ("b", 2.0)):
        (tmp_path / f"{name}.json").write_bytes(dumps(Snapshot({"x:a": value})))
    line = [sys.executable, "-W", "error", "-m", "ioc_ops", "autosave", *arguments]
    command = f"{shlex.join(line)} >{output}"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (status, said)


def test_what_differs_is_not_nothing_when_the_reader_has_gone(tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", 2.0)):
        (tmp_path / f"{name}.json").write_bytes(dumps(Snapshot({"x:a": value})))
    ours, theirs = os.pipe()
    os.close(ours)
    with program(tmp_path, "diff", "a.json", "b.json", stdout=theirs, stderr=subprocess.PIPE) as it:
        os.close(theirs)
        _, errors = it.communicate()
    assert (it.returncode, errors) == (141, "")


def test_an_ioc_that_dies_meanwhile_ends_the_restore(
    commands: Commands, tmp_path: Path, live_ioc: Any
) -> None:
    (tmp_path / "a.sav").write_text("# autosave R5.3\nx:a 2\nx:stuck 2\nx:m 2\n<END>\n")
    with program(tmp_path, "restore", "a.sav", "--timeout", "3", **PIPES) as process:
        wait_until_stuck(commands, tmp_path, process)
        live_ioc.kill()
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    rows = {line.split()[0]: " ".join(line.split()[3:]) for line in out.splitlines()}
    assert rows["x:a"] == "differs: not read back, not connected"
    assert rows["x:stuck"] == "not completed: the IOC is gone"
    # libca tells a put of the loss before it tells the channel.
    assert rows["x:m"] in ("not completed: the IOC is gone", "not connected")
