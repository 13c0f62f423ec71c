"""Every request that a client may send, and what the circuit answers."""

import struct

import numpy as np
import pytest
from circuit_bench import (
    Bench,
    Client,
    cancel,
    clear,
    create,
    echo,
    error_of,
    event,
    header_of,
    name_of,
    read,
    request,
    search,
    values,
    version,
    write,
)

from ioc_ops.ca import DO_REPLY, LAST_TYPE, ChannelType, Command, Eca, payload_size
from ioc_ops.ca.payload import pack_string
from ioc_ops.channel import (
    AccessRights,
    ChannelByte,
    ChannelChar,
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelFloat,
    ChannelInteger,
    ChannelShort,
    ChannelString,
)

DOUBLE, TIME_DOUBLE, STRING, ENUM = 6, 20, 0, 3


class ReadOnly(ChannelDouble):
    """Clients may not write."""

    read_only = True


class WriteOnly(ChannelDouble):
    """Clients may not read."""

    def check_access(self, hostname: str, username: str) -> AccessRights:
        return AccessRights.WRITE


class ForOperators(ChannelDouble):
    """Rights go by user and host."""

    def check_access(self, hostname: str, username: str) -> AccessRights:
        known = (username, hostname) == ("operator", "console")
        return AccessRights.READ_WRITE if known else AccessRights.READ


def every_kind() -> list[ChannelData]:
    return [
        ChannelDouble(1.5, name="d", units="mm", precision=2, upper_ctrl_limit=10),
        ChannelInteger(7, name="l"),
        ChannelShort(-3, name="i"),
        ChannelFloat(0.25, name="f"),
        ChannelEnum(1, enum_strings=("Off", "On"), name="e"),
        ChannelString("hello", name="s"),
        ChannelByte(b"abc", name="c", max_length=10),
        ChannelDouble([1.0, 2.0, 3.0], name="a", max_length=5),
        ChannelString(["x", "y"], name="sa", max_length=3),
        ReadOnly(4.0, name="ro"),
        WriteOnly(5.0, name="wo"),
        ChannelChar("text", name="t", max_length=10),
        ChannelChar("12", name="rs", report_as_string=True),
    ]


def number(value: float) -> bytes:
    return struct.pack(">d", value)


NAMES = tuple(channel.name for channel in every_kind())
SID = {name: sid for sid, name in enumerate(NAMES, 1)}


@pytest.fixture
def client(bench: type[Bench]) -> Client:
    """Connected to one PV of each kind."""
    return bench(*every_kind()).connect(*NAMES)


def test_the_server_says_its_version_first(bench: type[Bench]) -> None:
    client = Client(bench())
    [hello] = client.replies()
    assert (hello.header.command, hello.header.count) == (Command.VERSION, 13)


def test_what_arrives_in_one_piece_is_answered_in_one_write(client: Client) -> None:
    before = client.transport.writes
    client.ask(b"".join(read(SID["d"], DOUBLE, 1, i) for i in range(50)) + echo())
    assert client.transport.writes == before + 1


@pytest.mark.parametrize(
    ("name", "native", "count", "rights"),
    [
        ("d", 6, 1, 3),
        ("l", 5, 1, 3),
        ("i", 1, 1, 3),
        ("f", 2, 1, 3),
        ("e", 3, 1, 3),
        ("s", 0, 1, 3),
        ("c", 4, 10, 3),
        ("a", 6, 5, 3),
        ("sa", 0, 3, 3),
        ("ro", 6, 1, 1),
        ("wo", 6, 1, 2),
        ("t", 4, 10, 3),
        ("rs", 0, 1, 3),
        ("d.VAL", 6, 1, 3),
    ],
)
def test_creating_a_channel(
    bench: type[Bench], name: str, native: int, count: int, rights: int
) -> None:
    client = bench(*every_kind()).connect()
    access, created = client.ask(create(name, 42))
    assert (access.header.command, access.header.parameter1) == (Command.ACCESS_RIGHTS, 42)
    assert access.header.parameter2 == rights
    assert (created.header.command, created.header.parameter1) == (Command.CREATE_CHAN, 42)
    assert (created.header.data_type, created.header.count) == (native, count)


