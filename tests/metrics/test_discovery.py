"""The files by which Prometheus finds IOCs."""

import json
import logging
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.errors import ConfigurationError
from ioc_ops.metrics import Registration, Target, read_targets

TARGET = Target("127.0.0.1:9110", {"ioc": "sim", "prefix": "sim:"})
OTHER = Target("127.0.0.1:9111", {"ioc": "sim", "prefix": "sim:"})


def test_an_ioc_is_there_from_its_start_to_its_stop(tmp_path: Path) -> None:
    registration = Registration(tmp_path, "sim")
    registration.begin(TARGET)
    assert os.listdir(tmp_path) == ["sim.json"]
    assert json.loads((tmp_path / "sim.json").read_text()) == [
        {"targets": ["127.0.0.1:9110"], "labels": {"ioc": "sim", "prefix": "sim:"}}
    ]
    assert read_targets(tmp_path) == ([TARGET.group()], {})
    registration.end()
    assert os.listdir(tmp_path) == []
    registration.end()


def test_what_a_killed_run_has_left_is_replaced(tmp_path: Path) -> None:
    Registration(tmp_path, "sim").begin(OTHER)
    Registration(tmp_path, "sim").begin(TARGET)
    assert read_targets(tmp_path)[0] == [TARGET.group()]


def test_the_file_of_another_process_stays(tmp_path: Path) -> None:
    first = Registration(tmp_path, "sim")
    first.begin(TARGET)
    Registration(tmp_path, "sim").begin(OTHER)
    first.end()
    assert read_targets(tmp_path)[0] == [OTHER.group()]


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_each_name_has_a_file_of_its_own_in_the_directory(one: str, other: str) -> None:
    directory = Path("/sd")
    paths = [Registration(directory, name).path for name in (one, other)]
    assert all(path.parent == directory and path.suffix == ".json" for path in paths)
    assert (paths[0] == paths[1]) == (one == other)


def test_a_directory_that_is_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        Registration(tmp_path / "nowhere", "sim").begin(TARGET)
    text = str(refusal.value)
    assert str(tmp_path / "nowhere") in text
    assert "--metrics-sd" in text
    assert "\n" not in text


def test_a_reader_never_sees_half_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    replace = Path.replace

    def look_and_replace(self: Path, target: Path) -> Path:
        seen.append([name for name in os.listdir(tmp_path) if name.endswith(".json")])
        assert json.loads(self.read_text()) == [TARGET.group()]
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", look_and_replace)
    Registration(tmp_path, "sim").begin(TARGET)
    assert seen == [[]]


def test_storage_that_hangs_delays_the_start_by_little_and_gets_the_file_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers, write_text = threading.Event(), Path.write_text

    def hang(self: Path, *arguments: str, **options: str) -> int:
        answers.wait(20)
        return write_text(self, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", hang)
    stopped, running = Registration(tmp_path, "stopped"), Registration(tmp_path, "running")
    with caplog.at_level(logging.WARNING):
        for registration in (stopped, running):
            registration.begin(TARGET, patience=0.05)
    assert "has not answered for 0.05 s" in caplog.text
    stopped.end()
    answers.set()
    for thread in threading.enumerate():
        if thread.name == "ioc_ops-sd":
            thread.join(20)
    assert os.listdir(tmp_path) == ["running.json"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Expecting value"),
        ("{}", "no list"),
        ("[1]", "targets and labels"),
        ('[{"targets": "a:1"}]', "list of texts"),
        ('[{"targets": [1]}]', "list of texts"),
        ('[{"targets": ["a:1"], "labels": {"ioc": 1}}]', "texts as values"),
        ('[{"targets": ["a:1"], "labels": []}]', "texts as values"),
        ('[{"targets": ["a:1"], "more": 1}]', "and nothing else"),
        ("[" * 100_000, ""),
        ("\udcff", "utf-8"),
    ],
)
def test_a_bad_file_costs_itself_alone(tmp_path: Path, text: str, why: str) -> None:
    Registration(tmp_path, "sim").begin(TARGET)
    (tmp_path / "a bad one.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    (tmp_path / "README").write_text("no JSON")
    groups, refused = read_targets(tmp_path)
    assert groups == [TARGET.group()]
    assert refused.keys() == {"a bad one.json"}
    assert why in refused["a bad one.json"]


def test_a_directory_in_place_of_a_file_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "dir.json").mkdir()
    assert read_targets(tmp_path) == ([], {"dir.json": "Is a directory"})


def test_targets_come_in_the_order_of_their_files(tmp_path: Path) -> None:
    for name in "cab":
        Registration(tmp_path, name).begin(Target(f"{name}:1", {}))
    groups, _ = read_targets(tmp_path)
    assert [group["targets"] for group in groups] == [["a:1"], ["b:1"], ["c:1"]]
