"""One save file has one user: within a process, between two, and over a restart."""

import argparse
import errno
import io
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import one_shot_client as client
import pytest
from fake_disk import FakeDisk

from ioc_ops.autosave.commands.console import Console
from ioc_ops.autosave.commands.listing import run_list
from ioc_ops.autosave.fileformat import compose, value_line
from ioc_ops.autosave.files.filesystem import FileSystem
from ioc_ops.autosave.files.generations import RotatingFileManager
from ioc_ops.autosave.image import SaveImage
from ioc_ops.autosave.session import SaveSession
from ioc_ops.errors import AutosaveError, ConfigurationError

HERE = Path(__file__).parent
HOLD = """
import sys
from ioc_ops.autosave import RotatingFileManager
manager = RotatingFileManager(sys.argv[1])
manager.prepare()
print("held", flush=True)
sys.stdin.read()
manager.close()
"""


def content(number: int) -> list[bytes]:
    return compose([value_line("pv", number)], saved_at=0.0, serial=number, ioc="x:")


class Holder:
    """Another process that uses a save file."""

    def __init__(self, file: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, file],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "held\n"

    def end(self) -> None:
        self.process.communicate()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def hold() -> Iterator[Callable[[Path], Holder]]:
    holders: list[Holder] = []

    def start(file: Path) -> Holder:
        holders.append(Holder(file))
        return holders[-1]

    yield start
    for holder in holders:
        if holder.process.returncode is None:
            holder.kill()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., RotatingFileManager]]:
    made: list[RotatingFileManager] = []

    def manager(name: str = "my.json", **options: Any) -> RotatingFileManager:
        made.append(RotatingFileManager(tmp_path / name, **{"lock_timeout": 0.1} | options))
        return made[-1]

    yield manager
    for each in made:
        each.close()


Make = Callable[..., RotatingFileManager]
Hold = Callable[[Path], Holder]


def test_a_second_process_learns_who_has_the_file(make: Make, hold: Hold, tmp_path: Path) -> None:
    holder = hold(tmp_path / "my.json")
    manager = make()
    with pytest.raises(ConfigurationError) as caught:
        manager.prepare()
    assert re.fullmatch(
        rf"autosave: {re.escape(str(tmp_path))}/my\.json is in use by another IOC "
        rf"\(pid {holder.process.pid} on {re.escape(os.uname().nodename)}, since 2\S+ \S+\): "
        r"stop that one, or give this one another file",
        str(caught.value),
    )
    # Nothing of it may reach the disk, whatever its caller makes of the error.
    with pytest.raises(AutosaveError, match="is in use by another IOC"):
        manager.save(content(1))
    # Not even when the other one is gone: it has saved what this one has not read.
    holder.kill()
    with pytest.raises(AutosaveError, match="is in use by another IOC"):
        manager.save(content(1))
    assert not (tmp_path / "my.json").exists()
    manager.prepare()
    manager.save(content(1))


@pytest.mark.parametrize("end", [Holder.end, Holder.kill])
def test_the_lock_goes_with_its_holder(
    make: Make, hold: Hold, tmp_path: Path, end: Callable[[Holder], None]
) -> None:
    end(hold(tmp_path / "my.json"))
    manager = make(lock_timeout=0)
    manager.prepare()
    manager.save(content(1))


def test_a_restart_waits_for_the_last_save_of_the_old_process(
    make: Make, hold: Hold, tmp_path: Path
) -> None:
    holder = hold(tmp_path / "my.json")
    ending = threading.Timer(0.3, holder.end)
    ending.start()
    manager = make(lock_timeout=30)
    manager.prepare()
    ending.join()
    manager.save(content(1))


def test_two_in_one_process_are_told_at_once(make: Make) -> None:
    first, second = make(lock_timeout=60), make(lock_timeout=60)
    first.prepare()
    first.prepare()  # it has it already
    with pytest.raises(ConfigurationError, match=r"my\.json is in use by another autosave of this"):
        second.prepare()
    first.close()
    second.prepare()
    second.save(content(1))


def test_two_files_of_one_directory_do_not_meet(make: Make) -> None:
    for name in ("my.json", "my_fast.json", "my.sav"):
        make(name).prepare()


def test_a_link_to_the_file_is_the_file(make: Make, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("my.json")
    make().prepare()
    with pytest.raises(ConfigurationError, match=r"link\.json is in use by another autosave"):
        make("link.json").prepare()


def test_a_session_holds_the_lock_until_it_is_closed(make: Make) -> None:
    session = SaveSession(make(), SaveImage("x:", carry_seconds=1.0))
    session.open()
    with pytest.raises(ConfigurationError, match="in use"):
        make().prepare()
    session.close()
    session.close()
    make().prepare()


def test_a_start_that_fails_leaves_no_lock(tmp_path: Path) -> None:
    class ReadOnly(FileSystem):
        def create(self, path: Path) -> int:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    failed = RotatingFileManager(tmp_path / "my.json", file_system=ReadOnly())
    with pytest.raises(ConfigurationError, match="Read-only file system"):
        failed.prepare()
    manager = RotatingFileManager(tmp_path / "my.json", lock_timeout=0)
    manager.prepare()
    manager.close()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_worker_does_not_keep_the_lock(make: Make) -> None:
    manager = make()
    manager.prepare()
    to_worker, to_us = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:  # a worker that outlives its IOC
        os.close(to_worker[1])
        os.write(to_us[1], b"!")
        os.read(to_worker[0], 1)
        os._exit(0)
    try:
        os.read(to_us[0], 1)
        manager.close()  # as the death of the IOC does
        make(lock_timeout=0).prepare()
    finally:
        for descriptor in (*to_worker, *to_us):
            os.close(descriptor)
        os.waitpid(pid, 0)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_worker_that_ends_does_not_take_the_lock_along(make: Make, hold: Hold) -> None:
    manager = make()
    manager.prepare()
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    with pytest.raises(ConfigurationError, match="in use"):
        make().prepare()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.EACCES])
