"""When two values count as equal for `diff`."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.autosave.compare import Tolerance, differences, equal
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.values import EnumValue, UntypedValue, Value

U = UntypedValue


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1),
        (1, 1.0),
        (0.0, -0.0),
        (math.nan, math.nan),
        (True, U("1")),
        (0.1, U("0.1")),
        (1e14, U("1e+14")),
        (2**63 + 1, U(str(2**63 + 1))),
        ("x", U("x")),
        ("1", U("1")),
        (EnumValue(2, "Run"), U("2")),
        (EnumValue(2, "Run"), 2),
        (EnumValue(2, "Run"), "Run"),
        ([1.0, 2.0], np.array([1, 2])),
        ([1.0, 2.0], U(("1", "2"))),
        (np.array([1.0, math.nan]), np.array([1.0, math.nan], np.float32)),
        ([1.0], U("1")),
        ([], U("")),
        (["a", "b"], U(("a", "b"))),
        (b"h\xc8", U(("104", "-56"))),
        (b"h\xc8", [104, 200]),
        ("hi", U(("104", "105", "0"))),
    ],
)
def test_equal(one: Value, other: Value) -> None:
    assert equal(one, other)
    assert equal(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (0.1, U("0.10000000001")),
        (2**63, U(str(2**63 + 1))),
        ("1", 1),
        ("x", U("y")),
        (U("01"), U("1")),
        (1, [1]),
        ([1.0], [1.0, 1.0]),
        (U(("1", "2")), U("1")),
        (math.nan, 1.0),
        (math.inf, 1e308),
        (EnumValue(2, "Run"), EnumValue(2, "Walk")),
        (EnumValue(2, "Run"), U("3")),
        (np.array([1.0, 2.0]), np.array([1.0, 2.5])),
        (np.array([1.0, 2.0]), np.array([1.0])),
        (b"a", b"a\0"),
        ("hi", U(("104", "1.5"))),
        ("", U(("1",))),
    ],
)
def test_not_equal(one: Value, other: Value) -> None:
    assert not equal(one, other)
    assert not equal(other, one)


@pytest.mark.parametrize(
    ("one", "other", "atol", "rtol", "expected"),
    [
        (1.0, 1.01, 0.02, 0, True),
        (1.0, 1.03, 0.02, 0, False),
        (1000.0, 1001.0, 0, 0.001, True),
        (1000.0, 1002.0, 0, 0.001, False),
        (U("3.14159265358979"), math.pi, 0, 1e-13, True),
        (U("1.0"), U("1.00"), 1e-9, 0, True),
        ([1.0, 2.0], [1.0, 2.1], 0.2, 0, True),
        (np.array([1.0, 2.0]), np.array([1.0, 2.1]), 0.2, 0, True),
        (np.array([1.0, 2.0]), np.array([1.0, 2.3]), 0.2, 0, False),
        (np.array([math.inf]), np.array([1.0]), 0.2, 0, False),
        (math.inf, -math.inf, 1, 1, False),
        ("a", "b", 1, 1, False),
        (EnumValue(1, "a"), EnumValue(2, "b"), 5, 0, False),
    ],
)
def test_tolerances(one: Value, other: Value, atol: float, rtol: float, expected: bool) -> None:
    assert equal(one, other, Tolerance(atol, rtol)) is expected
    assert equal(other, one, Tolerance(atol, rtol)) is expected


values = (
    st.integers()
    | st.floats()
    | st.text(st.sampled_from("01.a\udc80"), max_size=3)
    | st.binary(max_size=3)
    | st.builds(U, st.text(st.sampled_from("01.a-"), max_size=3))
    | st.builds(U, st.lists(st.text(st.sampled_from("01a"), max_size=2), max_size=2).map(tuple))
    | st.builds(EnumValue, st.integers(0, 2), st.sampled_from(["a", "1"]))
    | st.lists(st.integers(0, 2) | st.floats() | st.text(max_size=1), max_size=2)
    | st.lists(st.floats(), max_size=2).map(np.array)
)


@given(values, values, st.booleans())
def test_it_does_not_matter_which_is_first(one: Value, other: Value, loose: bool) -> None:
    tolerance = Tolerance(0.5, 0.1) if loose else Tolerance()
    assert equal(one, other, tolerance) == equal(other, one, tolerance)
    assert equal(one, one, tolerance)


def test_differences_of_states() -> None:
    old = Snapshot({"same": 1.0, "near": 1.0, "far": 1.0, "gone": 1})
    new = Snapshot({"same": U("1"), "near": 1.001, "far": 2.0, "new": 1})
    diff = differences(old, new, Tolerance(0.01))
    assert (diff.added, diff.removed, diff.changed) == (("new",), ("gone",), ("far",))
