"""Requests that wait for hooks: what one client, and what many that come and go, may leave here."""

from typing import Any

import numpy as np
import pytest
from circuit_bench import Bench, Pause, echo, read, values, write

from ioc_ops.ca import Eca
from ioc_ops.channel import ChannelDouble
from ioc_ops.server.circuit import OUTPUT_LIMIT

DOUBLE = 6
LENGTH = 50_000
SIZE = 8 * LENGTH
AT_ONCE = 4


class Hooks:
    """A getter that gives a new array each time, a putter that notes what it gets; both wait."""

    def __init__(self) -> None:
        self.gate = Pause()
        self.seen: list[float] = []
        self.number = 0.0

    async def get(self, channel: Any) -> Any:
        await self.gate
        self.number += 1
        return np.full(LENGTH, self.number)

    async def put(self, channel: Any, value: Any) -> None:
        await self.gate
        self.seen.append(float(value[0]))


@pytest.fixture
def hooks() -> Hooks:
    return Hooks()


def test_large_replies_to_come_stop_the_reading(bench: type[Bench], hooks: Hooks) -> None:
    pv = ChannelDouble(np.zeros(LENGTH), name="a")
    pv.getter = hooks.get
    ioc = bench(pv)
    client = ioc.connect("a")
    client.feed(b"".join(read(1, DOUBLE, 0, i) for i in range(30)))
    assert len(ioc.tasks) == client.circuit.waiting == AT_ONCE
    assert not client.transport.reading
    client.transport.full = hooks.gate.over = True
    ioc.run_tasks()
    # It does not read, so hardly more is made ready for it.
    assert hooks.number <= 2 * AT_ONCE
    assert not ioc.tasks
    answered = 0
    client.transport.full = False
    while answered < 30:
        client.circuit.drained()
        ioc.run_tasks()
        assert client.circuit.waiting <= AT_ONCE
        for message in client.replies():
            answered += 1
            assert (message.header.count, values(message)[0]) == (LENGTH, answered)
    assert (client.circuit.waiting, client.circuit.held) == (0, 0)
    assert client.transport.reading


def test_large_writes_that_wait_stop_the_reading(bench: type[Bench], hooks: Hooks) -> None:
    pv = ChannelDouble(np.zeros(LENGTH), name="a")
    pv.putter = hooks.put
    ioc = bench(pv)
    client = ioc.connect("a")
    for i in range(30):
        client.feed(write(1, DOUBLE, np.full(LENGTH, i, ">f8").tobytes(), LENGTH, i))
    assert client.circuit.waiting == AT_ONCE
    assert not client.transport.reading
    hooks.gate.over = True
    while ioc.tasks:
        ioc.run_tasks()
        assert client.circuit.waiting <= AT_ONCE
    assert hooks.seen == list(range(30))
    assert [m.header.parameter2 for m in client.replies()] == list(range(30))
    assert (client.circuit.waiting, client.circuit.held) == (0, 0)
    assert client.transport.reading


def test_a_client_with_few_large_requests_is_still_seen_to_go(
    bench: type[Bench], hooks: Hooks
) -> None:
    pv = ChannelDouble(np.zeros(5 * LENGTH), name="a")
    pv.putter = hooks.put
    ioc = bench(pv)
    client = ioc.connect("a")
    for _ in range(AT_ONCE - 1):
        client.feed(write(1, DOUBLE, bytes(5 * SIZE), 5 * LENGTH))
    assert client.circuit.held > 5 * OUTPUT_LIMIT
    assert client.transport.reading
    assert len(client.ask(echo())) == 1


def come_and_go(ioc: Bench, name: str, requests: bytes, times: int) -> None:
    """Clients that ask, and are gone before they are answered."""
    for _ in range(times):
        client = ioc.connect(name)
        client.feed(requests)
        client.circuit.closed()


def test_writes_of_clients_that_come_and_go(
    bench: type[Bench], hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ioc_ops.server.puts.MOST_PUTS", 20)
    pv = ChannelDouble([0.0], name="a", max_length=5)
    pv.putter = hooks.put
    ioc = bench(pv)
    sent = [np.array([i], ">f8").tobytes() for i in range(8)]
    come_and_go(ioc, "a", b"".join(write(1, DOUBLE, value) for value in sent), 10)
    client = ioc.connect("a")
    reply = client.ask_one(write(1, DOUBLE, sent[0], ioid=7))
    assert (reply.header.parameter1, reply.header.parameter2) == (Eca.PUTFAIL, 7)
    assert client.circuit.waiting == 0
    hooks.gate.over = True
    while ioc.tasks:
        ioc.run_tasks()
    # What was taken is applied, in its order.
    assert hooks.seen == [*range(8), *range(8), *range(4)]
    client.feed(write(1, DOUBLE, sent[5], ioid=8))
    ioc.run_tasks()
    assert [m.header.parameter1 for m in client.replies()] == [Eca.NORMAL]


def test_large_writes_of_clients_that_come_and_go(
    bench: type[Bench], hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ioc_ops.server.puts._MOST_BYTES", 2 * SIZE)
    pv = ChannelDouble(np.zeros(LENGTH), name="a")
    pv.putter = hooks.put
    ioc = bench(pv)
    come_and_go(ioc, "a", write(1, DOUBLE, bytes(SIZE), LENGTH), 9)
    hooks.gate.over = True
    while ioc.tasks:
        ioc.run_tasks()
    assert len(hooks.seen) == 2


@pytest.mark.parametrize("name", ["a", "a.{ts:{}}"])
def test_reads_of_clients_that_come_and_go(
    bench: type[Bench], hooks: Hooks, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("ioc_ops.server.reading.MOST_READS", 20)
    pv = ChannelDouble(np.zeros(LENGTH), name="a")
    pv.getter = hooks.get
    ioc = bench(pv)
    come_and_go(ioc, name, read(1, DOUBLE, 1) * 8, 10)
    assert len(ioc.tasks) == 20
    client = ioc.connect(name)
    assert client.ask_one(read(1, DOUBLE, 1)).header.parameter1 == Eca.GETFAIL
    hooks.gate.over = True
    ioc.run_tasks()
    assert not ioc.context.reading
    client.feed(read(1, DOUBLE, 1))
    ioc.run_tasks()
    assert [m.header.parameter1 for m in client.replies()] == [Eca.NORMAL]
