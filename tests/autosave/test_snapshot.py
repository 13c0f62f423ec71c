"""Collecting the state of real PVs, and what differs between two states."""

import numpy as np
import pytest

from ioc_ops.autosave.snapshot import CarriedValue, Snapshot, SnapshotDiff, collect, current_value
from ioc_ops.autosave.values import EnumValue
from ioc_ops.channel import (
    ChannelBoolEnum,
    ChannelByte,
    ChannelChar,
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelInteger,
    ChannelString,
)
from ioc_ops.errors import AutosaveError


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        (ChannelInteger(-5), -5),
        (ChannelDouble(0.1), 0.1),
        (ChannelString("text"), "text"),
        (ChannelChar("long text"), "long text"),
        (ChannelByte(b"\0\1"), b"\0\1"),
        (ChannelEnum(1, enum_strings=["A", "B"]), EnumValue(1, "B")),
        (ChannelBoolEnum(True), EnumValue(1, "On")),
        (ChannelEnum(7), EnumValue(7, "")),
        (ChannelString(["a", "b"], max_length=3), ["a", "b"]),
    ],
    ids=lambda item: type(item).__name__,
)
def test_values_of_every_kind_of_pv(channel: ChannelData, expected: object) -> None:
    value = current_value(channel)
    assert type(value) is type(expected)
    assert value == expected


def test_later_changes_of_an_array_do_not_reach_the_saved_value() -> None:
    channel = ChannelDouble(np.array([1.0, 2.0]), max_length=4)
    value = current_value(channel)
    assert isinstance(value, np.ndarray)
    channel.value[0] = 99.0
    assert value.tolist() == [1.0, 2.0]


def test_later_changes_of_a_list_do_not_reach_the_saved_value() -> None:
    channel = ChannelDouble([1.0, 2.0], max_length=4)
    value = current_value(channel)
    channel.value.append(3.0)
    assert list(value) == [1.0, 2.0]  # type: ignore[arg-type]


class _Odd(ChannelData):
    """A PV whose value is nothing that can be saved."""

    def convert(self, value: object) -> object:
        return object()


def test_a_pv_that_cannot_be_saved_costs_itself_alone() -> None:
    snapshot = collect([ChannelInteger(1, name="a"), _Odd(0, name="b")], saved_at=5.0)
    assert dict(snapshot.values) == {"a": 1}
    assert set(snapshot.unreadable) == {"b"}
    assert snapshot.saved_at == 5.0
    with pytest.raises(AutosaveError, match="object cannot be saved"):
        current_value(_Odd(0))


def test_diff_is_exact() -> None:
    old = Snapshot({"same": float("nan"), "zero": 0.0, "gone": 1, "array": np.array([1, 2])})
    new = Snapshot({"same": float("nan"), "zero": -0.0, "array": np.array([1, 2]), "new": 1})
    diff = SnapshotDiff.between(old, new)
    assert diff == SnapshotDiff(added=("new",), removed=("gone",), changed=("zero",))
    assert diff
    assert not SnapshotDiff.between(old, old)


def test_a_carried_value_is_found_unless_there_is_a_saved_one() -> None:
    snapshot = Snapshot({"a": 1}, carried={"a": CarriedValue(2, 0), "b": CarriedValue(3, 0)})
    assert [snapshot.find(name) for name in ("a", "b", "c")] == [1, 3, None]
