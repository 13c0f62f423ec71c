"""Which format a file is in, and that any bytes are a snapshot or one error."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.autosave.fileformat import dumps
from ioc_ops.autosave.formats import FORMATS, dumps_sav, format_of, parse
from ioc_ops.autosave.formats.table import writable
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.errors import AutosaveError

STATE = Snapshot({"a": 1.5}, saved_at=1.0)
OWN = dumps(STATE)
SAV = dumps_sav(STATE).content
CAPROTO = b'{"a": {"value": 1.5, "fields": {}}}'
SOFTSAV = b"a: 1.5\n"


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (OWN, "", "json"),
        (OWN, "x.sav", "json"),
        (OWN[:40], "x.json", "json"),
        (SAV, "", "sav"),
        (SAV, "x.json", "sav"),
        (SAV[:60], "", "sav"),
        (b"a 1\n<END>\n", "", "sav"),
        (b"a 1\n", "x.sav", "sav"),
        (b"a 1\n", "x.savB", "sav"),
        (b"a 1\n", "x.sav0", "sav"),
        (b"a 1\n", "x.sav_260301-120000", "sav"),
        (b"a 1\n", "x.savB_RBAD_260301-120000", "sav"),
        (b"a 1\n", "x.sav.bu", "sav"),
        (b"a 1\n", "x_good.cfg", "sav"),
        (CAPROTO, "", "caproto"),
        (CAPROTO, "x.json", "caproto"),
        (b"", "x.json", "caproto"),
        (b"\0\0", "my.json.bad_20260301-120000", "caproto"),
        (SOFTSAV, "x.softsav", "softsav"),
        (SOFTSAV, "x.softsav_260301-120000", "softsav"),
        (b"{a: 1}", "x.yaml", "softsav"),
    ],
)
def test_the_content_tells_and_else_the_name(data: bytes, name: str, expected: str) -> None:
    assert format_of(data, name).name == expected


@pytest.mark.parametrize(
    ("data", "message"), [(b"", "empty"), (b"a: 1\n", "line 1: not a save file"), (b"\0", "line 1")]
)
def test_what_neither_tells_is_an_error(data: bytes, message: str) -> None:
    with pytest.raises(AutosaveError, match=message):
        parse(data, "notes.txt")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.json", "json"), ("a.sav", "sav"), ("a.softsav", None), ("a", None), ("a.b.txt", None)],
)
def test_formats_to_write(name: str, expected: str | None) -> None:
    form = writable(name)
    assert (form.name if form is not None else None) == expected


def test_a_value_that_json_cannot_hold_costs_itself_alone() -> None:
    state = Snapshot({"odd": np.array([1j]), "b": 2}, saved_at=1.0)
    form = FORMATS["json"]
    assert form.dumps is not None
    written = form.dumps(state)
    assert set(written.lost) == {"odd"}
    assert dict(form.loads(written.content).values) == {"b": 2}


file_names = st.sampled_from(["", "x", "x.sav", "x.json", "x.softsav", "x.savB", "x.txt"])
starts = st.sampled_from([b"", b"{", OWN[:30], SAV[:75], b"a: ", b"a 1\n"])


@given(starts, st.binary(), st.sampled_from([b"", b"}", b"<END>\n"]), file_names)
def test_any_bytes_are_a_snapshot_or_one_error(
    start: bytes, middle: bytes, end: bytes, name: str
) -> None:
    try:
        snapshot = parse(start + middle + end, name)
    except AutosaveError:
        return
    for form in FORMATS.values():
        if form.dumps is not None:
            form.loads(form.dumps(snapshot).content)


def test_the_golden_file_keeps_its_values_through_all_formats() -> None:
    golden = (Path(__file__).parent / "data" / "golden_R6-0.sav").read_bytes()
    state = parse(golden)
    own = FORMATS["json"].dumps
    assert own is not None
    through_json = parse(own(state).content)
    assert through_json.values == state.values
    assert parse(dumps_sav(through_json).content).values == state.values