def test_a_large_array_is_announced_in_an_extended_header(bench: type[Bench]) -> None:
    client = bench(ChannelDouble(np.zeros(100_000), name="big")).connect()
    _, created = client.ask(create("big", 1))
    assert created.header.count == 100_000


def test_an_unknown_name_fails_to_connect_and_says_nothing_else(client: Client) -> None:
    reply = client.ask_one(create("nobody", 77))
    assert (reply.header.command, reply.header.parameter1) == (Command.CREATE_CH_FAIL, 77)


def test_the_same_pv_may_be_connected_twice(client: Client) -> None:
    _, created = client.ask(create("d", 500))
    assert created.header.parameter2 not in SID.values()


def test_search_over_tcp(client: Client) -> None:
    client.bench.context.port = 5099
    found = client.ask_one(search("d", 9)).header
    assert (found.command, found.data_type, found.parameter2) == (Command.SEARCH, 5099, 9)
    assert client.ask(search("nobody", 9)) == []
    missing = client.ask_one(search("nobody", 9, DO_REPLY)).header
    assert (missing.command, missing.parameter2) == (Command.NOT_FOUND, 9)
    counters = client.bench.context.counters
    assert (counters.searches, counters.search_hits) == (3, 1)


@pytest.mark.parametrize("payload", [b"", b"ping me!"])
def test_echo_comes_back_as_it_went(client: Client, payload: bytes) -> None:
    sent = request(Command.ECHO, 1, 2, 3, 4, payload)
    client.ask(sent)
    assert client.transport.sent.endswith(sent)


def test_read_sync_is_confirmed_after_all_before_it(client: Client) -> None:
    got, sync = client.ask(read(SID["d"], DOUBLE) + request(Command.READ_SYNC, p1=5))
    assert got.header.command == Command.READ_NOTIFY
    assert (sync.header.command, sync.header.parameter1) == (Command.READ_SYNC, 5)


def test_names_of_user_and_host_decide_on_access(bench: type[Bench]) -> None:
    client = bench(ForOperators(0.0, name="pv")).connect()
    names = name_of(Command.CLIENT_NAME, "operator") + name_of(Command.HOST_NAME, "console")
    access, _ = client.ask(names + create("pv", 1))
    assert (client.circuit.user, client.circuit.client_host) == ("operator", "console")
    assert access.header.parameter2 == AccessRights.READ_WRITE


def test_names_are_ignored_once_there_is_a_channel(client: Client) -> None:
    cid, status, about = error_of(client.ask_one(name_of(Command.CLIENT_NAME, "root")))
    assert (cid, status, about[0]) == (0xFFFFFFFF, Eca.INTERNAL, Command.CLIENT_NAME)
    assert client.circuit.user == ""


@pytest.mark.parametrize("command", [Command.CLIENT_NAME, Command.HOST_NAME])
@pytest.mark.parametrize("payload", [b"", b"12345678", b"x" * 600])
def test_a_bad_name_is_an_error(bench: type[Bench], command: Command, payload: bytes) -> None:
    client = bench().connect()
    _, status, _ = error_of(client.ask_one(request(command, payload=payload)))
    assert status == Eca.INTERNAL
    assert len(client.ask(echo())) == 1


# --- reads --------------------------------------------------------------------------------------


@pytest.mark.parametrize("data_type", [t for t in ChannelType if t not in (35, 36)])
@pytest.mark.parametrize("name", [n for n in NAMES if n != "wo"])
def test_every_type_of_every_pv_has_the_size_it_must(
    client: Client, name: str, data_type: ChannelType
) -> None:
    for count in (0, 1, 7):
        reply = client.ask_one(read(SID[name], data_type, count, 88))
        header = reply.header
        assert (header.command, header.data_type) == (Command.READ_NOTIFY, data_type)
        assert header.parameter2 == 88
        # Text that is no number has no numeric form.
        numeric = data_type % 7 != 0 and data_type < 35
        fails = name in ("s", "sa") and numeric
        assert header.parameter1 == (Eca.GETFAIL if fails else Eca.NORMAL)
        size = payload_size(data_type, header.count)
        assert header.size == size + -size % 8
        if count:
            assert header.count == count


