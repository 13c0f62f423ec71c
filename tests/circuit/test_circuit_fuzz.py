"""Whatever a client sends, `receive` does not raise, and what it leaves behind is in order."""

import math
import struct
from collections.abc import Sequence
from random import Random

import pytest
from circuit_bench import Bench, Client, fuzzing, request, whole_messages
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.ca import MINOR_VERSION, Command
from ioc_ops.channel import (
    ChannelBoolEnum,
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
from ioc_ops.server.dispatch import HANDLERS

PV_NAMES = [
    "d",
    "l",
    "i",
    "f",
    "e",
    "b",
    "s",
    "c",
    "t",
    "a",
    "la",
    "sa",
    "limited",
    "putter",
    "getter",
]


def pvs() -> list[ChannelData]:
    async def getter(channel: ChannelData) -> float:
        return 3.0

    async def putter(channel: ChannelData, value: float) -> float:
        return 1 / value

    channels: list[ChannelData] = [
        ChannelDouble(1.5, name="d", precision=3, units="mm"),
        ChannelInteger(7, name="l"),
        ChannelShort(-3, name="i"),
        ChannelFloat(0.25, name="f"),
        ChannelEnum(1, enum_strings=("Off", "On", "3"), name="e"),
        ChannelBoolEnum(True, name="b"),
        ChannelString("12", name="s"),
        ChannelByte(b"abc", name="c", max_length=10),
        ChannelChar("text", name="t"),
        ChannelDouble([1.0, 2.0], name="a", max_length=8),
        ChannelInteger([1, 2], name="la", max_length=8),
        ChannelString(["1", "y"], name="sa", max_length=3),
        ChannelDouble(0.0, name="limited", upper_ctrl_limit=10, value_atol=0.5, precision=20),
        ChannelDouble(1.0, name="putter"),
        ChannelDouble(1.0, name="getter"),
    ]
    channels[-2].putter = putter
    channels[-1].getter = getter
    return channels


ENVIRONMENT = {"EPICS_CA_AUTO_ARRAY_BYTES": "NO"}  # so that TOLARGE is met, and memory stays small
NO_SERVER = [c for c in Command if HANDLERS[c].__name__ == "refuse"]
REQUESTS = [c for c in Command if c not in NO_SERVER and c != Command.VERSION]
OFTEN = [
    *[Command.READ_NOTIFY, Command.WRITE, Command.WRITE_NOTIFY, Command.EVENT_ADD] * 6,
    *[Command.EVENT_CANCEL] * 3,
    *REQUESTS,
]
COUNTS = [*[1] * 12, 0, 0, 2, 3, 8, 9, 500, 0xFFFE, 0xFFFF, 0x10000, 0xFFFFFFFF]
TEXTS = [b"1", b"-1", b"1e400", b"nan", b"-inf", b"0x10", b"On", b"", b"1_0", b"9" * 39, b"\xff"]
NUMBERS = [0.0, 1.0, -1.5, 1e10, 1e300, math.nan, math.inf, -math.inf]


def payload(random: Random) -> bytes:
    """Text, numbers, noise, a name or an event mask."""
    kind = random.randrange(6)
    if kind == 0:
        return random.choice(TEXTS) + b"\0"
    if kind == 1:
        return b"".join(random.choice(TEXTS).ljust(40, b"\0") for _ in range(random.randrange(4)))
    if kind == 2:
        return b"".join(struct.pack(">d", random.choice(NUMBERS)) for _ in range(10))
    if kind == 3:
        return random.randbytes(random.randrange(64))
    if kind == 4:
        return random.choice(PV_NAMES).encode() + b"\0"
    return bytes(12) + random.choice([0, 1, 1, 2, 4, 8, 15, 0x100]).to_bytes(2, "big")


def some_request(random: Random, sids: Sequence[int] = range(1, len(PV_NAMES) + 1)) -> bytes:
    """A request that is well formed, and often makes sense."""
    command = random.choice(OFTEN)
    data_type = random.choice([random.randrange(39)] * 9 + [39, 255, 0xFFFF])
    sid = random.choice([*sids] * 2 + [0, 77])
    last = MINOR_VERSION if command == Command.CREATE_CHAN else random.randrange(6)
    body = payload(random)
    if command == Command.EVENT_ADD and random.random() < 0.8:
        body = bytes(12) + random.randrange(1, 16).to_bytes(2, "big")
    elif command == Command.CREATE_CHAN:
        body = random.choice([*PV_NAMES, "nobody"]).encode() + b"\0"
    return request(command, data_type, random.choice(COUNTS), sid, last, body)


def check(client: Client) -> None:
    """What must hold between any two calls."""
    circuit, ioc = client.circuit, client.bench
    feeds = {feed for channel in ioc.pvdb.values() for feed in channel.feeds}
    if client.transport.closed:
        assert circuit not in ioc.context.circuits
        assert not feeds
        assert not circuit.channels
        assert circuit._unread == []
        return
    held = [f for c in circuit.channels.values() for f in (c.subscriptions or {}).values()]
    assert circuit.subscription_count == len(held)
    assert set(held) == feeds
    assert sum(len(feed.subscribers) for feed in feeds) == len(held)
    assert set(circuit.pending) <= feeds
    if not ioc.tasks:
        assert circuit.waiting == 0
    for channel in ioc.pvdb.values():
        assert len(channel.encoded) <= 16
        assert channel.count_of(channel._stored) <= channel.max_length


def finish(client: Client) -> None:
    """The end: everything that was sent is whole, and nothing points to the circuit any more."""
    whole_messages(bytes(client.transport.sent))
    client.circuit.closed()
    while client.bench.tasks:
        client.bench.run_tasks()
    assert all(channel.feeds == () for channel in client.bench.pvdb.values())
    assert client.circuit.waiting == 0
    assert client.bench.context.circuits == set()


@pytest.mark.parametrize("seed", range(12))
def test_a_client_that_does_what_it_likes(seed: int) -> None:
    """... while the IOC changes its PVs, hooks run, and the socket is full now and then."""
    random = Random(seed)
    ioc = Bench(*pvs(), environment=ENVIRONMENT)
    client = ioc.connect(*PV_NAMES)
    transport, circuit = client.transport, client.circuit
    for _ in range(2000):
        action = random.randrange(20)
        if action < 12:
            client.feed(some_request(random, list(circuit.channels)))
        elif action < 14:
            sids = list(circuit.channels)
            data = b"".join(some_request(random, sids) for _ in range(random.randrange(8)))
            cut = random.randrange(len(data) + 1)
            client.feed(data[:cut])
            client.feed(data[cut:])
        elif action < 16:
            channel = ioc.pvdb[random.choice(PV_NAMES[:5])]
            channel.assign(channel.convert(random.randrange(2)))
        elif action < 18:
            ioc.run_tasks()
        elif action == 18:
            transport.full = random.random() < 0.3
            ioc.tick()
        else:
            transport.full = False
            circuit.drained()
            ioc.tick()
        check(client)
    assert not transport.closed
    counters = ioc.context.counters
    assert min(counters.writes, counters.reads, counters.events_sent) > 100  # it was worth it
    transport.full = False
    circuit.drained()
    while ioc.tasks:
        ioc.run_tasks()
    check(client)
    finish(client)


@pytest.mark.parametrize("seed", range(60))
def test_garbage_among_requests(seed: int) -> None:
    random = Random(seed)
    client = Bench(*pvs(), environment=ENVIRONMENT).connect(*PV_NAMES)
    for _ in range(30):
        data = bytearray(b"".join(some_request(random) for _ in range(random.randrange(6))))
        for _ in range(random.randrange(3) if data else 0):
            data[random.randrange(len(data))] = random.randrange(256)
        client.feed(bytes(data) + random.randbytes(random.choice([0] * 9 + [40])))
        client.bench.run_tasks()
        check(client)
    finish(client)


@fuzzing
@given(st.lists(st.binary(max_size=80), max_size=5))
def test_any_bytes_are_taken_without_an_exception(pieces: list[bytes]) -> None:
    client = Bench(*pvs()).connect(*PV_NAMES)
    for piece in pieces:
        client.feed(piece)
        client.bench.tick()
    check(client)
    finish(client)


@pytest.mark.parametrize("seed", range(40))
def test_pieces_and_the_whole_are_taken_alike(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ioc_ops.channel.state.clock", lambda: 10**18)
    random = Random(seed)
    data = b"".join(some_request(random) for _ in range(40))
    if seed % 4 == 0:
        data += request(random.choice(NO_SERVER)) + some_request(random)
    size = random.randrange(1, 60)

    def sent(pieces: list[bytes]) -> tuple[bytes, bool]:
        # Without the PVs whose hooks would run between the pieces.
        ioc = Bench(*[c for c in pvs() if c.name not in ("putter", "getter")])
        client = ioc.connect(*ioc.pvdb)
        for piece in pieces:
            client.feed(piece)
            ioc.tick()
        return bytes(client.transport.sent), client.transport.closed

    assert sent([data[i : i + size] for i in range(0, len(data), size)]) == sent([data])
