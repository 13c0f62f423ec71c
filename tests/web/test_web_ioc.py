"""A real IOC as a process, asked over HTTP while its storage, its hooks and its life go wrong."""

import json
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from one_shot_client import read, write
from prometheus_client.openmetrics.parser import text_string_to_metric_families

HERE = Path(__file__).parent
OPENMETRICS = "application/openmetrics-text;version=1.0.0"


class Http:
    """The HTTP side of the IOC."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, path: str) -> tuple[int, str]:
        """Status and body."""
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, headers={"Accept": OPENMETRICS})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def wait_for(
        self, path: str, status: int, timeout: float = 25.0, **expected: object
    ) -> dict[str, Any]:
        """The answer in JSON, once it has this status and says what is expected."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                found, body = self.get(path)
            except urllib.error.URLError:  # it does not listen yet
                found, body = 0, ""
            if found == status:
                answer: dict[str, Any] = json.loads(body)
                if expected.items() <= answer.items():
                    return answer
            assert time.monotonic() < deadline, body
            time.sleep(0.05)

    def wait_until_saved(self, timeout: float = 25.0) -> None:
        """Return once all is on disk, and stays there unless something changes."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.metrics()
            [saves] = found["epics_ioc_autosave_saves"].samples
            unsaved = found["epics_ioc_autosave_unsaved_since_timestamp_seconds"].samples
            if saves.value and not unsaved:
                return
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def metrics(self) -> dict[str, Any]:
        """Families by name."""
        return {f.name: f for f in text_string_to_metric_families(self.get("/metrics")[1])}


@pytest.fixture
def http(free_port: Callable[[], int]) -> Http:
    return Http(free_port())


@pytest.fixture
def start(ioc: Callable[..., Any], http: Http, tmp_path: Path) -> Callable[..., Any]:
    """Start ``ioc_web.py``."""
    (tmp_path / "state").mkdir()

    def start(*arguments: str, env: dict[str, str] | None = None, **options: Any) -> Any:
        environment = {"PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])}
        port = ("--metrics-port", str(http.port))
        return ioc("ioc_web", *port, *arguments, env=environment | (env or {}), **options)

    return start


def entry_of(http: Http) -> dict[str, Any]:
    """What Prometheus is told of it."""
    return {"targets": [f"127.0.0.1:{http.port}"], "labels": {"ioc": "w", "prefix": "w:"}}


def wait_for_entry(path: Path, target: dict[str, Any]) -> None:
    """Return once Prometheus is told of it: a start does not wait for slow storage."""
    deadline = time.monotonic() + 20
    while not path.exists() or json.loads(path.read_text()) != [target]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def values(http: Http) -> dict[str, float]:
    return {s.labels["pv"]: s.value for s in http.metrics()["epics_pv_value"].samples}


def test_values_are_those_that_clients_have_left(start: Callable[..., Any], http: Http) -> None:
    start("--metrics-pvs", "w:oth*", "nowhere")
    assert values(http) == {"w:level": 1.5, "w:slow": 4.0, "w:other": 2.0}
    write("w:level", 7.25, notify=True)
    # No scrape runs the getter; what a client's read has brought is there for all.
    assert values(http) == {"w:level": 7.25, "w:slow": 4.0, "w:other": 2.0}
    assert read("w:slow").data[0] == 99.0
    assert values(http)["w:slow"] == 99.0
    [dropped] = http.metrics()["epics_pv_export_dropped"].samples
    assert (dropped.labels, dropped.value) == ({"ioc": "w"}, 0)


@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_operations_that_ran_hooks_are_timed_and_name_their_pv(
    start: Callable[..., Any], http: Http, library: str
) -> None:
    start("--async-lib", library)
    for _ in range(3):
        read("w:slow")
        read("w:other")
    write("w:slow", 1.0, notify=True)
    write("w:other", 1.0, notify=True)
    found = http.metrics()
    for what, count in (("read", 3), ("write", 1)):
        samples = found[f"epics_ioc_ca_{what}_duration_seconds"].samples
        numbers = {s.name.rpartition("_")[2]: s.value for s in samples if "le" not in s.labels}
        assert numbers["count"] == count
        assert 0.015 * count <= numbers["sum"] < 60
        assert {s.exemplar.labels["pv"] for s in samples if s.exemplar} == {"w:slow"}
    [tasks] = found["epics_ioc_tasks"].samples
    assert 1 <= tasks.value < 10  # pulse and beacons, and the saver


def test_the_ioc_is_found_from_its_start_to_its_stop(
    start: Callable[..., Any], http: Http, tmp_path: Path
) -> None:
    directory = tmp_path / "sd"
    directory.mkdir()
    entry = directory / "w.json"
    process = start("--metrics-sd", str(directory))
    target = entry_of(http)
    wait_for_entry(entry, target)
    process.kill()
    assert entry.exists()  # so that one sees that it is down
    entry.write_text('[{"targets": ["127.0.0.1:1"]}]')
    process.start()
    wait_for_entry(entry, target)
    process.stop()
    assert os.listdir(directory) == []


def test_the_directory_may_come_from_the_environment(
    start: Callable[..., Any], http: Http, tmp_path: Path
) -> None:
    (tmp_path / "sd").mkdir()
    start(env={"IOC_OPS_METRICS_SD": str(tmp_path / "sd")})
    wait_for_entry(tmp_path / "sd" / "w.json", entry_of(http))


def test_a_directory_that_cannot_be_used_ends_the_start(start: Callable[..., Any]) -> None:
    process = start("--metrics-sd", "nowhere", ready=False, expect_exit=2)
    process.wait(40)
    [line] = [line for line in process.lines if "error:" in line]
    assert "cannot write nowhere/w.json" in line
    assert "give --metrics-sd a directory" in line


def test_a_restore_that_cannot_be_ends_http_as_well(
    start: Callable[..., Any], http: Http, tmp_path: Path
) -> None:
    (tmp_path / "state").rmdir()
    (tmp_path / "state").write_text("no directory")
    (tmp_path / "sd").mkdir()
    process = start("--metrics-sd", "sd", ready=False, expect_exit=2)
    assert process.wait(40) == 2
    assert len([line for line in process.lines if "error:" in line]) == 1
    assert os.listdir(tmp_path / "sd") == []
    with pytest.raises(urllib.error.URLError):
        http.get("/healthz")


def test_not_ready_while_storage_keeps_the_restore_waiting(
    start: Callable[..., Any], http: Http, tmp_path: Path
) -> None:
    save = tmp_path / "state" / "web.json"
    os.mkfifo(save)  # who opens it waits until somebody writes
    process = start(ready=False)
    answer = http.wait_for("/readyz", 503, state="restoring")
    assert (answer["restored"], answer["hooks_started"]) == (False, False)
    assert answer["message"] == "the IOC is restoring"
    assert http.wait_for("/healthz", 200)["status"] == "ok"
    [ready] = http.metrics()["epics_ioc_ready"].samples
    assert ready.value == 0
    save.write_text("no save file")
    answer = http.wait_for("/readyz", 200)
    assert (answer["restored"], answer["hooks_started"], answer["message"]) == (True, True, "ok")
    process.wait_for("Server startup complete.")


def test_not_ready_while_nothing_can_be_saved(
    start: Callable[..., Any], http: Http, tmp_path: Path
) -> None:
    start()
    assert http.wait_for("/readyz", 200)["autosave_current"]
    http.wait_until_saved()  # a save under way would make the directory again
    state = tmp_path / "state"
    shutil.rmtree(state)
    state.write_text("no directory any more")  # a mode would not stop root
    write("w:level", 3.0, notify=True)
    answer = http.wait_for("/readyz", 503)
    assert not answer["autosave_current"]
    assert answer["state"] == "ready"
    assert "autosave web: " in answer["message"]
    assert http.get("/healthz")[0] == 200
    found = http.metrics()
    failures = [each for each in found["epics_ioc_autosave_failures"].samples if each.value]
    assert [each.labels for each in failures] == [{"ioc": "w", "set": "web", "kind": "ENOTDIR"}]
    assert found["epics_ioc_autosave_unsaved_since_timestamp_seconds"].samples[0].value > 1e9
    state.unlink()
    state.mkdir(exist_ok=True)  # the next attempt to save may be quicker
    assert http.wait_for("/readyz", 200)["autosave_current"]