def test_count_zero_asks_for_as_many_as_there_are(client: Client) -> None:
    assert values(client.ask_one(read(SID["a"], DOUBLE, 0))) == [1.0, 2.0, 3.0]
    assert values(client.ask_one(read(SID["c"], 4, 0))) == list(b"abc")


def test_more_than_there_are_come_as_zeros(client: Client) -> None:
    assert values(client.ask_one(read(SID["a"], DOUBLE, 7))) == [1.0, 2.0, 3.0, 0, 0, 0, 0]


def test_the_value_with_its_time_and_alarm(client: Client, stopped_clock: int) -> None:
    client.ask(write(SID["d"], DOUBLE, number(2.25)))
    payload = client.ask_one(read(SID["d"], TIME_DOUBLE)).payload
    assert struct.unpack(">HHII4xd", payload) == (
        0,
        0,
        1_700_000_000 - 631_152_000,
        250_000_000,
        2.25,
    )


def test_a_repeated_read_sees_the_newest_value(client: Client) -> None:
    for value in (1.0, 2.0, 2.0, 3.0):
        client.ask(write(SID["d"], DOUBLE, number(value)))
        replies = client.ask(read(SID["d"], TIME_DOUBLE, 1, 1) + read(SID["d"], TIME_DOUBLE, 1, 2))
        assert [values(r) for r in replies] == [[value], [value]]
        assert [r.header.parameter2 for r in replies] == [1, 2]


def test_reads_are_counted(client: Client) -> None:
    client.ask(read(SID["d"], DOUBLE) * 10)
    assert client.bench.context.counters.reads == 10


def test_a_repeated_read_whose_value_has_lost_its_form(client: Client) -> None:
    """Text that was a number when it was read first, and is none any more."""
    sid = SID["s"]
    client.ask(write(sid, STRING, pack_string(b"12")))
    for _ in range(3):
        assert values(client.ask_one(read(sid, DOUBLE))) == [12.0]
    client.ask(write(sid, STRING, pack_string(b"twelve")))
    assert client.ask_one(read(sid, DOUBLE)).header.parameter1 == Eca.GETFAIL
    client.ask(write(sid, STRING, pack_string(b"13")))
    assert values(client.ask_one(read(sid, DOUBLE))) == [13.0]


def test_the_class_name_of_an_array_at_a_count_above_16_bits(bench: type[Bench]) -> None:
    client = bench(ChannelDouble(np.zeros(100_000), name="big")).connect("big")
    for _ in range(2):
        reply = client.ask_one(read(1, ChannelType.CLASS_NAME, 70_000))
        assert reply.header.parameter1 == Eca.NORMAL


def test_the_old_read(client: Client) -> None:
    reply = client.ask_one(request(Command.READ, DOUBLE, 1, SID["d"], 31))
    header = reply.header
    assert (header.command, header.parameter1, header.parameter2) == (Command.READ, 100, 31)
    assert values(reply) == [1.5]


# --- writes -------------------------------------------------------------------------------------


def test_a_write_with_callback_is_confirmed(client: Client) -> None:
    header = client.ask_one(write(SID["d"], DOUBLE, number(9.5), 1, 66)).header
    assert (header.command, header.data_type, header.count) == (Command.WRITE_NOTIFY, DOUBLE, 1)
    assert (header.parameter1, header.parameter2) == (Eca.NORMAL, 66)
    assert client.bench.pvdb["d"].value == 9.5


