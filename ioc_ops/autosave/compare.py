"""Whether two values are equal for an operator: across formats and within tolerances."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ioc_ops.autosave.formats.escapes import encode
from ioc_ops.autosave.snapshot import Snapshot, SnapshotDiff
from ioc_ops.autosave.untyped import number_of
from ioc_ops.autosave.values import EnumValue, UntypedValue, Value, same
from ioc_ops.errors import AutosaveError

__all__ = ["Tolerance", "differences", "equal"]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Numbers are equal if they differ by at most ``absolute + relative * |larger one|``."""

    absolute: float = 0.0
    relative: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.absolute or self.relative)

    def allows(self, one: float, other: float) -> bool:
        """Whether two numbers are equal; NaN equals NaN."""
        if one == other or (one != one and other != other):
            return True
        if not (math.isfinite(one) and math.isfinite(other)):
            return False
        width = self.absolute + self.relative * max(abs(one), abs(other))
        return bool(self) and abs(one - other) <= width


def differences(old: Snapshot, new: Snapshot, tolerance: Tolerance) -> SnapshotDiff:
    """As `SnapshotDiff.between`, with `equal` for two values."""
    diff = SnapshotDiff.between(old, new)
    changed = tuple(
        name for name in diff.changed if not equal(old.values[name], new.values[name], tolerance)
    )
    return SnapshotDiff(diff.added, diff.removed, changed)


def equal(one: Value, other: Value, tolerance: Tolerance | None = None) -> bool:
    """Whether two values are equal.

    Forms of different formats are seen through: an untyped "1.5" is the number 1.5, index 2 is
    state 2 of an enum, bytes and text are their characters as numbers. Two untyped values are
    equal as text, and with tolerances as numbers.
    """
    tolerance = tolerance or Tolerance()
    try:
        if same(one, other):
            return True
    except AutosaveError:  # of a type that cannot be saved: it came from nowhere, and differs
        return False
    if _is_text(one) != _is_text(other) and (_is_array(one) or _is_array(other)):
        raw = _characters(one), _characters(other)
        if raw[0] is not None and raw[1] is not None:
            return raw[0].rstrip(b"\0") == raw[1].rstrip(b"\0")
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        fast = _equal_arrays(one, other, tolerance)
        if fast is not None:
            return fast
    items, others = _items(one), _items(other)
    if _is_array(one) != _is_array(other):
        # Where types are unknown, an array of one or no element may stand there as a scalar.
        scalar = other if _is_array(one) else one
        if not isinstance(scalar, UntypedValue):
            return False
        if scalar.text == "" and not (items if _is_array(one) else others):
            return True
    return len(items) == len(others) and all(
        _equal(a, b, tolerance) for a, b in zip(items, others, strict=True)
    )


def _is_array(value: Value) -> bool:
    if isinstance(value, UntypedValue):
        return isinstance(value.text, tuple)
    return isinstance(value, list | bytes | np.ndarray)


def _is_text(value: Value) -> bool:
    return isinstance(value, str | bytes) or (
        isinstance(value, UntypedValue) and isinstance(value.text, str)
    )


def _characters(value: Value) -> bytes | None:
    """What an array of characters holds, if that can be said."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, UntypedValue) and isinstance(value.text, str):
        value = value.text
    if isinstance(value, str):
        return encode(value)
    numbers = [_number(item) for item in _items(value)]
    if not all(isinstance(n, int) and -128 <= n < 256 for n in numbers):
        return None
    return bytes(n & 0xFF for n in numbers if isinstance(n, int))


def _items(value: Value) -> Sequence[object]:
    if isinstance(value, UntypedValue):
        return [
            UntypedValue(t) for t in ([value.text] if isinstance(value.text, str) else value.text)
        ]
    if isinstance(value, np.ndarray):
        elements: list[object] = value.reshape(-1).tolist()
        return elements
    return value if isinstance(value, list | bytes) else [value]


def _equal(one: object, other: object, tolerance: Tolerance) -> bool:
    if isinstance(one, EnumValue) and isinstance(other, EnumValue):
        return one == other
    if isinstance(one, EnumValue) or isinstance(other, EnumValue):
        state, value = (one, other) if isinstance(one, EnumValue) else (other, one)
        text = value.text if isinstance(value, UntypedValue) else value
        number = number_of(text) if isinstance(text, str) else text
        return isinstance(state, EnumValue) and (text == state.state or number == state.index)
    if isinstance(one, UntypedValue) and isinstance(other, UntypedValue):
        if one == other or not tolerance:
            return one == other
    elif isinstance(one, str | bytes) or isinstance(other, str | bytes):
        return _bare(one) == _bare(other)
    a, b = _number(one), _number(other)
    return a is not None and b is not None and tolerance.allows(a, b)


def _bare(item: object) -> object:
    text = item.text if isinstance(item, UntypedValue) else item
    return encode(text) if isinstance(text, str) else text


def _number(item: object) -> int | float | None:
    if isinstance(item, UntypedValue) and isinstance(item.text, str):
        return number_of(item.text)
    return item if isinstance(item, int | float) else None


def _equal_arrays(
    one: npt.NDArray[np.generic], other: npt.NDArray[np.generic], tolerance: Tolerance
) -> bool | None:
    """Of large arrays; None if they are not of floats."""
    if one.dtype.kind != "f" or other.dtype.kind != "f":
        return None
    if one.shape != other.shape:
        return False
    a, b = one.astype(np.float64), other.astype(np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    with np.errstate(invalid="ignore", over="ignore"):
        width = tolerance.absolute + tolerance.relative * np.maximum(abs(a), abs(b))
        close = (a == b) | (np.isnan(a) & np.isnan(b)) | (finite & (abs(a - b) <= width))
    return bool(close.all())