def test_where_nothing_can_be_locked_the_ioc_runs_with_a_warning(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    disk = FakeDisk()

    def before(number: int, name: str) -> None:
        if name == "lock":
            raise OSError(code, os.strerror(code))

    disk.before = before
    manager = RotatingFileManager(Path("/d/my.json"), file_system=disk)
    manager.prepare()
    assert caplog.messages == [
        "autosave: nothing keeps another IOC off /d/my.json: "
        f"cannot lock /d/.my.json.lock: {os.strerror(code)}"
    ]
    manager.save(content(1))
    manager.save(content(2))
    assert len(caplog.messages) == 1
    manager.close()


def test_a_lock_file_of_another_user_serves(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Somebody once ran the IOC by hand as root: the lock file can only be read.
    lock = tmp_path / ".my.json.lock"
    lock.write_text("pid 1 on there\n")
    real_open = os.open

    def refusing(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if path == lock and flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real_open(path, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", refusing)
    manager = make()
    manager.prepare()
    with pytest.raises(ConfigurationError, match="in use"):
        make().prepare()
    manager.save(content(1))


def test_a_directory_in_place_of_the_old_one_is_locked_anew(
    make: Make, hold: Hold, tmp_path: Path
) -> None:
    manager = make("state/my.json")
    manager.prepare()
    manager.save(content(1))
    (tmp_path / "state").rename(tmp_path / "away")
    with pytest.raises(AutosaveError, match=r"cannot write to .*state: No such file"):
        manager.save(content(2))
    (tmp_path / "state").mkdir()
    manager.save(content(3))
    with pytest.raises(ConfigurationError, match="in use"):
        make("state/my.json").prepare()

    # Another one may be faster there.
    (tmp_path / "state").rename(tmp_path / "away2")
    (tmp_path / "state").mkdir()
    holder = hold(tmp_path / "state" / "my.json")
    with pytest.raises(
        AutosaveError, match=rf"in use by another IOC \(pid {holder.process.pid} on"
    ):
        manager.save(content(4))
    holder.end()
    manager.save(content(5))


def test_a_lock_file_is_no_save_file(make: Make, tmp_path: Path) -> None:
    manager = make()
    manager.prepare()
    manager.save(content(1))
    out = io.StringIO()
    assert run_list(argparse.Namespace(path=str(tmp_path)), Console(out, out)) == 0
    assert "1 files, 1 good" in out.getvalue()
    assert "lock" not in out.getvalue()


# --- real IOCs -------------------------------------------------------------------------------


def test_the_second_ioc_does_not_start_and_says_why(
    ioc: Any, free_port: Callable[[], int], tmp_path: Path
) -> None:
    environment = {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    first = ioc("saved_ioc", env=environment)
    own = {"EPICS_CAS_SERVER_PORT": str(free_port()), "LOCK_TIMEOUT": "0.5"}
    second = ioc("saved_ioc", env=environment | own, ready=False, expect_exit=2)
    assert second.wait(30) == 2
    (line,) = [line for line in second.lines if "error" in line]
    assert "autosave: state/kinds.json is in use by another IOC" in line
    assert f"(pid {first.pid} on " in line
    assert line.endswith("stop that one, or give this one another file")
    response = client.write("kinds:long", 17, notify=True)
    assert response.status.success
    assert client.write("kinds:keeper:SAVE", 1, notify=True)
    assert '"kinds:long": 17' in (tmp_path / "state" / "kinds.json").read_text()


def test_a_supervisor_may_start_the_next_one_while_the_first_one_ends(
    ioc: Any, free_port: Callable[[], int]
) -> None:
    environment = {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    first = ioc("saved_ioc", env=environment)
    response = client.write("kinds:long", 17, notify=True)
    assert response.status.success
    own = {"EPICS_CAS_SERVER_PORT": str(free_port()), "LOCK_TIMEOUT": "9"}
    # Its start waits until the first one has done its last save and is gone.
    second = ioc("saved_ioc", env=environment | own, ready=False)
    second.wait_for(f"waiting for state/kinds.json: pid {first.pid} on ", 30)
    first.stop()
    second.wait_for("Server startup complete.")
    assert any("PVs restored from kinds.json" in line for line in second.lines)