def test_a_write_without_callback_is_silent(client: Client) -> None:
    assert client.ask(write(SID["d"], DOUBLE, number(9.5), notify=False)) == []
    assert client.bench.pvdb["d"].value == 9.5
    assert client.bench.context.counters.writes == 1


def test_a_large_write_in_an_extended_header(bench: type[Bench]) -> None:
    client = bench(ChannelDouble(np.zeros(100_000), name="big")).connect("big")
    numbers = np.arange(100_000, dtype=">f8")
    header = client.ask_one(write(1, DOUBLE, numbers.tobytes(), 100_000, 5)).header
    assert (header.count, header.parameter1) == (100_000, Eca.NORMAL)
    assert np.array_equal(client.bench.pvdb["big"].value, numbers)
    reply = client.ask_one(read(1, DOUBLE, 0))
    assert reply.header.count == 100_000
    assert reply.payload == numbers.tobytes()


def test_a_write_of_fewer_elements_shortens_the_array(client: Client) -> None:
    client.ask(write(SID["a"], DOUBLE, struct.pack(">2d", 8, 9), 2))
    assert values(client.ask_one(read(SID["a"], DOUBLE, 0))) == [8.0, 9.0]


def test_alarm_acknowledgement(client: Client) -> None:
    alarm = client.bench.pvdb["d"].alarm
    alarm.change(3, 2)
    assert client.ask_one(write(SID["d"], ChannelType.PUT_ACKS, b"\0\1")).header.parameter1 == 1
    assert alarm.severity_to_acknowledge == 2  # a lower severity does not acknowledge
    client.ask(write(SID["d"], ChannelType.PUT_ACKS, b"\0\2"))
    assert alarm.severity_to_acknowledge == 0
    client.ask(write(SID["d"], ChannelType.PUT_ACKT, b"\0\0"))
    status, severity, ackt, acks = struct.unpack_from(
        ">4H", client.ask_one(read(SID["d"], ChannelType.STSACK_STRING)).payload
    )
    assert (status, severity, ackt, acks) == (3, 2, 0, 0)


# --- subscriptions ------------------------------------------------------------------------------


def test_a_subscription_begins_with_the_value_and_follows_it(client: Client) -> None:
    first = client.ask_one(event(SID["d"], 11, DOUBLE))
    assert (first.header.command, first.header.parameter2) == (Command.EVENT_ADD, 11)
    assert (first.header.parameter1, values(first)) == (Eca.NORMAL, [1.5])
    _, news = client.ask(write(SID["d"], DOUBLE, number(3.0)))[::-1]
    confirmed, news = sorted([_, news], key=lambda m: m.header.command, reverse=True)
    assert confirmed.header.command == Command.WRITE_NOTIFY
    assert (news.header.parameter2, values(news)) == (11, [3.0])


def test_cancelling_is_confirmed_without_a_payload(client: Client) -> None:
    client.ask(event(SID["d"], 11, TIME_DOUBLE, 1))
    header = client.ask_one(cancel(SID["d"], 11, TIME_DOUBLE, 1)).header
    assert (header.command, header.data_type, header.count, header.size) == (1, TIME_DOUBLE, 1, 0)
    assert (header.parameter1, header.parameter2) == (SID["d"], 11)
    assert client.ask(write(SID["d"], DOUBLE, number(3.0), notify=False)) == []
    assert client.bench.pvdb["d"].feeds == ()


def test_clearing_a_channel_ends_its_subscriptions(client: Client) -> None:
    client.ask(event(SID["d"], 1, DOUBLE) + event(SID["d"], 2, TIME_DOUBLE))
    assert client.circuit.subscription_count == 2
    header = client.ask_one(clear(SID["d"], 100)).header
    assert (header.command, header.parameter1, header.parameter2) == (12, SID["d"], 100)
    assert client.bench.pvdb["d"].feeds == ()
    assert client.circuit.subscription_count == 0
    _, status, _ = error_of(client.ask_one(read(SID["d"], DOUBLE)))
    assert status == Eca.INTERNAL  # not from the memory of repeated reads either


