"""A short run of the kill harness; the long one is `make kill-test`."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from kill_harness import count_in


def test_an_ioc_that_is_killed_again_and_again_loses_no_acknowledged_value(
    free_port: Callable[[], int],
) -> None:
    harness = Path(__file__).with_name("kill_harness.py")
    options = ["--kills", "6", "--seed", "7", "--ports", str(free_port()), str(free_port())]
    ran = subprocess.run([sys.executable, harness, *options], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "6 kills (seed 7), " in ran.stdout
    assert ", 0 wrong" in ran.stdout
    assert " 0 acknowledged saves" not in ran.stdout


def test_the_harness_tells_a_mixture_of_two_states() -> None:
    assert count_in("kill:0:array", [5, 5, 5, 5, 5, 5]) == 5
    assert count_in("kill:0:array", [5, 5, 5, 5, 6, 6]) == -1
    assert count_in("kill:0:array", [5, 5, 5]) == -1
    assert count_in("kill:0:text", "state 17") == 17
    assert count_in("kill:0:text", "stat") == -1
    assert count_in("kill:0:double", 17.1) == 17
