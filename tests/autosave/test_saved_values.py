"""Values come back exactly: to the bit, in type, in shape."""

import json
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from ioc_ops.autosave.values import EnumValue, from_json, same, to_text
from ioc_ops.errors import AutosaveError


def there_and_back(value: object) -> object:
    text = to_text(value)
    assert "\n" not in text
    text.encode()  # what goes into the file must be UTF-8
    return from_json(json.loads(text, parse_constant=_refuse))


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def bits(value: float) -> bytes:
    return struct.pack(">d", value)


any_double = st.integers(0, 2**64 - 1).map(lambda n: struct.unpack(">d", n.to_bytes(8, "big"))[0])
# Lone surrogates too: nothing stops a hook from writing them.
any_text = st.text(st.characters(codec=None, categories=None))


@given(any_double | st.floats())
def test_doubles_to_the_bit(value: float) -> None:
    back = there_and_back(value)
    assert type(back) is float
    assert bits(back) == bits(value)


@given(st.integers() | st.integers(-(2**63), 2**64))
def test_integers_of_any_size(value: int) -> None:
    back = there_and_back(value)
    assert type(back) is int
    assert back == value


@given(any_text | st.text())
def test_text(value: str) -> None:
    assert there_and_back(value) == value


@given(st.binary(max_size=1000))
def test_bytes(value: bytes) -> None:
    back = there_and_back(value)
    assert type(back) is bytes
    assert back == value


@pytest.mark.parametrize("value", [True, False])
def test_booleans_stay_booleans(value: bool) -> None:
    assert there_and_back(value) is value


@given(st.integers(), any_text)
def test_enums_by_index_and_name(index: int, state: str) -> None:
    assert there_and_back(EnumValue(index, state)) == EnumValue(index, state)


scalars = (
    st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | any_text
    | st.binary()
    | st.builds(EnumValue, st.integers(0, 15), st.text())
)


@given(st.lists(scalars))
def test_lists_keep_type_and_order(value: list[object]) -> None:
    back = there_and_back(value)
    assert isinstance(back, list)
    assert [(type(item), item) for item in back] == [(type(item), item) for item in value]


@pytest.mark.parametrize("length", [0, 1, 255, 256, 257, 20_000])
@pytest.mark.parametrize("item", [7, 2**62, 2**70, 0.1, math.inf, -0.0, "x", True])
def test_lists_of_every_length(length: int, item: object) -> None:
    back = there_and_back([item] * length)
    assert isinstance(back, list)
    assert [repr(element) for element in back] == [repr(item)] * length


def test_nan_payloads_in_a_long_list() -> None:
    odd = struct.unpack(">d", bytes.fromhex("7ff8dead0000beef"))[0]
    back = there_and_back([odd] * 1000)
    assert isinstance(back, list)
    assert {bits(element) for element in back} == {bits(odd)}


def test_a_mixed_long_list_stays_mixed() -> None:
    back = there_and_back([1, 2.0] * 500)
    assert isinstance(back, list)
    assert [type(item) for item in back] == [int, float] * 500


array_types = (
    npst.boolean_dtypes()
    | npst.integer_dtypes(endianness="?")
    | npst.unsigned_integer_dtypes(endianness="?")
    | npst.floating_dtypes(endianness="?", sizes=(16, 32, 64))
    | npst.unicode_string_dtypes(min_len=1)
    | npst.byte_string_dtypes(min_len=1)
)


@given(npst.arrays(array_types, npst.array_shapes(min_dims=0, min_side=0, max_side=20)))
def test_arrays_of_any_type_and_shape(array: np.ndarray) -> None:
    back = there_and_back(array)
    assert isinstance(back, np.ndarray)
    assert back.dtype == array.dtype
    assert back.dtype.byteorder == array.dtype.byteorder
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", ">i2", "<i8", "|u1", "|b1", "<U5", "|S40"])
@pytest.mark.parametrize("length", [0, 1, 256, 257, 100_000])
def test_arrays_of_every_length(dtype: str, length: int) -> None:
    array = (np.arange(length) % 100).astype(dtype)
    back = there_and_back(array)
    assert isinstance(back, np.ndarray)
    assert (back.dtype.str, back.shape) == (dtype, (length,))
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable


