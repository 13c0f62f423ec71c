"""Payloads of DBR types 0 to 38: sizes, prefixes and elements, both ways.

Two oracles that are not ours: the tables of libca (`dbr_size` and its kin) for sizes and
offsets, and caproto's structures for what stands where.
"""

import ctypes
import math
import struct
from typing import Any

import caproto
import numpy as np
import pytest
from epicscorelibs.path import get_lib
from hypothesis import given
from hypothesis import strategies as st
from wire_strategies import data_types, quick, thorough, u16, u32

from ioc_ops.ca import (
    LAST_TYPE,
    LAYOUTS,
    ChannelType,
    Extras,
    Family,
    Limits,
    pack_prefix,
    payload_size,
    unpack_payload,
)
from ioc_ops.ca.dbr import NATIVE_DTYPES
from ioc_ops.ca.payload import (
    SCALAR_TIME,
    elements,
    pack_string,
    pack_strings,
    unpack_strings,
)
from ioc_ops.errors import ProtocolError

ALL_TYPES = list(ChannelType)
PLAIN_FAMILIES = (Family.PLAIN, Family.PUT_ACKT, Family.PUT_ACKS, Family.CLASS_NAME)
INTEGER_RANGES = {1: (-0x8000, 0x7FFF), 4: (0, 0xFF), 5: (-0x80000000, 0x7FFFFFFF)}

short_text = st.binary(max_size=7).map(lambda raw: raw.replace(b"\0", b"."))
state = st.binary(max_size=25).map(lambda raw: raw.replace(b"\0", b"."))


def pad(payload: bytes) -> bytes:
    return payload + bytes(-len(payload) % 8)


def limits_of(native: ChannelType) -> st.SearchStrategy[Limits]:
    """Eight limits that the native type can show as they are."""
    if native in INTEGER_RANGES:
        number: st.SearchStrategy[Any] = st.integers(*INTEGER_RANGES[native])
    else:
        width = 32 if native == ChannelType.FLOAT else 64
        number = st.floats(allow_nan=False, width=width)
    if native == ChannelType.FLOAT:
        number = number.filter(math.isfinite)  # an infinite limit is clamped: a test of its own
    return st.builds(Limits, *[number] * 8)


@st.composite
def type_and_extras(draw: st.DrawFn) -> tuple[ChannelType, Extras]:
    """A DBR type and all that can stand in its prefix, nothing else."""
    data_type = ChannelType(draw(data_types))
    layout = LAYOUTS[data_type]
    family, native = layout.family, layout.native
    said: dict[str, Any] = {}
    if family not in PLAIN_FAMILIES:
        said |= {"status": draw(u16), "severity": draw(u16)}
    if family == Family.TIME:
        said |= {"seconds": draw(u32), "nanoseconds": draw(u32)}
    if family == Family.STSACK:
        said |= {"ackt": draw(u16), "acks": draw(u16)}
    if family in (Family.GR, Family.CTRL):
        if native == ChannelType.ENUM:
            said["states"] = tuple(draw(st.lists(state, max_size=16)))
        elif native != ChannelType.STRING:
            limits = draw(limits_of(native))
            said |= {"units": draw(short_text), "limits": limits}
            if family == Family.GR:
                said["limits"] = limits._replace(upper_ctrl=0, lower_ctrl=0)
            if native in (ChannelType.FLOAT, ChannelType.DOUBLE):
                said["precision"] = draw(st.integers(-0x8000, 0x7FFF))
    return data_type, Extras(**said)


# -- sizes ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def libca() -> ctypes.CDLL:
    """The client library of EPICS Base, for its tables alone: nothing is connected."""
    return ctypes.CDLL(get_lib("ca"))


def test_sizes_and_offsets_are_those_of_libca(libca: ctypes.CDLL) -> None:
    def table(name: str) -> list[int]:
        return list((ctypes.c_ushort * (LAST_TYPE + 1)).in_dll(libca, name))

    assert [layout.size for layout in LAYOUTS] == table("dbr_size")
    assert [layout.element_size for layout in LAYOUTS] == table("dbr_value_size")
    offsets = table("dbr_value_offset")
    assert [layout.prefix.size for layout in LAYOUTS] == offsets


@pytest.mark.parametrize("data_type", ALL_TYPES)
@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_the_size_of_many_elements(data_type: ChannelType, count: int, libca: ctypes.CDLL) -> None:
    size = (ctypes.c_ushort * 39).in_dll(libca, "dbr_size")[data_type]
    more = (ctypes.c_ushort * 39).in_dll(libca, "dbr_value_size")[data_type]
    assert payload_size(data_type, count) == size + (count - 1) * more  # the macro dbr_size_n


def test_the_table_is_complete_and_in_order() -> None:
    assert len(LAYOUTS) == LAST_TYPE + 1 == 39
    for family in range(5):
        for native in range(7):
            layout = LAYOUTS[family * 7 + native]
            assert (layout.family, layout.native) == (family, native)


