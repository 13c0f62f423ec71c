"""What pythonSoftIOC wrote is read; anything else is an error with its line."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.autosave.formats import loads_softsav
from ioc_ops.autosave.values import UntypedValue
from ioc_ops.errors import AutosaveError

SAMPLE = b"""\
T:A: 1.0
T:B:
- 1
- 2
- 3
T:B.DESC: ''
T:B.PREC: '3'
T:C: [0.5, .nan]
T:L: 2147483648
T:M: true
T:S: x"y
T:Q: 'yes: "no"'
"""


def test_its_own_forms() -> None:
    snapshot = loads_softsav(SAMPLE)
    values = dict(snapshot.values)
    curve = values.pop("T:C")
    assert repr(curve) == "[0.5, nan]"
    assert values == {
        "T:A": 1.0,
        "T:B": [1, 2, 3],
        "T:B.DESC": UntypedValue(""),
        "T:B.PREC": UntypedValue("3"),
        "T:L": 2147483648,
        "T:M": True,
        "T:S": 'x"y',
        "T:Q": 'yes: "no"',
    }
    assert type(values["T:A"]) is float
    assert not snapshot.unreadable
    assert snapshot.saved_at is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (b"T:A: 1\nT:B: [1, 2\n", "line 3: no YAML"),
        (b"T:A: 1\nT:B: x: y\n", "line 2: no YAML"),
        (b"T:A: 1\n\x07\n", "line 2: no YAML"),
        (b"T:A: 1\n\xff\xff\n", "line 2: no YAML"),
        (b"- 1\n- 2\n", "line 1: no mapping"),
        (b"just text", "line 1: no mapping"),
        (b"[" * 20000, "no YAML"),
    ],
)
def test_what_is_none_is_an_error_with_its_line(data: bytes, message: str) -> None:
    with pytest.raises(AutosaveError, match=message) as raised:
        loads_softsav(data)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "entry",
    [
        "{a: 1}",
        "[[1]]",
        "null",
        "2026-03-01",
        "!!python/object:os.system x",
        "!!int abc",
        "&x [*x]",
    ],
)
def test_an_entry_in_an_unknown_form_costs_itself_alone(entry: str) -> None:
    snapshot = loads_softsav(f"T:A: 1\nT:B: {entry}\nT:C: 2\n".encode())
    assert dict(snapshot.values) == {"T:A": 1, "T:C": 2}
    assert snapshot.unreadable["T:B"].startswith("line 2: ")


def test_an_expanding_file_is_not_expanded() -> None:
    """Nine lists of nine references each: a thousand million values, if one followed them."""
    lines = ["a: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    snapshot = loads_softsav("\n".join(lines).encode())
    assert set(snapshot.values) == {"a"}


@given(st.binary() | st.text(st.sampled_from("ab:[]{}&*!'\"-\n 1.#")).map(str.encode))
def test_any_bytes_are_a_snapshot_or_one_error(data: bytes) -> None:
    problem = ""
    try:
        loads_softsav(data)
    except AutosaveError as error:
        problem = str(error)
    assert "\n" not in problem


def test_without_pyyaml_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(AutosaveError, match=r"ioc-ops\[softioc\]"):
        loads_softsav(SAMPLE)
