"""What arrives in pieces, what is garbage, what is too large, and a client that does not read."""

import logging
import struct

import numpy as np
import pytest
from circuit_bench import (
    Bench,
    Client,
    at_once,
    cancel,
    clear,
    create,
    echo,
    error_of,
    event,
    fuzzing,
    name_of,
    read,
    request,
    search,
    values,
    version,
    whole_messages,
    write,
)
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.ca import Command, Eca, EventMask, pack_header
from ioc_ops.channel import ChannelDouble, ChannelEnum, ChannelString
from ioc_ops.server.circuit import OUTPUT_LIMIT

DOUBLE = 6


def number(value: float) -> bytes:
    return struct.pack(">d", value)


def pvs() -> list[ChannelDouble | ChannelEnum | ChannelString]:
    return [
        ChannelDouble(1.5, name="d", timestamp=1e9),
        ChannelDouble([1.0, 2.0], name="a", max_length=20_000, timestamp=1e9),
        ChannelEnum(0, enum_strings=("Off", "On"), name="e", timestamp=1e9),
        ChannelString("text", name="s", timestamp=1e9),
    ]


def conversation() -> bytes:
    """A bit of everything, small and large, right and wrong."""
    big = np.arange(20_000, dtype=">f8").tobytes()
    return b"".join(
        [
            version(),
            name_of(Command.CLIENT_NAME, "me"),
            name_of(Command.HOST_NAME, "here"),
            create("d", 1) + create("a", 2) + create("e", 3) + create("s", 4) + create("none", 5),
            search("d", 6) + search("none", 7, 10),
            read(1, 20, 1, 1) * 3 + read(2, 6, 0, 2) + read(3, 31, 1, 3) + read(99, 6),
            event(1, 1, 20) + event(2, 2, 6, 0) + event(2, 3, 6, 0),
            write(1, 6, number(2.5), 1, 4) + write(1, 0, b"3.5\0", notify=False),
            write(2, 6, big, 20_000, 5),
            write(3, 0, b"On\0") + write(3, 0, b"Maybe\0") + write(4, 4, b"abc", 3),
            request(Command.EVENTS_OFF) + write(1, 6, number(4)) + write(1, 6, number(5)),
            request(Command.EVENTS_ON) + echo(),
            cancel(2, 3, 6) + clear(2, 2) + request(Command.READ_SYNC) + read(1, 6) * 2,
        ]
    )


