"""The texts and counters of iocStats, checked against what its sources and records give."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.status.formats import clip, next_heartbeat, split, time_of_day, uptime


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00:00"),
        (59.99, "00:00:59"),
        (3_661, "01:01:01"),
        (86_399, "23:59:59"),
        (86_400, "1 day, 00:00:00"),
        (2 * 86_400 + 3_600 * 5 + 7, "2 days, 05:00:07"),
        (400 * 86_400, "400 days, 00:00:00"),
        (-3, "00:00:00"),  # the wall clock was set back
    ],
)
def test_uptime_is_written_as_iocstats_writes_it(seconds: float, text: str) -> None:
    assert uptime(seconds) == text


def test_time_of_day_is_local_time_in_the_order_of_todformat() -> None:
    moment = time.mktime((2024, 3, 9, 14, 5, 6, 0, 0, -1))
    assert time_of_day(moment) == "03/09/2024 14:05:06"


@pytest.mark.parametrize(
    ("before", "after"),
    [(0, 1), (1, 2), (2_147_483_646, 2_147_483_647), (2_147_483_647, 1), (1e18, 1), (-5, 1)],
)
def test_heartbeat_counts_from_1_and_back_to_1(before: float, after: int) -> None:
    assert next_heartbeat(before) == after


@given(st.text())
def test_clipped_text_fits_a_dbr_string_and_is_its_beginning(text: str) -> None:
    clipped = clip(text)
    assert len(clipped.encode()) <= 39
    assert text.startswith(clipped)
    # Nothing was cut without need: one more character would not have fitted.
    assert clipped == text or len(text[: len(clipped) + 1].encode()) > 39


@given(st.text(max_size=38))
def test_two_parts_put_together_are_the_text(text: str) -> None:
    # 38 characters of at most 4 bytes: more than one part, and sometimes more than two.
    head, tail = split(text)
    assert text.startswith(head + tail)
    if len(text.encode()) <= 39 + 36:
        assert head + tail == text


def test_split_continues_at_character_39() -> None:
    assert split("a" * 39 + "b" * 39 + "c") == ("a" * 39, "b" * 39)
