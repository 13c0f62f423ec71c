"""The same requests, right and wrong, to EPICS Base and to ours, each on a circuit of its own."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from differences import REQUESTS
from wire_client import Connection, Raw, Shown, pack, request, shown

from ioc_ops.ca import LAYOUTS, ChannelType, Command
from ioc_ops.ca.header import EXTENDED, HEADER

Pair = tuple[Connection, Connection]
NOBODY = 0x7FFF_0000
STRING, FLOAT, DOUBLE = 0, 2, 6
ONE = struct.pack(">d", 1.0)
C = Command


def text(value: str) -> bytes:
    return value.encode() + b"\0"


def mask(events: int) -> bytes:
    return bytes(12) + events.to_bytes(2, "big") + bytes(2)


def subscribe(
    sid: int, number: int, data_type: int = DOUBLE, count: int = 1, events: int = 5
) -> bytes:
    return request(C.EVENT_ADD, data_type, count, sid, number, mask(events))


def create(name: str) -> bytes:
    return request(C.CREATE_CHAN, p1=5, p2=13, payload=text(name))


@dataclass(frozen=True)
class Case:
    """What is sent to a PV (its id is put in), and which replies come when they like."""

    name: str
    make: Callable[[int], bytes]
    pv: str = "ao"
    awaited: tuple[int, ...] = ()


WN, EA = (C.WRITE_NOTIFY,), (C.EVENT_ADD,)

CASES = [
    # names
    Case("create", lambda sid: create("lo"), awaited=(C.CREATE_CHAN,)),
    Case("create again", lambda sid: create("ao"), awaited=(C.CREATE_CHAN,)),
    Case("create by field", lambda sid: create("ao.VAL"), awaited=(C.CREATE_CHAN,)),
    Case("create unknown", lambda sid: create("nobody")),
    Case("create unknown field", lambda sid: create("ao.XX")),
    Case("create without a name", lambda sid: request(C.CREATE_CHAN, p1=5, p2=13)),
    Case("search", lambda sid: request(C.SEARCH, 5, 13, 3, 3, text("ao"))),
    Case("search unknown", lambda sid: request(C.SEARCH, 5, 13, 3, 3, text("nobody"))),
    Case("search unknown, with reply", lambda sid: request(C.SEARCH, 10, 13, 3, 3, text("nobody"))),
    Case("search for an old version", lambda sid: request(C.SEARCH, 5, 3, 3, 3, text("ao"))),
    Case("echo", lambda sid: request(C.ECHO, 1, 2, 3, 4, b"payload!")),
    Case("read sync", lambda sid: request(C.READ_SYNC, 1, 2, 3, 4)),
    Case("client name", lambda sid: request(C.CLIENT_NAME, payload=text("me"))),
    Case("host name", lambda sid: request(C.HOST_NAME, payload=text("here"))),
    Case("clear", lambda sid: request(C.CLEAR_CHANNEL, p1=sid, p2=7)),
    Case(
        "read after clear",
        lambda sid: request(C.CLEAR_CHANNEL, p1=sid, p2=7) + request(C.READ_NOTIFY, 6, 1, sid, 1),
    ),
    # access
    Case("read only, write", lambda sid: request(C.WRITE, 6, 1, sid, 1, ONE), "ro"),
    Case("read only, notify", lambda sid: request(C.WRITE_NOTIFY, 6, 1, sid, 1, ONE), "ro", WN),
    Case("no access, read", lambda sid: request(C.READ_NOTIFY, 6, 1, sid, 1), "no"),
    Case("no access, read all", lambda sid: request(C.READ_NOTIFY, 20, 0, sid, 1), "no"),
    Case("no access, old read", lambda sid: request(C.READ, 6, 1, sid, 1), "no"),
    Case("no access, event", lambda sid: subscribe(sid, 1), "no", EA),
    Case("no access, write", lambda sid: request(C.WRITE, 6, 1, sid, 1, ONE), "no"),
    Case("no access, notify", lambda sid: request(C.WRITE_NOTIFY, 6, 1, sid, 1, ONE), "no", WN),
    Case("NOMOD field, write", lambda sid: request(C.WRITE, 6, 1, sid, 1, ONE), "wd.NORD"),
    Case(
        "NOMOD field, notify", lambda sid: request(C.WRITE_NOTIFY, 6, 1, sid, 1, ONE), "wd.NORD", WN
    ),
    # ids that nobody has
    Case("read of no channel", lambda sid: request(C.READ_NOTIFY, 6, 1, NOBODY, 1)),
    Case("old read of no channel", lambda sid: request(C.READ, 6, 1, NOBODY, 1)),
    Case("write to no channel", lambda sid: request(C.WRITE, 6, 1, NOBODY, 1, ONE)),
    Case("write notify to no channel", lambda sid: request(C.WRITE_NOTIFY, 6, 1, NOBODY, 1, ONE)),
    Case("event of no channel", lambda sid: subscribe(NOBODY, 1)),
    Case("cancel of no channel", lambda sid: request(C.EVENT_CANCEL, 6, 1, NOBODY, 1)),
    Case("clear of no channel", lambda sid: request(C.CLEAR_CHANNEL, p1=NOBODY, p2=7)),
    Case("cancel of no subscription", lambda sid: request(C.EVENT_CANCEL, 6, 1, sid, 1)),
    # types and counts that there are not
    Case("read of type 39", lambda sid: request(C.READ_NOTIFY, 39, 1, sid, 1)),
    Case("old read of type 39", lambda sid: request(C.READ, 39, 1, sid, 1)),
    Case("event of type 39", lambda sid: subscribe(sid, 1, 39)),
    Case("write of type 39", lambda sid: request(C.WRITE, 39, 1, sid, 1, ONE)),
    Case("write notify of type 39", lambda sid: request(C.WRITE_NOTIFY, 39, 1, sid, 1, ONE)),
    Case("read of too many", lambda sid: request(C.READ_NOTIFY, 6, 50_000, sid, 1)),
    Case("read of -1", lambda sid: request(C.READ_NOTIFY, 6, 0x0FFF_FFFF, sid, 1)),
    Case("old read of too many", lambda sid: request(C.READ, 6, 50_000, sid, 1)),
    Case("event of too many", lambda sid: subscribe(sid, 1, 6, 50_000), "ao", EA),
    Case("write of text that is none", lambda sid: request(C.WRITE, 0, 1, sid, 1, text("abc"))),
    Case("write of no such state", lambda sid: request(C.WRITE, 0, 1, sid, 1, text("Maybe")), "mb"),
    Case(
        "write notify of fewer bytes than the count",
        lambda sid: request(C.WRITE_NOTIFY, 6, 5, sid, 1, ONE),
        "wd",
        WN,
    ),
    # garbage
    Case("not for servers", lambda sid: request(C.RSRV_IS_UP)),
    Case("not for clients to say", lambda sid: request(C.SERVER_DISCONN, 1, 2, 3, 4)),
    Case("no command", lambda sid: HEADER.pack(28, 8, 1, 2, 3, 4) + bytes(8)),
    Case("no command at all", lambda sid: HEADER.pack(0xABCD, 16, 1, 2, 3, 4) + bytes(16)),
    Case("not aligned", lambda sid: HEADER.pack(C.ECHO, 12, 1, 2, 3, 4) + bytes(12)),
    Case("priority 100", lambda sid: request(C.VERSION, 100, 13)),
    Case(
        "a message that is too large",
        lambda sid: (
            HEADER.pack(C.WRITE, 0xFFFF, 6, 0, sid, 1)
            + EXTENDED.pack(1_000_000, 125_000)
            + bytes(1_000_000)
        ),
    ),
    # the old read
    Case("old read", lambda sid: request(C.READ, 20, 1, sid, 1)),
    Case("old read of more than there are", lambda sid: request(C.READ, 6, 7, sid, 1)),
    Case("old read of no elements", lambda sid: request(C.READ, 6, 0, sid, 1)),
    Case("old read of a string", lambda sid: request(C.READ, 0, 1, sid, 1), "so"),
    Case("old read of text as a number", lambda sid: request(C.READ, 6, 1, sid, 1), "so"),
    # subscriptions
    Case("event", lambda sid: subscribe(sid, 33, 34), "ao", EA),
    Case("event of all elements", lambda sid: subscribe(sid, 33, 20, 0), "ao", EA),
    Case("event of more than there are", lambda sid: subscribe(sid, 33, 6, 3), "ao", EA),
    Case("event with an empty mask", lambda sid: subscribe(sid, 33, events=0)),
    Case("event with all bits of the mask", lambda sid: subscribe(sid, 33, events=255), "ao", EA),
    Case("event with a number in use", lambda sid: subscribe(sid, 3) * 2, "ao", EA),
    Case(
        "cancel",
        lambda sid: subscribe(sid, 3, 20) + request(C.EVENT_CANCEL, 20, 1, sid, 3),
        "ao",
    ),
    Case("event of text as a number", lambda sid: subscribe(sid, 3), "so", EA),
]


def outcome(connection: Connection, case: Case) -> list[Shown | str]:
    sid = connection.open(case.pv)
    replies = connection.exchange(case.make(sid), case.awaited)
    found: list[Shown | str] = [shown(message, connection) for message in replies]
    if connection.closed:
        found.append("closed")
    if case.name.startswith("search"):  # each server has a port of its own
        found = [("SEARCH", "a port", *s[2:]) if s[0] == "SEARCH" else s for s in found]
    if case.name == "cancel":  # whether the first event goes out before the end is a race there
        found = found[-1:]
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_request(connect: Callable[[], Pair], case: Case) -> None:
    base, ours = (outcome(connection, case) for connection in connect())
    if case.name in REQUESTS:
        assert ours != base, "no longer different"
        assert "closed" not in ours  # whatever it is that we do, the other PVs live on
        assert len(ours) > 0
    else:
        assert ours == base


NAMES = ("client name that is not terminated", "host name that is empty")


@pytest.mark.parametrize("name", NAMES)
def test_names_before_the_first_channel(connect: Callable[[], Pair], name: str) -> None:
    payload = b"x" * 8 if "client" in name else b""
    command = C.CLIENT_NAME if "client" in name else C.HOST_NAME
    found = []
    for connection in connect():
        replies = connection.exchange(request(command, payload=payload))
        found.append([shown(message, connection) for message in replies])
        found[-1] += [("closed",)] if connection.closed else []
    base, ours = found
    assert name in REQUESTS
    assert base == [*ours, ("closed",)]


def test_a_client_that_does_not_say_its_version(connect: Callable[..., Pair]) -> None:
    first = []
    for connection in connect(minor=0):
        connection.send(create("ao"))
        message = connection._next()
        assert message is not None
        first.append(shown(message, connection))
    assert first[0] == first[1]


@pytest.mark.parametrize(
    ("pv", "data_type"),
    [
        (pv, data_type)
        for pv in ("ao", "lo", "so", "mb")
        for data_type in range(7, 39)
        # How a float becomes text is a difference of its own: see the writes of every type.
        if pv != "so" or LAYOUTS[data_type].native not in (FLOAT, DOUBLE)
    ],
)
def test_writes_of_types_with_more_than_the_value(
    connect: Callable[[], Pair], pv: str, data_type: int
) -> None:
    """They carry a value like any other, which Base takes from a WRITE, not from a WRITE_NOTIFY."""
    layout = LAYOUTS[data_type]
    value, reset = (b"2", b"1") if layout.native == STRING else (2, 1)
    if data_type in (ChannelType.PUT_ACKT, ChannelType.PUT_ACKS):
        value = 1
    payload = bytes(layout.prefix.size) + pack(layout.native, value)
    written, notified = [], []
    for connection in connect():
        sid = connection.open(pv)
        first = request(C.WRITE, layout.native, 1, sid, 1, pack(layout.native, reset))
        write = request(C.WRITE, data_type, 1, sid, 1, payload)
        replies = connection.exchange(first + write + request(C.READ_NOTIFY, STRING, 1, sid, 1))
        written.append([shown(message, connection) for message in replies])
        notify = request(C.WRITE_NOTIFY, data_type, 1, sid, 1, payload)
        [reply] = connection.exchange(notify, [C.WRITE_NOTIFY])
        notified.append(shown(reply, connection)[1])
    if data_type == ChannelType.TIME_STRING:  # Base looks up a type that there is not
        assert written[0][0][2] == "PUTFAIL"
        assert len(written[1]) == 1
    else:
        assert written[0] == written[1]
    if data_type < ChannelType.PUT_ACKT:
        assert notified == ["PUTFAIL", "NORMAL"]
    else:
        assert notified[0] == notified[1]


def test_every_listed_difference_belongs_to_a_request() -> None:
    names = {case.name for case in CASES} | set(NAMES)
    assert set(REQUESTS) <= names


@pytest.mark.parametrize("events", [1, 2, 4, 5])
def test_events_of_writes(connect: Callable[[], Pair], events: int) -> None:
    """A value inside its limits, one in MINOR and one in MAJOR alarm, and back."""

    def is_last(message: Raw) -> bool:
        return message[0] == C.EVENT_ADD and message[-1].endswith(struct.pack(">d", 3.0))

    found = []
    for connection in connect():
        sid = connection.open("ao")
        connection.exchange(request(C.WRITE_NOTIFY, 6, 1, sid, 1, ONE), [C.WRITE_NOTIFY])
        seen = connection.exchange(subscribe(sid, 7, 20, 1, events), [C.EVENT_ADD])
        for value in (2.0, 75.0, 85.0, 3.0):
            write = request(C.WRITE_NOTIFY, 6, 1, sid, 1, struct.pack(">d", value))
            seen += connection.exchange(write, [C.WRITE_NOTIFY])
        if not any(map(is_last, seen)):  # the events of the reference go their own way
            seen += connection.until(is_last)
        seen += connection.exchange(request(C.EVENT_CANCEL, 20, 1, sid, 7))
        found.append([shown(m, connection) for m in seen if m[0] == C.EVENT_ADD])
    assert found[0] == found[1]
