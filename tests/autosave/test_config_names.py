"""Names of configurations: whatever people type, and whatever lies in the directory."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ioc_ops.autosave.configurations.names import ConfigNames, legal_name, menu_states
from ioc_ops.errors import AutosaveError

NAMES = ConfigNames(Path("/d"), "scan")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("bright", "bright"),
        ("  bright ", "bright"),
        ("low gain, 2nd", "low_gain__2nd"),
        ("../../etc/passwd", "______etc_passwd"),
        ("a\0b\n", "a_b"),
        ("Strahl \u00e9", "Strahl___"),
        ("x" * 39, "x" * 39),
    ],
)
def test_what_becomes_of_a_name(typed: str, name: str) -> None:
    assert legal_name(typed) == name


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "missing"),
        ("  \t", "missing"),
        ("..", "needs a letter or digit"),
        ("\u00e9\u00e9", "needs a letter or digit"),
        ("x" * 300, "39 bytes at most, not 300"),
        ("\u00e9" * 20, "39 bytes at most, not 40"),
    ],
)
def test_names_that_are_refused(typed: str, reason: str) -> None:
    with pytest.raises(AutosaveError, match=reason):
        legal_name(typed)


@given(st.text(max_size=60))
@example("../x")
@example("\ud800a")
def test_no_name_leads_out_of_the_directory_and_each_is_found_again(typed: str) -> None:
    try:
        name = legal_name(typed)
    except AutosaveError:
        return
    assert re.fullmatch("[A-Za-z0-9_]{1,39}", name)
    assert legal_name(name) == name
    path = NAMES.path(name)
    assert path.parent == Path("/d")
    assert Path("/d", path.name) == path
    assert NAMES.name_of(path) == name


@pytest.mark.parametrize(
    "file",
    ["scan_a.cfg_260301-120000", "scan_.cfg", "scan.cfg", "other_a.cfg", ".scan_a.cfg.1-1.tmp",
     "scan_a.sav", "scan_a.cfg~", "probe.cfg"],
)  # fmt: skip
def test_files_that_are_no_configuration(file: str) -> None:
    assert NAMES.name_of(Path("/d", file)) is None


def copies_of(path: Path, times: list[int]) -> list[Path]:
    copies: list[Path] = []
    for time in times:
        copies.append(NAMES.copy(path, time, copies))
    return copies


@given(st.integers(0, 4_000_000_000), st.integers(1, 40))
def test_copies_are_told_from_everything_else(when: int, number: int) -> None:
    path = NAMES.path("a")
    copy = copies_of(path, [when] * number)[-1]
    assert NAMES.name_of(copy) is None
    age = NAMES.age_of_copy(path, copy)
    assert age is not None
    assert age[1] == number
    assert NAMES.age_of_copy(NAMES.path("b"), copy) is None
    assert NAMES.age_of_copy(path, path) is None


@given(st.lists(st.integers(1_000_000_000, 1_000_000_010), min_size=1), st.integers(1, 12))
def test_the_newest_copies_stay(times: list[int], keep: int) -> None:
    path = NAMES.path("a")
    copies = copies_of(path, sorted(times))
    assert len(set(copies)) == len(copies)
    others = [path, NAMES.path("b"), NAMES.copy(NAMES.path("b"), 1e9)]
    surplus = NAMES.surplus(path, [*others, *copies], keep, copies[-1])
    assert set(surplus) == set(copies[:-keep])


def test_what_was_just_kept_stays_even_if_the_clock_was_set_back() -> None:
    path = NAMES.path("a")
    copies = copies_of(path, [2_000_000_000, 2_000_000_001, 1_000_000_000])
    assert NAMES.surplus(path, copies, 1, copies[-1]) == [copies[1], copies[0]]
    assert NAMES.surplus(path, copies, 2, copies[-1]) == [copies[0]]


def test_a_number_that_is_free_again_is_not_used_for_a_newer_copy() -> None:
    path = NAMES.path("a")
    copies = copies_of(path, [1_000_000_000] * 12)
    assert copies_of(path, [1_000_000_000] * 12)[11].name.endswith("_12")
    assert NAMES.copy(path, 1e9, copies[3:]).name.endswith("_13")


def test_temporary_files_name_theirs() -> None:
    assert NAMES.unfinished(Path("/d/.scan_a.cfg.123-4.tmp")) == Path("/d/scan_a.cfg")
    for other in ("scan_a.cfg", ".other_a.cfg.123-4.tmp", ".scan_a.json.123-4.tmp"):
        assert NAMES.unfinished(Path("/d", other)) is None


@given(st.lists(st.text(), max_size=10, unique=True))
@example(["a" * 30, "a" * 31, "a" * 23 + "~2"])
@example(["\u00e9" * 20, "\u00e9" * 21])
def test_states_of_the_menu_fit_and_differ(names: list[str]) -> None:
    states = menu_states(names)
    assert len(states) == max(len(names), 1)
    assert len(set(states)) == len(states)
    assert all(len(state.encode()) <= 25 for state in states)


def test_an_empty_menu_has_a_state_all_the_same() -> None:
    assert menu_states([]) == ("",)
