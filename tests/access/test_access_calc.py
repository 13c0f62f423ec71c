"""CALC expressions, against the parser and the machine of EPICS Base."""

import math

import base_security as base
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc_ops.errors import ConfigurationError
from ioc_ops.server.access.rules import Calc
from ioc_ops.server.access.rules.arithmetic import BINARY, CONSTANTS, FUNCTIONS, VARIADIC

thorough = settings(max_examples=400, deadline=None, derandomize=True, database=None)

NUMBERS = [
    "0",
    "1",
    "2",
    "3.5",
    "0x1F",
    "0xffffffff",
    "1e3",
    ".5",
    "7.",
    "INF",
    "nan",
    "3000000000",
]
LEAVES = st.sampled_from([*NUMBERS, *CONSTANTS, *"ABCINU", "b", "VAL"])
# INT_MIN % -1 is a trap on the processor that ends Base, so % is tested by itself.
OPERATORS = [name for name in BINARY if name != "%"]
VALUES = st.sampled_from(
    [
        *(0.0, -0.0, 1.0, -1.0, 2.5, -3.7, 0.3, 31.0, 33.0),
        *(1e9, -2147483647.0, 4294967295.0, 1e20, math.inf, -math.inf, math.nan),
    ]
)
INPUTS = st.lists(VALUES, min_size=base.INPUT_COUNT, max_size=base.INPUT_COUNT)


def compounds(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    functions = [name for name, (arguments, _) in FUNCTIONS.items() if arguments == 1]
    pairs = [name for name, (arguments, _) in FUNCTIONS.items() if arguments == 2]
    return st.one_of(
        st.builds("{}{}{}".format, inner, st.sampled_from(OPERATORS), inner),
        st.builds("{} {} {}".format, inner, st.sampled_from(OPERATORS), inner),
        st.builds("({})".format, inner),
        st.builds("{}({})".format, st.sampled_from(functions), inner),
        st.builds("{} {}".format, st.sampled_from(functions), inner),
        st.builds("{}({},{})".format, st.sampled_from(pairs), inner, inner),
        st.builds(
            lambda name, arguments: f"{name}({','.join(arguments)})",
            st.sampled_from(sorted(VARIADIC)),
            st.lists(inner, min_size=1, max_size=4),
        ),
        st.builds("{}?{}:{}".format, inner, inner, inner),
    )


EXPRESSIONS = st.recursive(LEAVES, compounds, max_leaves=10)
# Without ATAN2 and FMOD: with one argument they read what lies below Base's stack.
SOUP = st.lists(
    st.sampled_from(
        [
            *NUMBERS,
            *"ABCU",
            *OPERATORS,
            *VARIADIC,
            *"(),?: ",
            "SIN",
            "!",
            "-",
            "0x",
            "1e",
            "Q.",
            "é",
        ]
    ),
    max_size=9,
).map("".join)


def outcome(text: str, inputs: list[float], previous: float) -> object:
    try:
        calc = Calc(text)
    except ConfigurationError:
        return None
    return shown(calc.evaluate(inputs, previous)), set(calc.inputs)


def shown(value: float | None) -> str:
    """Distinguishes zeros by their sign, and no NaN from another."""
    return "nan" if value is not None and math.isnan(value) else repr(value)


def expected(text: str, inputs: list[float], previous: float) -> object:
    found = base.calculate(text, inputs, previous)
    return None if found is None else (shown(found[0]), found[1])


@thorough
@given(EXPRESSIONS, INPUTS, st.sampled_from([0.0, 1.0]))
def test_an_expression_has_the_value_that_base_gives_it(
    text: str, inputs: list[float], previous: float
) -> None:
    assert outcome(text, inputs, previous) == expected(text, inputs, previous)


@thorough
@given(SOUP, INPUTS)
def test_what_base_refuses_is_refused_and_nothing_else(text: str, inputs: list[float]) -> None:
    assert outcome(text, inputs, 0.0) == expected(text, inputs, 0.0)


@thorough
@given(st.sampled_from([-7.9, -4.0, 0.0, 5.5, 1e9, 1e10, -1e10, math.inf]), st.integers(0, 9))
def test_the_remainder_is_that_of_c(dividend: float, divisor: int) -> None:
    text = f"A%{divisor}"
    assert outcome(text, [dividend] * 21, 0.0) == expected(text, [dividend] * 21, 0.0)


def test_the_remainder_that_ends_base_is_zero_here() -> None:
    assert Calc("A%B").evaluate([-2147483648.0, -1.0]) == 0.0


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=30) | SOUP)
def test_any_text_is_an_expression_or_a_readable_error(text: str) -> None:
    try:
        said = ""
        Calc(text).evaluate([0.0] * base.INPUT_COUNT)
    except ConfigurationError as problem:
        said = str(problem)
    assert "\n" not in said  # one line for the operator


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "an operand is missing"),
        ("A+", "an operand is missing"),
        ("(A", "')' is missing"),
        ("A)", "')' without '('"),
        ("A?B", "'?' without ':'"),
        ("A:B", "':' without '?'"),
        ("1,2", "',' outside of parentheses"),
        ("MAX(1,2)(3)", "an operator expected at '(3)'"),
        ("FOO", "an operator expected at 'OO'"),
        ("$A", "a value expected at '$A'"),
        ("SIN(1,2)", "not one result"),
        ("ATAN2(1)", "not one result"),
        ("A:=1;A", "':=': an access rule must not assign"),
        ("1e999", "1E999 is out of range"),
        ("0x100000000", "0x100000000 has more than 32 bits"),
        ("(" * 100 + "1", "too deeply nested"),
        ("1+(" * 100 + "1", "too deeply nested"),
    ],
)
def test_an_error_says_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Calc(text)
    assert str(refused.value) == f"CALC expression {text!r}: {problem}"


def test_branches_that_leave_no_single_value_have_none() -> None:
    assert Calc("A?(2,3):ATAN2 4").evaluate([1.0] * 21) is None
    assert Calc("A?(2,3):ATAN2 4").evaluate([0.0] * 21) is None


def test_random_numbers_lie_between_0_and_1() -> None:
    found = {Calc("RNDM").evaluate([]) for _ in range(50)}
    assert len(found) > 1
    assert all(value is not None and 0 <= value <= 1 for value in found)