# -- both ways -----------------------------------------------------------------------------


@thorough
@given(type_and_extras(), st.integers(0, 5), st.data())
def test_a_payload_comes_back_as_it_was(
    described: tuple[ChannelType, Extras], count: int, data: st.DataObject
) -> None:
    data_type, extras = described
    size = LAYOUTS[data_type].element_size * count
    raw = data.draw(st.binary(min_size=size, max_size=size))
    payload = pad(pack_prefix(data_type, extras) + raw)
    assert len(payload) % 8 == 0
    assert unpack_payload(data_type, count, payload) == (extras, raw)


@thorough
@given(st.integers(-3, 45), st.integers(0, 100), st.binary(max_size=500))
def test_any_payload_unpacks_or_raises_protocol_error(
    data_type: int, count: int, payload: bytes
) -> None:
    try:
        extras, raw = unpack_payload(data_type, count, payload)
    except ProtocolError:
        return
    layout = LAYOUTS[data_type]
    assert len(extras.states) <= 16
    # One string may be cut behind its terminator; everything else is whole.
    cut = layout.element_size == 40 and count == 1 and len(raw) < 40
    assert cut or len(raw) == count * layout.element_size


@pytest.mark.parametrize("data_type", ALL_TYPES)
def test_a_payload_that_is_a_byte_short_is_refused(data_type: ChannelType) -> None:
    layout = LAYOUTS[data_type]
    payload = bytes(payload_size(data_type, 2) - 1)
    with pytest.raises(ProtocolError, match="2 elements do not fit"):
        unpack_payload(data_type, 2, payload)
    with pytest.raises(ProtocolError, match="1 elements do not fit"):
        elements(data_type, 1, bytes(layout.prefix.size))


@pytest.mark.parametrize("data_type", [-1, 39, 0xFFFF])
def test_there_is_no_such_type(data_type: int) -> None:
    with pytest.raises(ProtocolError, match="is no DBR type"):
        unpack_payload(data_type, 0, bytes(500))


def test_a_single_string_may_be_cut_behind_its_terminator() -> None:
    assert unpack_payload(ChannelType.STRING, 1, b"on\0\0\0\0\0\0")[1] == b"on\0\0\0\0\0\0"
    assert unpack_strings(b"on\0\0\0\0\0\0", 1) == [b"on"]


@quick
@given(st.lists(st.binary(max_size=39).map(lambda raw: raw.replace(b"\0", b" ")), max_size=5))
def test_strings_come_back_as_they_were(texts: list[bytes]) -> None:
    assert unpack_strings(pack_strings(texts), len(texts)) == texts


def test_a_long_string_is_cut_and_terminated() -> None:
    assert pack_string(b"x" * 60) == b"x" * 39 + b"\0"


@pytest.mark.parametrize(
    ("data_type", "limit", "shown"),
    [
        (ChannelType.GR_INT, 1e9, 0x7FFF),
        (ChannelType.GR_INT, -math.inf, -0x8000),
        (ChannelType.GR_INT, math.nan, 0),
        (ChannelType.GR_CHAR, 300, 255),
        (ChannelType.GR_CHAR, -1, 255),
        (ChannelType.GR_CHAR, -1000, 128),
        (ChannelType.CTRL_LONG, 1e300, 0x7FFFFFFF),
        (ChannelType.CTRL_LONG, -1e300, -0x80000000),
        (ChannelType.CTRL_FLOAT, 1e300, struct.unpack(">f", b"\x7f\x7f\xff\xff")[0]),
        (ChannelType.CTRL_DOUBLE, math.inf, math.inf),
    ],
)
def test_a_limit_that_the_type_cannot_show_is_clamped(
    data_type: ChannelType, limit: float, shown: float
) -> None:
    extras = Extras(limits=Limits(upper_disp=limit))
    payload = pack_prefix(data_type, extras) + bytes(8)
    assert unpack_payload(data_type, 1, payload)[0].limits.upper_disp == shown


@pytest.mark.parametrize(
    ("precision", "shown"), [(3.0, 3), (40_000, 0x7FFF), (-40_000, -0x8000), (math.nan, 0)]
)
def test_a_precision_that_16_bits_cannot_show_is_clamped(precision: float, shown: int) -> None:
    payload = pack_prefix(ChannelType.CTRL_DOUBLE, Extras(precision=precision)) + bytes(8)
    assert unpack_payload(ChannelType.CTRL_DOUBLE, 1, payload)[0].precision == shown


@pytest.mark.parametrize("data_type", [ChannelType.GR_FLOAT, ChannelType.CTRL_DOUBLE])
def test_a_limit_that_is_no_number_stays_none(data_type: ChannelType) -> None:
    payload = pack_prefix(data_type, Extras(limits=Limits(lower_alarm=math.nan))) + bytes(8)
    assert math.isnan(unpack_payload(data_type, 1, payload)[0].limits.lower_alarm)