def answers(pieces: list[bytes]) -> bytes:
    """All that a new IOC sends, at a time that stands still."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ioc_ops.channel.state.clock", lambda: 1_700_000_000 * 10**9)
        client = Client(Bench(*pvs()))
        for piece in pieces:
            client.ask(piece)
        return bytes(client.transport.sent)


def test_one_byte_at_a_time_gives_the_same_answers() -> None:
    sent = conversation()
    whole = answers([sent])
    # The large array in the middle goes in pieces of its own: 160,000 ticks prove nothing more.
    head, body, tail = sent[:1500], sent[1500:-1500], sent[-1500:]
    pieces = [bytes([byte]) for byte in head]
    pieces += [body[i : i + 997] for i in range(0, len(body), 997)]
    pieces += [bytes([byte]) for byte in tail]
    assert answers(pieces) == whole
    kinds = {message.header.command for message in whole_messages(whole)}
    assert kinds == {0, 1, 6, 11, 12, 14, 15, 18, 19, 22, 23, 26, 10}


@fuzzing
@given(st.lists(st.integers(1, 4000), min_size=1, max_size=80))
def test_any_chunking_gives_the_same_answers(sizes: list[int]) -> None:
    sent, pieces, start = conversation(), [], 0
    for size in sizes:
        pieces.append(sent[start : start + size])
        start += size
    assert answers([*pieces, sent[start:]]) == answers([sent])


# --- garbage ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"GET /metrics HTTP/1.1\r\n\r\n", id="HTTP"),
        pytest.param(b"\xff" * 64, id="ones"),
        pytest.param(pack_header(28, 0, 0, 0, 0, 0), id="command 28"),
        pytest.param(pack_header(Command.ECHO, 12, 0, 0, 0, 0) + bytes(12), id="not aligned"),
        pytest.param(pack_header(Command.RSRV_IS_UP, 0, 0, 0, 0, 0), id="not for servers"),
        pytest.param(pack_header(Command.SERVER_DISCONN, 0, 0, 0, 0, 0), id="what servers say"),
        pytest.param(version(priority=100), id="priority 100"),
    ],
)
def test_garbage_closes_the_circuit_with_one_line_and_a_count(
    bench: type[Bench], garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    client = bench(*pvs()).connect("d")
    client.ask(event(1, 1, DOUBLE))
    caplog.set_level(logging.WARNING)
    first, *rest = client.ask(read(1, DOUBLE, 1, 7) + garbage + read(1, DOUBLE, 1, 8))
    assert values(first) == [1.5]  # what was asked before is answered
    assert [message.header.command for message in rest] in ([], [Command.ERROR])
    assert client.transport.closed
    assert client.bench.context.counters.protocol_errors == 1
    [record] = caplog.records
    assert "127.0.0.1:40000" in record.getMessage()
    # What still arrives is neither answered nor kept.
    client.feed(echo() * 1000)
    client.bench.tick()
    assert client.circuit._unread == []
    assert client.bench.context.circuits == set()
    assert client.bench.pvdb["d"].feeds == ()
    assert len(caplog.records) == 1


def test_the_garbage_of_one_client_does_not_touch_another(bench: type[Bench]) -> None:
    ioc = bench(*pvs())
    good, bad = ioc.connect("d"), ioc.connect("d", host="127.0.0.1:40001")
    bad.ask(b"garbage" * 10)
    assert bad.transport.closed
    assert values(good.ask_one(read(1, DOUBLE))) == [1.5]


# --- too large ----------------------------------------------------------------------------------


@pytest.fixture
def small(bench: type[Bench]) -> Client:
    """A client of an IOC that takes messages of about 17 kB."""
    environment = {"EPICS_CA_AUTO_ARRAY_BYTES": "NO"}
    return bench(*pvs(), environment=environment).connect("d", "a")


@pytest.mark.parametrize("pieces", [1, 7, 500])
def test_a_message_that_is_too_large_is_skipped_and_the_circuit_lives_on(
    small: Client, pieces: int
) -> None:
    size = 100_000
    refused = write(2, DOUBLE, bytes(size), size // 8, 5)
    sent = read(1, DOUBLE) + refused + read(1, DOUBLE)
    step = len(sent) // pieces + 1
    replies, held = [], 0
    for start in range(0, len(sent), step):
        replies += small.ask(sent[start : start + step])
        held = max(held, sum(map(len, small.circuit._unread)))
    first, error, second = replies
    assert (values(first), values(second)) == ([1.5], [1.5])
    cid, status, about = error_of(error)
    assert (cid, status) == (101, Eca.TOLARGE)
    assert about == (Command.WRITE_NOTIFY, size, DOUBLE, size // 8, 2, 5)
    assert held <= step  # nothing of it is collected
    assert small.bench.context.counters.protocol_errors == 0


def test_it_is_refused_before_any_of_it_has_arrived(small: Client) -> None:
    header = pack_header(Command.WRITE, 1 << 30, DOUBLE, 1 << 27, 2, 0)
    _, status, _ = error_of(small.ask_one(header))
    assert status == Eca.TOLARGE
    assert small.circuit._unread == []


@pytest.mark.parametrize(
    ("sent", "command"),
    [
        (read(2, DOUBLE, 3000), Command.ERROR),
        (request(Command.READ, DOUBLE, 3000, 2), Command.ERROR),
        (event(2, 1, DOUBLE, 3000), Command.ERROR),
    ],
)
def test_a_reply_that_would_be_too_large_is_refused(
    small: Client, sent: bytes, command: Command
) -> None:
    reply = small.ask_one(sent)
    assert reply.header.command == command
    assert error_of(reply)[:2] == (101, Eca.TOLARGE)
    assert len(small.ask(echo())) == 1


@pytest.mark.parametrize(
    ("sent", "command"),
    [
        (request(Command.ECHO, payload=bytes(70_000)), Command.ECHO),
        (request(Command.CLIENT_NAME, payload=bytes(70_000)), Command.ERROR),
        (request(Command.CREATE_CHAN, p2=13, payload=b"n".ljust(70_000, b"x")), 26),
        (request(Command.CREATE_CHAN, p2=13, payload=b"d".ljust(70_000, b"\0")), 22),
        (request(Command.SEARCH, 10, 13, payload=b"n".ljust(70_000, b"x")), Command.NOT_FOUND),
        (write(1, DOUBLE, bytes(70_000), 1), Command.WRITE_NOTIFY),
        (write(1, 35, bytes(70_000), 1), Command.WRITE_NOTIFY),
        (write(1, 36, bytes(70_000), 1), Command.WRITE_NOTIFY),
        (write(1, 0, b"2.5".ljust(70_000, b"\0"), 1), Command.WRITE_NOTIFY),
        (write(3, 0, b"On".ljust(70_000, b"\0"), 1), Command.WRITE_NOTIFY),
        (write(4, 0, b"On".ljust(70_000, b"\0"), 1), Command.WRITE_NOTIFY),
        (write(4, 5, bytes(70_000), 1), Command.WRITE_NOTIFY),
        (request(Command.READ_NOTIFY, 6, 1, 1, payload=bytes(70_000)), Command.READ_NOTIFY),
        (request(Command.EVENT_ADD, 6, 1, 1, 1, bytes(13) + b"\1".ljust(70_000)), 1),
    ],
)
def test_a_payload_that_is_far_too_long_for_its_command_does_no_harm(
    bench: type[Bench], sent: bytes, command: int
) -> None:
    client = bench(*pvs()).connect("d", "a", "e", "s")
    first, *_ = client.ask(sent)
    assert first.header.command == command
    assert len(client.ask(echo())) == 1


# --- a client that does not read ----------------------------------------------------------------


def change(client: Client, name: str, value: float) -> None:
    """The IOC writes, and the tick ends."""
    channel = client.bench.pvdb[name]
    channel.assign(channel.convert(value))
    client.bench.tick()


def test_under_pressure_only_the_newest_value_is_kept(bench: type[Bench]) -> None:
    client = bench(*pvs()).connect("d", "e")
    client.ask(event(1, 1, DOUBLE) + event(2, 2, 3))
    client.transport.full = True
    change(client, "d", 2.0)  # this one still goes out, and tells that the transport is full
    assert client.circuit.congested
    assert values(client.replies()[0]) == [2.0]
    for value in range(100):
        change(client, "d", float(value))
    change(client, "e", 1)
    assert client.replies() == []
    assert len(client.circuit.pending) == 2
    assert client.bench.context.counters.events_replaced == 99

    client.transport.full = False
    client.circuit.drained()
    newest, state = client.replies()
    assert (values(newest), values(state)) == ([99.0], [1])
    assert not client.circuit.congested
    assert client.circuit.pending == {}
    change(client, "d", 5.0)
    assert values(client.replies()[0]) == [5.0]


def test_what_a_slow_client_makes_us_hold_is_bounded(bench: type[Bench]) -> None:
    client = bench(*pvs()).connect("a")
    client.transport.full = True
    size = 20_000 * 8
    for i in range(50):
        client.ask(event(1, i, DOUBLE, 20_000))
    for value in range(20):
        client.bench.pvdb["a"].assign(np.full(20_000, value, ">f8"))
        client.bench.tick()
    # The limit, one message above it, and small change: whatever it asked for.
    assert len(client.transport.sent) < OUTPUT_LIMIT + size + 10_000
    assert sum(map(len, client.circuit.out)) == 0
    assert not client.transport.reading


def test_the_requests_of_a_slow_client_wait_unread(bench: type[Bench]) -> None:
    client = bench(*pvs()).connect("d", "a")
    client.transport.full = True
    client.ask(read(1, DOUBLE))
    assert not client.transport.reading
    # The driver may still hand over what it had received.
    assert client.ask(read(1, DOUBLE, 1, 1) + read(1, DOUBLE, 1, 2)[:9]) == []
    assert client.ask(read(1, DOUBLE, 1, 2)[9:] + echo()) == []
    client.transport.full = False
    client.circuit.drained()
    first, second, last = client.replies()
    assert (first.header.parameter2, second.header.parameter2) == (1, 2)
    assert last.header.command == Command.ECHO
    assert client.transport.reading
    assert client.circuit._unread == []


def test_many_reads_of_a_large_array_stop_at_the_limit(bench: type[Bench]) -> None:
    client = bench(*pvs()).connect("a")
    wanted = 40  # 160 kB each: six times what may wait
    client.transport.full = True
    client.feed(b"".join(read(1, DOUBLE, 20_000, i) for i in range(wanted)))
    assert sum(map(len, client.circuit.out)) < OUTPUT_LIMIT + 20_000 * 8 + 1000
    assert not client.transport.reading
    seen = [reply.header.parameter2 for reply in client.replies()]
    turns = 0
    while len(seen) < wanted:
        before = len(client.transport.sent)
        client.circuit.drained()
        seen += [reply.header.parameter2 for reply in client.replies()]
        assert len(client.transport.sent) - before < OUTPUT_LIMIT + 20_000 * 8 + 1000
        turns += 1
    assert seen == list(range(wanted))
    assert turns > 3


def test_repeated_reads_stop_at_the_limit_too(bench: type[Bench]) -> None:
    client = bench(ChannelDouble(np.ones(3000), name="a")).connect("a")
    client.ask(read(1, DOUBLE, 3000))  # from now on it is found by its bytes
    client.feed(read(1, DOUBLE, 3000) * 500)
    assert sum(map(len, client.circuit.out)) < OUTPUT_LIMIT + 3000 * 8 + 1000
    answered = 0
    while client.circuit._unread:
        answered += len(client.replies())
    assert answered + len(client.replies()) == 500


def test_many_subscriptions_to_a_large_array_stop_at_the_limit(bench: type[Bench]) -> None:
    """One update for 50 subscribers is 8 MB: what does not fit waits, and is the newest then."""
    client = bench(*pvs()).connect("a")
    channel = client.bench.pvdb["a"]
    for i in range(50):
        client.ask(event(1, i, DOUBLE, 0))
    most = 2 * OUTPUT_LIMIT + 20_000 * 8 + 1000  # what was free, and one batch of subscribers
    channel.assign(np.full(20_000, 1.0, ">f8"))
    assert sum(map(len, client.circuit.out)) < most
    client.transport.full = True
    first = {message.header.parameter2 for message in client.replies()}
    channel.assign(np.full(20_000, 2.0, ">f8"))
    assert client.replies() == []
    client.transport.full = False
    last: dict[int, float] = {}
    while client.circuit.pending or len(last) < 50:
        client.circuit.drained()
        assert sum(map(len, client.circuit.out)) < most
        for message in client.replies():
            last[message.header.parameter2] = values(message)[0]
    assert 0 < len(first) < 20
    assert last == dict.fromkeys(range(50), 2.0)
    for i in range(50):
        client.ask(cancel(1, i, DOUBLE, 0))
    assert channel.feeds == ()


def test_payloads_that_a_pv_keeps_are_bounded(bench: type[Bench]) -> None:
    client = bench(*pvs()).connect("a")
    client.ask(b"".join(read(1, t, n) for t in range(39) for n in range(20)))
    assert len(client.bench.pvdb["a"].encoded) <= 16


def test_a_slow_client_costs_the_others_nothing(bench: type[Bench]) -> None:
    ioc = bench(*pvs())
    slow, fast = ioc.connect("d"), ioc.connect("d", host="127.0.0.1:40001")
    for client in (slow, fast):
        client.ask(event(1, 1, DOUBLE))
    slow.transport.full = True
    for value in range(10):
        change(slow, "d", float(value))
    assert [values(message) for message in fast.replies()] == [[float(v)] for v in range(10)]
    assert len(slow.replies()) == 1


# --- flow control by the client -----------------------------------------------------------------


def test_events_off_keeps_the_newest_of_each_until_events_on(bench: type[Bench]) -> None:
    client = bench(*pvs()).connect("d", "e")
    client.ask(event(1, 1, DOUBLE) + event(2, 2, 3) + request(Command.EVENTS_OFF))
    for value in (2.0, 3.0, 4.0):
        change(client, "d", value)
    assert values(client.ask_one(read(1, DOUBLE))) == [4.0]  # reads go on
    news = client.ask(request(Command.EVENTS_ON))
    assert [(m.header.parameter2, values(m)) for m in news] == [(1, [4.0])]
    change(client, "d", 5.0)
    assert values(client.replies()[0]) == [5.0]


def test_a_subscription_made_while_events_are_off_begins_at_events_on(bench: type[Bench]) -> None:
    client = bench(*pvs()).connect("d")
    assert client.ask(request(Command.EVENTS_OFF) + event(1, 1, DOUBLE)) == []
    first = client.ask_one(request(Command.EVENTS_ON))
    assert (first.header.parameter2, values(first)) == (1, [1.5])


def test_drained_does_not_send_what_events_off_holds_back(bench: type[Bench]) -> None:
    client = bench(*pvs()).connect("d")
    client.ask(event(1, 1, DOUBLE) + request(Command.EVENTS_OFF))
    client.transport.full = True
    client.ask(echo())
    change(client, "d", 2.0)
    client.transport.full = False
    client.circuit.drained()
    assert client.replies() == []
    assert values(client.ask_one(request(Command.EVENTS_ON))) == [2.0]


# --- masks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [1, 2, 4, 8, 1 | 4, 2 | 8, 15, 0xFF0F])
def test_a_subscription_hears_what_its_mask_asks_for(bench: type[Bench], mask: int) -> None:
    coarse_log = ChannelDouble(0.0, name="v", value_atol=1, log_atol=10)
    coarse_value = ChannelDouble(0.0, name="l", value_atol=10, log_atol=1)
    client = bench(coarse_log, coarse_value).connect("v", "l")
    client.ask(event(1, 1, DOUBLE, mask=mask) + event(2, 2, DOUBLE, mask=mask))

    def heard() -> bool:
        client.bench.tick()
        return len(client.replies()) == 1

    coarse_log.assign(0.5)  # inside both deadbands
    assert not heard()
    coarse_log.assign(2.0)
    assert heard() == bool(mask & EventMask.VALUE)
    coarse_value.assign(2.0)
    assert heard() == bool(mask & EventMask.LOG)
    coarse_log.alarm.change(7, 1)
    assert heard() == bool(mask & EventMask.ALARM)
    at_once(coarse_log.write_metadata(units="mm"))
    assert heard() == bool(mask & EventMask.PROPERTY)


def test_a_value_that_changes_the_alarm_is_one_event(bench: type[Bench]) -> None:
    channel = ChannelDouble(0.0, name="d", upper_alarm_limit=5, lower_alarm_limit=-5)
    client = bench(channel).connect("d")
    client.ask(event(1, 1, 20))
    channel.assign(9.0)
    [news] = client.replies()
    assert values(news) == [9.0]
    assert struct.unpack_from(">HH", news.payload) == (3, 2)  # HIHI, MAJOR


# --- subscriptions that want the same -----------------------------------------------------------


class CountsEncodings(ChannelDouble):
    """Counts how often it is asked to encode."""

    __slots__ = ("encodings",)

    def _encode(self, data_type: int, count: int) -> tuple[bytes | memoryview, int]:
        self.encodings += 1
        return super()._encode(data_type, count)


def test_many_subscriptions_share_one_encoding_and_one_write_a_circuit(bench: type[Bench]) -> None:
    channel = CountsEncodings(0.0, name="d")
    channel.encodings = 0
    ioc = bench(channel)
    clients = [ioc.connect("d", host=f"127.0.0.1:{port}") for port in range(40000, 40010)]
    for client in clients:
        client.ask(b"".join(event(1, i, 20) for i in range(10)))
    channel.encodings = 0
    writes = [client.transport.writes for client in clients]
    channel.assign(7.0)
    ioc.tick()
    assert channel.encodings == 1
    for client, before in zip(clients, writes, strict=True):
        assert client.transport.writes == before + 1
        news = client.replies()
        assert [message.header.parameter2 for message in news] == list(range(10))
        assert all(values(message) == [7.0] for message in news)
    assert ioc.context.counters.events_sent == 200


def test_all_that_one_tick_changes_leaves_in_one_write(bench: type[Bench]) -> None:
    channels = [ChannelDouble(0.0, name=str(i)) for i in range(50)]
    client = bench(*channels).connect(*(channel.name for channel in channels))
    client.ask(b"".join(event(i + 1, i, 20) for i in range(50)))
    before = client.transport.writes
    for channel in channels:
        channel.assign(1.0)
    assert len(client.replies()) == 50
    assert client.transport.writes == before + 1


def test_one_of_many_subscriptions_ends(bench: type[Bench]) -> None:
    client = bench(*pvs()).connect("d")
    client.ask(event(1, 1, DOUBLE) + event(1, 2, DOUBLE) + event(1, 3, DOUBLE))
    client.ask(cancel(1, 2, DOUBLE))
    change(client, "d", 2.0)
    assert [message.header.parameter2 for message in client.replies()] == [1, 3]


def test_a_number_may_be_used_again_after_its_subscription_has_ended(bench: type[Bench]) -> None:
    client = bench(*pvs()).connect("d")
    for _ in range(3):
        client.ask(event(1, 1, DOUBLE))
        client.ask(cancel(1, 1, DOUBLE))
    client.ask(event(1, 1, DOUBLE))
    change(client, "d", 2.0)
    assert len(client.replies()) == 1


def test_events_follow_an_array_that_changes_its_length(bench: type[Bench]) -> None:
    client = bench(*pvs()).connect("a")
    client.ask(event(1, 1, DOUBLE, 0) + event(1, 2, DOUBLE, 0) + event(1, 3, DOUBLE, 3))
    for size in (0, 1, 5, 20_000, 3):
        client.bench.pvdb["a"].assign(np.ones(size, ">f8"))
        whole, again, three = client.replies()
        assert whole.header.count == again.header.count == size
        assert values(whole) == values(again) == [1.0] * size
        assert values(three) == ([1.0] * size + [0.0] * 3)[:3]


# --- the end ------------------------------------------------------------------------------------


def test_a_closed_circuit_leaves_nothing_behind(bench: type[Bench]) -> None:
    ioc = bench(*pvs())
    client = ioc.connect("d", "a", "e")
    client.ask(b"".join(event(sid, sid, 20, 0) for sid in (1, 2, 3)) + read(1, DOUBLE))
    client.transport.full = True
    client.feed(echo() + b"half a mess")
    change(client, "d", 2.0)
    change(client, "d", 3.0)
    client.circuit.closed()
    circuit = client.circuit
    assert all(channel.feeds == () for channel in ioc.pvdb.values())
    assert ioc.context.circuits == set()
    assert (circuit.channels, circuit.pending, circuit.out, circuit._unread) == ({}, {}, [], [])
    assert circuit.subscription_count == 0
    # Late calls of a driver do no harm.
    circuit.closed()
    circuit.drained()
    sent = len(client.transport.sent)
    change(client, "d", 4.0)
    assert len(client.transport.sent) == sent


def test_after_the_stop_nothing_more_is_taken(bench: type[Bench]) -> None:
    client = bench(*pvs()).connect("d")
    client.circuit.stop_reading()
    assert not client.transport.reading
    assert client.ask(read(1, DOUBLE)) == []