def test_a_view_with_strides_is_saved_as_what_it_shows() -> None:
    array = np.arange(10.0)[::-2]
    assert there_and_back(array).tolist() == [9.0, 7.0, 5.0, 3.0, 1.0]  # type: ignore[union-attr]


def test_numpy_scalars_become_numbers() -> None:
    assert there_and_back(np.int16(-3)) == -3
    assert there_and_back(np.float32(0.1)) == float(np.float32(0.1))
    assert there_and_back(np.bool_(True)) is True


def test_an_array_of_objects_is_a_list() -> None:
    assert there_and_back(np.array(["a", 1, 2.5], object)) == ["a", 1, 2.5]


def test_small_values_are_readable() -> None:
    assert to_text(0.1) == "0.1"
    assert to_text("Strahl gr\u00fcn") == '"Strahl gr\u00fcn"'
    assert to_text(b"abc") == '{"bytes": "abc"}'
    assert to_text(EnumValue(1, "On")) == '{"enum": 1, "state": "On"}'
    assert to_text(np.array([1.5, 2.0])) == '{"dtype": "<f8", "values": [1.5, 2.0]}'


@pytest.mark.parametrize(
    "value",
    [
        *(None, {}, object(), 1j, [[1]], [None], 10**5000),
        *(np.zeros(2, complex), np.zeros(2, "M8[s]"), np.zeros(1, [("a", int)])),
        *(np.zeros((2, 2), object), np.array([None], object)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_saved_exactly_is_refused(value: object) -> None:
    with pytest.raises(AutosaveError):
        to_text(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (1, True), (0.0, -0.0), ("a", b"a"), ([1], 1), (np.array([1]), [1])],
)
def test_same_tells_types_and_bits_apart(one: object, other: object) -> None:
    assert same(one, one)
    assert not same(one, other)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
keys = st.sampled_from(
    ["float", "bytes", "base64", "utf8", "enum", "state", "dtype", "values", "shape", "list"]
)
texts = st.sampled_from(["<f8", "|u1", "<U3", "|S2", "<U0", "<f7", "AAAA", "nan:0", "00", "inf"])
near_values = st.dictionaries(
    keys, texts | st.lists(st.integers(-2, 9) | st.booleans()) | json_values, max_size=3
)


@given(json_values | near_values)
def test_any_json_is_a_value_or_one_error(data: object) -> None:
    try:
        value = from_json(data)  # type: ignore[arg-type]
    except AutosaveError:
        return
    assert same(there_and_back(value), value)


@pytest.mark.parametrize(
    "data",
    [
        {"float": "nan:7ff0000000000000"},  # the bits of infinity
        {"float": "nan:7ff8"},
        {"float": "1.5"},
        {"bytes": "\u00e9"},
        {"base64": "A"},
        {"utf8": "ff"},
        {"enum": True, "state": "On"},
        {"enum": 1, "state": 2},
        {"enum": 1},
        {"dtype": "<f8"},
        {"dtype": "<f8", "values": [True]},
        {"dtype": "|b1", "values": [1]},
        {"dtype": "|u1", "values": [256]},
        {"dtype": "<f8", "values": [1], "shape": [2]},
        {"dtype": "<f8", "values": [1], "shape": [-1]},
        {"dtype": "<f8", "values": [1], "shape": 1},
        {"dtype": "<f8", "base64": "AAAA"},
        {"dtype": "|O", "values": [1]},
        {"dtype": "<U999999999", "values": ["a"]},
        {"list": "<U1", "base64": ""},
        {"list": "<f8", "base64": "AAAA"},
        None,
        [[1]],
    ],
    ids=repr,
)
def test_what_is_no_value_is_refused(data: object) -> None:
    with pytest.raises(AutosaveError):
        from_json(data)  # type: ignore[arg-type]