def test_what_is_too_long_for_its_field_is_cut_and_terminated() -> None:
    units = pack_prefix(ChannelType.GR_DOUBLE, Extras(units=b"furlongs"))
    assert units[8:16] == b"furlong\0"
    states = (b"s" * 30, *[b"more"] * 20)
    payload = pack_prefix(ChannelType.GR_ENUM, Extras(states=states)) + bytes(2)
    shown = unpack_payload(ChannelType.GR_ENUM, 1, payload)[0].states
    assert shown == (b"s" * 25, *[b"more"] * 15)


def test_a_number_of_states_beyond_the_table_is_not_believed() -> None:
    payload = struct.pack(">HHH", 0, 0, 0xFFFF) + bytes(416 + 2)
    assert len(unpack_payload(ChannelType.CTRL_ENUM, 1, payload)[0].states) == 16


# -- against caproto -----------------------------------------------------------------------

SAID = Extras(
    status=3,
    severity=2,
    seconds=1_000_000,
    nanoseconds=123_456_789,
    precision=4,
    units=b"mm",
    limits=Limits(100, -100, 90, 80, -80, -90, 95, -95),
    states=(b"Off", b"On", b"Fault"),
    ackt=1,
    acks=2,
)
CHAR_LIMITS = Limits(100, 1, 90, 80, 20, 10, 95, 5)
LIMIT_NAMES = {
    "upper_disp": "upper_disp_limit",
    "lower_disp": "lower_disp_limit",
    "upper_alarm": "upper_alarm_limit",
    "upper_warning": "upper_warning_limit",
    "lower_warning": "lower_warning_limit",
    "lower_alarm": "lower_alarm_limit",
    "upper_ctrl": "upper_ctrl_limit",
    "lower_ctrl": "lower_ctrl_limit",
}
# DBR_CTRL_STRING is a DBR_STS_STRING (`db_access.h`), which caproto takes for a DBR_TIME_STRING.
READ_BY_CAPROTO = [t for t in ALL_TYPES if t not in (35, 36, ChannelType.CTRL_STRING)]


@pytest.mark.parametrize("data_type", READ_BY_CAPROTO)
def test_another_implementation_reads_our_payloads(data_type: ChannelType) -> None:
    layout = LAYOUTS[data_type]
    limits = CHAR_LIMITS if layout.native == ChannelType.CHAR else SAID.limits
    extras = Extras(**{**{f: getattr(SAID, f) for f in SAID.__slots__}, "limits": limits})
    if layout.element_size == 40:
        raw, expected = pack_strings([b"hello", b"world"]), [b"hello", b"world"]
    else:
        values = np.array([65, 66], NATIVE_DTYPES[layout.native])
        raw, expected = values.tobytes(), [65, 66]
    payload = pad(pack_prefix(data_type, extras) + raw)
    theirs = caproto.ChannelType(int(data_type))

    meta = caproto._commands.extract_metadata(payload, theirs)
    if layout.family not in PLAIN_FAMILIES:
        assert (meta.status, meta.severity) == (3, 2)
    if layout.family == Family.TIME:
        assert meta.secondsSinceEpoch == 1_000_000
        assert meta.nanoSeconds == 123_456_789
    if layout.family == Family.STSACK:
        assert (meta.ackt, meta.acks) == (1, 2)
    if layout.family in (Family.GR, Family.CTRL):
        if layout.native == ChannelType.ENUM:
            assert tuple(meta.enum_strings) == SAID.states
        elif layout.native != ChannelType.STRING:
            assert meta.units == b"mm"
            shown = list(LIMIT_NAMES.items())[: 6 if layout.family == Family.GR else 8]
            for ours, name in shown:
                shown_limit = getattr(meta, name)
                if isinstance(shown_limit, bytes):  # a char of ctypes
                    shown_limit = ord(shown_limit)
                assert shown_limit == getattr(limits, ours)
        if layout.native in (ChannelType.FLOAT, ChannelType.DOUBLE):
            assert meta.precision == 4
    if layout.family in (Family.STSACK, Family.CLASS_NAME):
        return  # caproto takes the first element for a part of the prefix

    body = payload[0 if meta is None else ctypes.sizeof(meta) :]
    data = caproto._commands.extract_data(body, caproto.ChannelType(int(layout.native)), 2)
    assert list(data) == expected


# -- the single calls of the hot path --------------------------------------------------------


@quick
@given(st.integers(1, 6), u16, u16, u32, u32, st.integers(0, 127))
def test_the_structs_of_the_hot_path_agree_with_the_general_way(
    native: int, status: int, severity: int, seconds: int, nanoseconds: int, value: int
) -> None:
    extras = Extras(status, severity, seconds, nanoseconds)
    raw = np.array([value], NATIVE_DTYPES[native]).tobytes()
    timed = SCALAR_TIME[native].pack(status, severity, seconds, nanoseconds, value)
    assert timed == pad(pack_prefix(ChannelType.TIME_STRING + native, extras) + raw)