# --- bad input: the right error, and the circuit lives on ---------------------------------------

UNKNOWN = 0xDEAD
ONE = number(1.0)


def bad(
    what: str, sent: bytes, status: Eca, cid: int = 0xFFFFFFFF, reply: Command = Command.ERROR
) -> object:
    return pytest.param(sent, reply, int(status), cid, id=what)


@pytest.mark.parametrize(
    ("sent", "command", "status", "cid"),
    [
        bad("read of no channel", read(UNKNOWN, DOUBLE), Eca.INTERNAL),
        bad("old read of no channel", request(3, 6, 1, UNKNOWN), Eca.INTERNAL),
        bad("write to no channel", write(UNKNOWN, 6, ONE, notify=False), Eca.INTERNAL),
        bad("write notify to no channel", write(UNKNOWN, 6, ONE), Eca.INTERNAL),
        bad("event of no channel", event(UNKNOWN, 1, 6), Eca.INTERNAL),
        bad("cancel of no channel", cancel(UNKNOWN, 1, 6), Eca.INTERNAL),
        bad("clear of no channel", clear(UNKNOWN, 1), Eca.INTERNAL),
        bad("cancel of no subscription", cancel(SID["d"], 9, 6), Eca.BADMONID, 100),
        bad("type 39, read", read(SID["d"], 39), Eca.BADTYPE, 100),
        bad("type 65535, read", read(SID["d"], 0xFFFF), Eca.BADTYPE, 100),
        bad("type 39, old read", request(3, 39, 1, SID["d"]), Eca.BADTYPE, 100),
        bad("type 39, event", event(SID["d"], 1, 39), Eca.BADTYPE, 100),
        bad("type 39, write", write(SID["d"], 39, ONE, notify=False), Eca.BADTYPE, 100),
        bad(
            "type 39, write notify", write(SID["d"], 39, ONE), Eca.BADTYPE, 0, Command.WRITE_NOTIFY
        ),
        bad("no event wanted", event(SID["d"], 1, 6, mask=0), Eca.BADMASK, 100),
        bad("count -1, read", read(SID["d"], 6, 0xFFFFFFFF), Eca.TOLARGE, 100),
        bad("count -1, old read", request(3, 6, 0xFFFFFFFF, SID["d"]), Eca.TOLARGE, 100),
        bad("count -1, event", event(SID["d"], 1, 6, 0xFFFFFFFF), Eca.TOLARGE, 100),
        bad("count -1, write", write(SID["a"], 6, ONE, 0xFFFFFFFF, notify=False), Eca.PUTFAIL, 107),
        bad("count above payload", write(SID["a"], 6, ONE, 3, notify=False), Eca.PUTFAIL, 107),
        bad("no payload", write(SID["d"], 6, b"", 1, notify=False), Eca.PUTFAIL, 100),
        bad("no element", write(SID["d"], 6, b"", 0, notify=False), Eca.PUTFAIL, 100),
        bad("text to a number", write(SID["d"], 0, b"abc\0", notify=False), Eca.PUTFAIL, 100),
        bad("no such state", write(SID["e"], 0, b"Maybe\0", notify=False), Eca.PUTFAIL, 104),
        bad("no such index", write(SID["e"], 3, b"\0\2", notify=False), Eca.PUTFAIL, 104),
        bad("nan to a state", write(SID["e"], 0, b"nan\0", notify=False), Eca.PUTFAIL, 104),
        bad("inf to a state", write(SID["e"], 0, b"inf\0", notify=False), Eca.PUTFAIL, 104),
        bad("read only", write(SID["ro"], 6, ONE, notify=False), Eca.NOWTACCESS, 109),
        bad("read only, notify", write(SID["ro"], 6, ONE), Eca.NOWTACCESS, 0, Command.WRITE_NOTIFY),
        bad("write only", read(SID["wo"], 6), Eca.NORDACCESS, 0, Command.READ_NOTIFY),
        bad("write only, old read", request(3, 6, 1, SID["wo"]), Eca.NORDACCESS, 110),
        bad("write only, event", event(SID["wo"], 1, 6), Eca.NORDACCESS, 0, Command.EVENT_ADD),
        bad(
            "beyond the limits",
            write(SID["d"], 6, number(10.5), notify=False),
            Eca.PUTFAIL,
            100,
        ),
        bad("nan beyond the limits", write(SID["d"], 0, b"nan\0", notify=False), Eca.PUTFAIL, 100),
        bad("above 32 bits", write(SID["l"], 6, number(1e10)), Eca.PUTFAIL, 0, 19),
        bad("above 16 bits", write(SID["i"], 5, struct.pack(">i", 40_000)), Eca.PUTFAIL, 0, 19),
        bad("nan to an integer", write(SID["l"], 6, number(np.nan)), Eca.PUTFAIL, 0, 19),
        bad("inf to a state, as a number", write(SID["e"], 6, number(np.inf)), 160, 0, 19),
        bad("a state of -1", write(SID["e"], 5, struct.pack(">i", -1)), Eca.PUTFAIL, 0, 19),
    ],
)
def test_bad_input(client: Client, sent: bytes, command: int, status: int, cid: int) -> None:
    before = {name: str(pv.value) for name, pv in client.bench.pvdb.items()}
    reply = client.ask_one(sent)
    assert reply.header.command == command
    if command == Command.ERROR:
        assert error_of(reply)[:2] == (cid, status)
        # The request's own header comes back, so that the client knows which one failed.
        assert error_of(reply)[2] == header_of(sent)
    else:
        assert reply.header.parameter1 == status
        assert not any(reply.payload)
    assert {name: str(pv.value) for name, pv in client.bench.pvdb.items()} == before
    assert len(client.ask(echo() + read(SID["d"], DOUBLE))) == 2
    assert not client.transport.closed
    assert client.bench.context.counters.protocol_errors == 0


