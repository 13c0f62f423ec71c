"""When a loop counts as stuck, and an IOC as ready."""

from collections import Counter

import pytest

from ioc_ops.autosave import AutosaveStats
from ioc_ops.web.health import STUCK_AFTER, assess, assess_readiness


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


@pytest.mark.parametrize(
    ("state", "restored", "started"),
    [
        ("constructed", False, False),
        ("restoring", False, False),
        ("binding", True, False),
        ("starting", True, False),
        ("ready", True, True),
        ("stopping", True, False),
    ],
)
def test_an_ioc_is_ready_when_it_is_restored_and_its_hooks_are_started(
    state: str, restored: bool, started: bool
) -> None:
    found = assess_readiness(state, 100.0, [])
    assert (found.restored, found.hooks_started) == (restored, started)
    assert found.ready == (state == "ready")
    assert found.autosave_current


@pytest.mark.parametrize(
    ("stats", "reason"),
    [
        (AutosaveStats(), ""),
        (AutosaveStats(saves=3, last_success=90.0), ""),
        # Changes that will be saved in their time; a restore that has left something out.
        (AutosaveStats(unsaved_since=99.0), ""),
        (AutosaveStats(unsaved_since=99.0, last_error="1 PV not restored"), ""),
        # It failed once, and has gone well since.
        (AutosaveStats(failures_by_kind=Counter(EIO=1), saves=1), ""),
        (
            AutosaveStats(
                failures_by_kind=Counter(ENOSPC=1), unsaved_since=70.0, last_error="no space left"
            ),
            "autosave a: no space left; changes of 30 s are not on disk",
        ),
        (
            AutosaveStats(hung=True, unsaved_since=58.0),
            "autosave a: storage does not answer; changes of 42 s are not on disk",
        ),
        (AutosaveStats(hung=True), "autosave a: storage does not answer"),
    ],
)
def test_autosave_is_current_unless_it_hangs_or_fails(stats: AutosaveStats, reason: str) -> None:
    found = assess_readiness("ready", 100.0, [("fine", AutosaveStats()), ("a", stats)])
    assert found.reasons == ((reason,) if reason else ())
    assert found.ready == found.autosave_current == (not reason)
