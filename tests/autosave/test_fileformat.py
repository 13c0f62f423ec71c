"""The save file: what was written is read, and nothing else is."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from ioc_ops.autosave.fileformat import compose, dumps, loads, value_line
from ioc_ops.autosave.snapshot import CarriedValue, Snapshot, SnapshotDiff
from ioc_ops.autosave.values import EnumValue, same
from ioc_ops.errors import AutosaveError

# Characters of any kind, lone surrogates too: a file must come out whatever the names are.
any_text = st.text(st.characters(codec=None, categories=None), max_size=20)
scalars = (
    st.booleans()
    | st.integers()
    | st.floats()
    | any_text
    | st.binary(max_size=20)
    | st.builds(EnumValue, st.integers(0, 15), st.text(max_size=5))
)
arrays = npst.arrays(st.sampled_from(["<f8", ">f8", "<f4", "|u1", "<i8"]), st.integers(0, 20))
values = scalars | st.lists(scalars, max_size=5) | arrays
microseconds = st.integers(0, 4_000_000_000_000_000).map(lambda n: n / 1e6)
snapshots = st.builds(
    Snapshot,
    values=st.dictionaries(any_text, values, max_size=6),
    carried=st.dictionaries(any_text, st.builds(CarriedValue, values, st.integers()), max_size=3),
    saved_at=microseconds,
    serial=st.integers(0),
    ioc=any_text,
)


def assert_same(one: Snapshot, other: Snapshot) -> None:
    assert not SnapshotDiff.between(one, other)
    assert set(one.carried) == set(other.carried)
    for name, carried in one.carried.items():
        assert carried.since == other.carried[name].since
        assert same(carried.value, other.carried[name].value)
    assert (one.unreadable, one.saved_at) == (other.unreadable, other.saved_at)
    assert (one.serial, one.ioc) == (other.serial, other.ioc)


@given(snapshots)
def test_what_was_written_is_read(snapshot: Snapshot) -> None:
    assert_same(loads(dumps(snapshot)), snapshot)


@given(snapshots)
def test_the_file_is_json_with_one_pv_a_line_sorted_by_name(snapshot: Snapshot) -> None:
    data = dumps(snapshot)
    content = json.loads(data.decode("utf-8"))
    assert list(content["pvs"]) == sorted(snapshot.values)
    carried = len(snapshot.carried) + 2 if snapshot.carried else 0
    assert data.count(b"\n") == 11 + len(snapshot.values) + carried


SAMPLE = Snapshot(
    values={
        "x:gain": 0.1,
        "x:mode": EnumValue(1, "Auto"),
        "x:label": "slit \u00e9",
        "x:array": np.array([1.0, np.nan]),
    },
    carried={"x:gone": CarriedValue(3, 1_767_225_600)},
    saved_at=1_772_366_400.25,
    serial=17,
    ioc="x:",
)


def test_the_sample_in_full() -> None:
    data = dumps(SAMPLE)
    assert data.decode().splitlines()[:-2] == [
        "{",
        '"format": "ioc_ops autosave",',
        '"version": 1,',
        '"ioc": "x:",',
        '"saved": "2026-03-01T12:00:00.250000+00:00",',
        '"serial": 17,',
        '"count": 4,',
        '"pvs": {',
        '"x:array": {"dtype": "<f8", "base64": "AAAAAAAA8D8AAAAAAAD4fw=="},',
        '"x:gain": 0.1,',
        '"x:label": "slit \u00e9",',
        '"x:mode": {"enum": 1, "state": "Auto"}',
        "},",
        '"carried": {',
        '"x:gone": {"since": 1767225600, "value": 3}',
        "},",
    ]


def test_every_cut_is_found() -> None:
    data = dumps(SAMPLE)
    for length in range(len(data)):
        with pytest.raises(AutosaveError):
            loads(data[:length])


def test_every_flipped_bit_is_found() -> None:
    data = bytearray(dumps(SAMPLE))
    for position in range(len(data)):
        for bit in range(8):
            data[position] ^= 1 << bit
            with pytest.raises(AutosaveError):
                loads(bytes(data))
            data[position] ^= 1 << bit
    assert_same(loads(bytes(data)), SAMPLE)


@given(st.data())
def test_any_damage_is_found(data: st.DataObject) -> None:
    """Cut out, overwrite or insert anywhere: an error, or nothing was changed at all."""
    whole = dumps(SAMPLE)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    damaged = whole[:start] + data.draw(st.binary(max_size=20)) + whole[end:]
    try:
        snapshot = loads(damaged)
    except AutosaveError:
        return
    assert damaged == whole
    assert_same(snapshot, SAMPLE)


def test_two_files_glued_together_are_found() -> None:
    with pytest.raises(AutosaveError):
        loads(dumps(SAMPLE) + dumps(SAMPLE))


@given(st.binary() | st.text().map(str.encode) | st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.dictionaries(st.sampled_from(["value", "fields", "a"]), inner)
    | st.lists(inner),
).map(lambda content: json.dumps(content).encode()))  # fmt: skip
def test_any_bytes_are_a_snapshot_or_one_error(data: bytes) -> None:
    try:
        snapshot = loads(data)
    except AutosaveError:
        return
    dumps(snapshot)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"\0" * 500, "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no object"),
        (b'{"a": 1}', "'a' has no 'value'"),
        (dumps(SAMPLE)[:-1], "cut off"),
        (dumps(SAMPLE).replace(b"0.1", b"0.2"), "checksum"),
        (dumps(SAMPLE).replace(b'"version": 1', b'"version": 2'), "version 2"),
        (dumps(SAMPLE).replace(b"\n", b"\r\n"), "edited"),
        (b"\xef\xbb\xbf" + dumps(SAMPLE), "edited"),
        (json.dumps(json.loads(dumps(SAMPLE))).encode(), "edited"),
    ],
    ids=range(12),
)
def test_the_error_says_what_is_wrong(data: bytes, message: str) -> None:
    with pytest.raises(AutosaveError, match=message):
        loads(data)


def composed(lines: list[bytes], **changes: object) -> bytes:
    """A file with a right checksum over whatever lines."""
    options = {"saved_at": 0.0, "serial": 1, "ioc": ""} | changes
    return b"".join(compose(lines, **options))  # type: ignore[arg-type]


def test_a_name_twice_is_found_by_the_count() -> None:
    with pytest.raises(AutosaveError, match="1 PVs in the file, 2 announced"):
        loads(composed([b'"a": 1', b'"a": 2']))


def test_a_value_in_an_unknown_form_costs_itself_alone() -> None:
    snapshot = loads(composed([b'"a": {"from": "the future"}', b'"b": 2']))
    assert dict(snapshot.values) == {"b": 2}
    assert "from" in snapshot.unreadable["a"]


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
def test_any_number_of_pvs(count: int) -> None:
    lines = [value_line(f"pv{number:05}", number) for number in range(count)]
    assert list(loads(composed(lines)).values.values()) == list(range(count))


def test_a_value_that_cannot_be_saved_names_its_pv() -> None:
    with pytest.raises(AutosaveError, match="x:odd: a value of type object"):
        value_line("x:odd", object())


def test_caproto_files_are_read() -> None:
    data = json.dumps(
        {
            "x:A": {"value": 1, "fields": {"description": "text"}},
            "x:B": {"value": [1.5, float("nan")], "fields": {}},
            "x:C": {"value": "On"},
            "x:D": {"value": {"odd": 1}, "fields": None},
            "x:E": {"value": None},
            "x:F": {"value": 2, "fields": "odd"},
        }
    ).encode()
    snapshot = loads(data)
    assert snapshot.values["x:A"] == 1
    assert snapshot.values["x:A.description"] == "text"
    assert same(snapshot.values["x:B"], [1.5, float("nan")])
    assert snapshot.values["x:C"] == "On"
    assert snapshot.values["x:F"] == 2
    assert set(snapshot.unreadable) == {"x:D", "x:E", "x:F.*"}
    assert snapshot.serial == 0
    assert snapshot.saved_at is None


def test_a_cut_caproto_file_is_no_file() -> None:
    data = json.dumps({"x:A": {"value": 1, "fields": {}}}).encode()
    for length in range(len(data)):
        with pytest.raises(AutosaveError):
            loads(data[:length])
