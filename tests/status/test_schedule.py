"""Which readings are due, on a clock that the test owns."""

import pytest

from ioc_ops.status.schedule import TICK, Schedule, until_next_beat


@pytest.mark.parametrize(
    ("passed", "pause"),
    [
        (0.0, 1.0),
        (0.3, 0.7),
        (1.02, 0.98),
        (0.9999, 1.0001),  # the timer went off early: the beat of this second is done
        (1.0, 1.0),
        (7.4, 0.6),  # after a stall: one beat, and on with the rhythm
    ],
)
def test_beats_come_at_whole_seconds(passed: float, pause: float) -> None:
    assert until_next_beat(passed) == pytest.approx(pause)


def test_everything_is_due_at_first_and_then_after_its_period() -> None:
    schedule: Schedule[str] = Schedule()
    periods = {"fast": 1.0, "slow": 3.0}
    dues = [schedule.due(100.0 + n * TICK, periods) for n in range(7)]
    assert [due >= {"fast"} for due in dues] == [True] * 7
    assert [due >= {"slow"} for due in dues] == [True, False, False, True, False, False, True]


def test_jitter_of_the_ticks_does_not_cost_a_whole_tick() -> None:
    schedule: Schedule[str] = Schedule()
    early_and_late = [0.0, 1.02, 1.99, 3.03, 3.98, 5.01, 6.0]
    due = [bool(schedule.due(now, {"a": 3.0})) for now in early_and_late]
    assert due == [True, False, False, True, False, False, True]


def test_a_new_period_counts_at_the_next_tick() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.due(0.0, {"a": 60.0})
    assert not schedule.due(2.0, {"a": 60.0})
    assert schedule.due(3.0, {"a": 2.0}) == {"a"}


def test_after_a_stall_a_name_is_due_once_not_once_per_missed_period() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.due(0.0, {"a": 1.0})
    assert schedule.due(100.0, {"a": 1.0}) == {"a"}
    assert not schedule.due(100.1, {"a": 1.0})
