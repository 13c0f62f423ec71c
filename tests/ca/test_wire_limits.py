"""How large a message may be, and times on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_strategies import quick

from ioc_ops.ca import EPICS_EPOCH, TimeStamp, max_payload
from ioc_ops.ca.limits import AUTO_CAP, MINIMUM_CAP, PREFIX_ROOM
from ioc_ops.errors import ConfigurationError


@pytest.mark.parametrize(
    ("size", "auto", "elements"),
    [
        ("", "", AUTO_CAP),
        ("1000000", "", AUTO_CAP),
        ("1000000", "YES", AUTO_CAP),
        ("1000000", "NO", 1_000_000),
        ("1000000", " no ", 1_000_000),
        ("1e6", "NO", 1_000_000),
        (" 40000 ", "NO", 40_000),
        ("", "NO", MINIMUM_CAP),
        ("100", "NO", MINIMUM_CAP),
        ("-5", "NO", MINIMUM_CAP),
        ("1e9", "", 1_000_000_000),
        ("1e9", "NO", 1_000_000_000),
    ],
)
def test_the_cap(size: str, auto: str, elements: int) -> None:
    environment = {"EPICS_CA_MAX_ARRAY_BYTES": size, "EPICS_CA_AUTO_ARRAY_BYTES": auto}
    assert max_payload(environment) == elements + PREFIX_ROOM


def test_without_an_environment_the_cap_is_that_of_auto() -> None:
    assert max_payload({}) == AUTO_CAP + PREFIX_ROOM


@pytest.mark.parametrize("text", ["many", "1 MB", "inf", "nan", "0x10"])
def test_what_is_no_number_ends_the_start(text: str) -> None:
    with pytest.raises(ConfigurationError, match="EPICS_CA_MAX_ARRAY_BYTES"):
        max_payload({"EPICS_CA_MAX_ARRAY_BYTES": text})


@quick
@given(st.integers(EPICS_EPOCH * 10**9, (EPICS_EPOCH + 2**32) * 10**9 - 1))
def test_a_time_comes_back_to_the_nanosecond(nanoseconds: int) -> None:
    stamp = TimeStamp.from_unix_ns(nanoseconds)
    assert 0 <= stamp.nanoSeconds < 10**9
    assert stamp.unix_ns == nanoseconds


def test_times_before_1990_are_the_epoch() -> None:
    assert TimeStamp.from_unix_ns(5) == TimeStamp(0, 0)


@pytest.mark.parametrize(
    "value", [EPICS_EPOCH + 12.25, (12, 250_000_000), TimeStamp(12, 250_000_000)]
)
def test_a_time_may_be_given_in_three_ways(value: float | tuple[int, int] | TimeStamp) -> None:
    stamp = TimeStamp.from_flexible_value(value)
    assert stamp == TimeStamp(12, 250_000_000)
    assert stamp.timestamp == EPICS_EPOCH + 12.25


def test_a_time_is_a_pair() -> None:
    seconds, nanoseconds = TimeStamp(12, 5)
    assert (seconds, nanoseconds) == (12, 5)