@pytest.mark.parametrize("data_type", [ChannelType.STSACK_STRING, ChannelType.CLASS_NAME])
def test_types_that_are_only_read_cannot_be_written(client: Client, data_type: int) -> None:
    header = client.ask_one(write(SID["s"], data_type, bytes(48))).header
    assert header.parameter1 == Eca.PUTFAIL
    assert client.bench.pvdb["s"].value == "hello"


@pytest.mark.parametrize("name", ["d", "l", "i", "f", "e", "s", "c", "a", "sa", "t", "rs"])
@pytest.mark.parametrize("data_type", list(range(LAST_TYPE + 1)))
def test_any_type_may_be_written_to_any_pv(client: Client, name: str, data_type: int) -> None:
    """Whether it fits or not: there is one answer, and the circuit lives on."""
    odd = [b"\xff" * 600, bytes(600), b"\x7f\xf0" * 300, b"9" * 600, b"nan\0".ljust(600)]
    for count in (0, 1, 2, 12):
        for payload in odd:
            reply = client.ask_one(write(SID[name], data_type, payload, count, 4))
            assert reply.header.command == Command.WRITE_NOTIFY
            assert reply.header.parameter1 in (Eca.NORMAL, Eca.PUTFAIL)
            pv = client.bench.pvdb[name]
            assert pv.count_of(pv._stored) <= pv.max_length


def test_denied_writes_are_counted(client: Client) -> None:
    client.ask(write(SID["ro"], 6, ONE) + write(SID["ro"], 6, ONE, notify=False))
    assert client.bench.context.counters.access_denied == 2


def test_a_client_older_than_4_4_is_told_so_and_stays(bench: type[Bench]) -> None:
    client = Client(bench(ChannelDouble(1.0, name="d")))
    client.ask(version(3))
    cid, status, _ = error_of(client.ask_one(create("d", 1)))
    assert (cid, status) == (0xFFFFFFFF, Eca.DEFUNCT)
    assert not client.transport.closed
    assert len(client.ask(version(13) + create("d", 1))) == 2
