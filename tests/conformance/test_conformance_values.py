"""The same reads and writes, to records of EPICS Base and to plain PVs of ours."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from differences import REFUSES, TAKES, WRITES, Difference, reason_for
from wire_client import Connection, Shown, pack, request, shown

from ioc_ops.ca import ChannelType, Command

Pair = tuple[Connection, Connection]
STRING, INT, FLOAT, ENUM, CHAR, LONG, DOUBLE = range(7)

NATIVE = {
    "ao": DOUBLE,
    "al": DOUBLE,
    "lo": LONG,
    "mb": ENUM,
    "bo": ENUM,
    "so": STRING,
    "wd": DOUBLE,
    "wf": FLOAT,
    "wl": LONG,
    "ws": INT,
    "wc": CHAR,
    "wt": STRING,
    "f1": FLOAT,
    "s1": INT,
}
LENGTHS = {"wd": 5, "wf": 5, "wl": 5, "ws": 5, "wc": 12, "wt": 3}
FILLED = {
    "wd": (1.5, -2.25, 300.125),
    "wf": (1.5, -2.25, 300.125),
    "wl": (1, -2, 70_000),
    "ws": (1, -2, 300),
    "wc": (65, 66, 0, 200),
    "wt": (b"one", b"2.5"),
    "f1": (1.25,),
    "s1": (-5,),
}
READ_TYPES = [*range(35), ChannelType.STSACK_STRING, ChannelType.CLASS_NAME]


def both(
    pair: Pair, name: str, make: Callable[[int], bytes], awaited: int = 0
) -> list[list[Shown]]:
    """The replies of both to a request, which is made with the id of the channel."""
    replies = []
    for connection in pair:
        sid = next(sid for sid, pv in connection.sids.items() if pv == name)
        found = connection.exchange(make(sid), [awaited] if awaited else [])
        replies.append([shown(message, connection) for message in found])
    return replies


def opened(connect: Callable[[], Pair], name: str) -> Pair:
    pair = connect()
    for connection in pair:
        connection.open(name)
    return pair


def write(pair: Pair, name: str, data_type: int, count: int, payload: bytes) -> list[list[Shown]]:
    def make(sid: int) -> bytes:
        return request(Command.WRITE_NOTIFY, data_type, count, sid, 1, payload)

    return both(pair, name, make, Command.WRITE_NOTIFY)


# --- reads ----------------------------------------------------------------------------------


def compared(replies: list[Shown], pv: str, data_type: int, count: int) -> list[Shown]:
    """Without what Base says of limits that a record does not have, nor more than one class name.

    Alarm limits without a severity are NaN there and 0 here, as in caproto. Control limits that
    are not in force are the display limits of a longout, what was in the buffer for a bo, and 0
    here. A class name is one string here, and NELM strings there, of which one is a name.
    """
    if data_type == ChannelType.CLASS_NAME and not count:
        return [reply[-1] for reply in replies]

    def plain(item: object) -> object:
        if not (isinstance(item, tuple) and len(item) == 8):
            return item
        limits = tuple("0.0" if limit == "nan" else limit for limit in item)
        return limits[:6] if pv in ("lo", "bo") else limits

    return [tuple(plain(item) for item in reply) for reply in replies]


@pytest.mark.parametrize("pv", [*NATIVE, "ro", "no"])
def test_reads_of_every_type_and_count(connect: Callable[[], Pair], pv: str) -> None:
    pair = opened(connect, pv)
    if pv in NATIVE:
        value = FILLED.get(pv) or RESET[NATIVE[pv]]
        base, ours = write(pair, pv, NATIVE[pv], len(value), pack(NATIVE[pv], *value))
        assert base == ours
    wrong = []
    for data_type in READ_TYPES:
        for count in (0, 1, 2, LENGTHS.get(pv, 1) + 2):

            def make(sid: int, data_type: int = data_type, count: int = count) -> bytes:
                return request(Command.READ_NOTIFY, data_type, count, sid, 9)

            base, ours = both(pair, pv, make)
            if compared(base, pv, data_type, count) != compared(ours, pv, data_type, count):
                wrong.append((ChannelType(data_type).name, count, base, ours))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("pv", list(LENGTHS))
def test_reads_of_an_empty_array(connect: Callable[[], Pair], pv: str) -> None:
    pair = opened(connect, pv)
    base, ours = write(pair, pv, NATIVE[pv], 0, b"")
    assert base == ours
    for data_type in READ_TYPES[:21]:
        for count in (0, 1, 3):

            def make(sid: int, data_type: int = data_type, count: int = count) -> bytes:
                return request(Command.READ_NOTIFY, data_type, count, sid, 9)

            base, ours = both(pair, pv, make)
            assert base == ours, (data_type, count)


# --- writes ---------------------------------------------------------------------------------

RESET = {
    STRING: (b"hello",),
    INT: (1,),
    FLOAT: (1.5,),
    ENUM: (1,),
    CHAR: (65, 66),
    LONG: (7,),
    DOUBLE: (1.5,),
}
TEXTS = (
    "1 2.5 -3 abc 1e2 0x10 0xg On Fault nan inf -inf 1_0 7xyz 30 300 70000 1e10 2.9 +3 1e400 "
    "010 1. .5 1e-400 -1 4294967295 -129 1e-5 0x 1e infinity Closed 12,5 1;2"
).split()
WRITTEN: dict[int, tuple[float | bytes, ...]] = {
    STRING: (*[text.encode() for text in TEXTS], b"", b" 4", b"5 ", b"x" * 39),
    INT: (1, -3, 0, 30_000),
    FLOAT: (1.5, -2.25, math.nan, math.inf, 1e10, 0.1),
    ENUM: (0, 1, 2, 3, 5, 65_535),
    CHAR: (0, 1, 2, 65, 200),
    LONG: (0, 1, -1, 2, 70_000),
    DOUBLE: (
        0.0,
        1.5,
        -2.25,
        85,
        95,
        -95,
        1e10,
        math.nan,
        math.inf,
        1e300,
        0.0625,
        2.5,
        1234567.891,
    ),
}


class Case(NamedTuple):
    """A write."""

    name: str
    data_type: int
    count: int
    payload: bytes


def cases(pv: str) -> Iterator[Case]:
    """Values of every native type, one, none, two, and more than fit."""
    for data_type, values in WRITTEN.items():
        to = f"{pv} <- {ChannelType(data_type).name}"
        for value in values:
            label = repr(value.decode()) if isinstance(value, bytes) else repr(value)
            yield Case(f"{to} x1 {label}", data_type, 1, pack(data_type, value))
        first, second, *_ = values
        yield Case(f"{to} x0 none", data_type, 0, b"")
        yield Case(f"{to} x0 none of one", data_type, 0, pack(data_type, second))
        yield Case(f"{to} x2 two", data_type, 2, pack(data_type, first, second))
        yield Case(f"{to} x8 many", data_type, 8, pack(data_type, *[first, second] * 4))


def state(pair: Pair, pv: str) -> list[list[Shown]]:
    """The value, its alarm, and its text."""

    def make(sid: int) -> bytes:
        timed = request(Command.READ_NOTIFY, NATIVE[pv] + 14, 0, sid, 1)
        return timed + request(Command.READ_NOTIFY, STRING, 0, sid, 2)

    return both(pair, pv, make)


used: set[Difference] = set()
tried: set[str] = set()


@pytest.mark.parametrize("pv", list(NATIVE))
def test_writes_of_every_type(connect: Callable[[], Pair], pv: str) -> None:
    pair = opened(connect, pv)
    native, wrong = NATIVE[pv], []
    for case in cases(pv):
        reset = RESET[native]
        write(pair, pv, native, len(reset), pack(native, *reset))
        _, before = state(pair, pv)
        base, ours = write(pair, pv, case.data_type, case.count, case.payload)
        base_after, ours_after = state(pair, pv)
        if (base, base_after) == (ours, ours_after):
            continue
        how = REFUSES if ours[0][1] == "PUTFAIL" and ours_after == before else TAKES
        row = reason_for(case.name, how)
        if row is None:
            wrong.append((case.name, how, base[0][1], base_after, ours[0][1], ours_after))
        else:
            used.add(row)
    tried.add(pv)
    assert not wrong, "\n".join(map(str, wrong))


def test_every_listed_difference_is_one() -> None:
    """A row that nothing needs any more hides the next fault."""
    if tried != set(NATIVE):
        pytest.skip("only some of the writes were tried")
    assert [row for row in WRITES if row not in used] == []
