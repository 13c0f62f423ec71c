"""When a loop counts as stuck."""

import pytest

from ioc_ops.web.health import STUCK_AFTER, assess


@pytest.mark.parametrize(
    ("monotonic", "alive", "silent"),
    [(100.0, True, 0.0), (105.0, True, 5.0), (105.1, False, 5.1), (99.0, True, 0.0)],
)
def test_a_loop_is_stuck_when_it_was_silent_too_long(
    monotonic: float, alive: bool, silent: float
) -> None:
    health = assess(monotonic, 100.0, stuck_after=5.0)
    assert health.alive is alive
    assert health.silent == pytest.approx(silent)


def test_it_says_for_how_long() -> None:
    assert assess(112.4, 100.0).summary == "the IOC's loop has been stuck for 12 s"


def test_the_limit_leaves_room_for_several_signs_of_life() -> None:
    assert STUCK_AFTER >= 3.0
