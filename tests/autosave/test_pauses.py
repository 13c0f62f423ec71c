"""Long work in a thread leaves the others their turn."""

import random
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.autosave import pauses
from ioc_ops.autosave.pauses import gently, sorted_gently


@given(st.lists(st.text(max_size=3)), st.integers(1, 10))
def test_names_are_sorted_in_runs_as_they_are_at_once(names: list[str], run: int) -> None:
    with patch.object(pauses, "_SORTED_AT_ONCE", run):
        assert sorted_gently(names) == sorted(names)


def test_a_sort_of_very_many_names_has_pauses() -> None:
    names = [f"pv{number}" for number in range(100_000)]
    random.Random(1).shuffle(names)
    with patch.object(pauses.time, "sleep") as pause:
        assert sorted_gently(names) == sorted(names)
    assert pause.call_count > 3


def test_there_is_a_pause_when_the_work_has_taken_its_time() -> None:
    now = iter([0.0, 0.0004, 0.0008, 0.0012, 0.0013, 0.0014])
    seen: list[str] = []
    with (
        patch.object(pauses.time, "monotonic", lambda: next(now)),
        patch.object(pauses.time, "sleep", lambda _: seen.append("pause")),
    ):
        for item in gently("abcd"):
            seen += [item]
    assert seen == ["a", "b", "c", "pause", "d"]
