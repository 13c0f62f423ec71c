"""PVs with user code: putters in order, getters, and many requests that wait for them."""

import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from circuit_bench import (
    Bench,
    Client,
    Pause,
    clear,
    echo,
    error_of,
    event,
    read,
    request,
    values,
    write,
)

from ioc_ops.ca import ChannelType, Command, Eca
from ioc_ops.channel import ChannelData, ChannelDouble, ChannelInteger
from ioc_ops.errors import ConversionError, SkipWrite
from ioc_ops.server.circuit import MOST_WAITING

DOUBLE, LONG = 6, 5


def number(value: float) -> bytes:
    return struct.pack(">d", value)


class Putter:
    """Notes what it is given, and waits until the test lets it go on."""

    def __init__(self, answer: Any = None, problem: Exception | None = None) -> None:
        self.seen: list[float] = []
        self.gates: list[Pause] = []
        self.answer = answer
        self.problem = problem

    async def __call__(self, channel: ChannelData, value: float) -> Any:
        self.seen.append(value)
        gate = Pause()
        self.gates.append(gate)
        await gate
        if self.problem is not None:
            raise self.problem
        return self.answer

    def open(self) -> None:
        """Let the one that waits go on."""
        self.gates[-1].over = True


def with_putter(putter: Callable[[Any, Any], Awaitable[Any]], **arguments: Any) -> ChannelDouble:
    channel = ChannelDouble(0.0, name="d", **arguments)
    channel.putter = putter
    return channel


def test_a_write_is_answered_when_its_putter_is_through(bench: type[Bench]) -> None:
    putter = Putter()
    ioc = bench(with_putter(putter))
    client = ioc.connect("d")
    client.ask(event(1, 1, DOUBLE))
    assert client.ask(write(1, DOUBLE, number(2), 1, 7)) == []
    ioc.run_tasks()
    assert (putter.seen, client.replies()) == ([2.0], [])
    assert ioc.pvdb["d"].value == 0.0  # not before the putter has agreed
    assert values(client.ask_one(read(1, DOUBLE))) == [0.0]
    putter.open()
    ioc.run_tasks()
    news, done = client.replies()
    assert values(news) == [2.0]
    assert (done.header.command, done.header.parameter2) == (Command.WRITE_NOTIFY, 7)
    assert done.header.parameter1 == Eca.NORMAL
    assert (ioc.tasks, ioc.pvdb["d"].puts, client.circuit.waiting) == ([], None, 0)


def test_writes_of_two_circuits_are_applied_in_the_order_they_arrived(bench: type[Bench]) -> None:
    putter = Putter()
    ioc = bench(with_putter(putter))
    one, two = ioc.connect("d"), ioc.connect("d", host="127.0.0.1:40001")
    one.feed(write(1, DOUBLE, number(1), 1, 1))
    two.feed(write(1, DOUBLE, number(2), 1, 2) + write(1, DOUBLE, number(3), notify=False))
    one.feed(write(1, DOUBLE, number(4), 1, 4))
    two.feed(write(1, DOUBLE, number(5), 1, 5))
    answered: list[tuple[str, int]] = []
    for _ in range(5):
        ioc.run_tasks()
        putter.open()
        ioc.run_tasks()
        for name, client in (("one", one), ("two", two)):
            answered += [(name, m.header.parameter2) for m in client.replies()]
    assert putter.seen == [1, 2, 3, 4, 5]
    assert answered == [("one", 1), ("two", 2), ("one", 4), ("two", 5)]
    assert ioc.pvdb["d"].value == 5.0


def test_one_slow_putter_does_not_hold_up_another_pv(bench: type[Bench]) -> None:
    putter = Putter()
    ioc = bench(with_putter(putter), ChannelInteger(3, name="l"))
    client = ioc.connect("d", "l")
    reply = client.ask_one(write(1, DOUBLE, number(1)) + read(2, LONG))
    assert values(reply) == [3]


@pytest.mark.parametrize(
    ("answer", "stored"), [(None, 2.0), (5.0, 5.0), (SkipWrite, 0.0), (SkipWrite(), 0.0)]
)
def test_what_a_putter_returns(bench: type[Bench], answer: object, stored: float) -> None:
    putter = Putter(answer)
    ioc = bench(with_putter(putter))
    client = ioc.connect("d")
    client.ask(write(1, DOUBLE, number(2)))
    ioc.run_tasks()
    putter.open()
    ioc.run_tasks()
    [done] = client.replies()
    assert done.header.parameter1 == Eca.NORMAL
    assert ioc.pvdb["d"].value == stored


@pytest.mark.parametrize("notify", [True, False])
@pytest.mark.parametrize(
    ("problem", "failures"), [(ZeroDivisionError("oops"), 1), (ConversionError("no"), 0)]
)
def test_a_putter_that_raises_is_a_failed_write_and_the_next_one_works(
    bench: type[Bench], problem: Exception, failures: int, notify: bool
) -> None:
    putter = Putter(problem=problem)
    ioc = bench(with_putter(putter))
    client = ioc.connect("d")
    client.ask(write(1, DOUBLE, number(2), 1, 9, notify=notify))
    ioc.run_tasks()
    putter.open()
    ioc.run_tasks()
    [reply] = client.replies()
    if notify:
        assert (reply.header.parameter1, reply.header.parameter2) == (Eca.PUTFAIL, 9)
    else:
        cid, status, about = error_of(reply)
        assert (cid, status, about[0]) == (100, Eca.PUTFAIL, Command.WRITE)
    assert ioc.context.counters.hook_failures["putter"] == failures
    assert ioc.pvdb["d"].severity == 2  # a hook that refuses says so on its PV
    putter.problem = None
    client.ask(write(1, DOUBLE, number(3)))
    ioc.run_tasks()
    putter.open()
    ioc.run_tasks()
    assert ioc.pvdb["d"].value == 3.0


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (write(1, DOUBLE, number(20)), Eca.PUTFAIL),  # beyond the limits
        (write(1, 0, b"abc\0"), Eca.PUTFAIL),
        (write(1, DOUBLE, b"", 0), Eca.PUTFAIL),
        (write(1, 38, bytes(40)), Eca.PUTFAIL),
        (write(1, 37, bytes(48)), Eca.PUTFAIL),
        (write(1, 39, bytes(8)), Eca.BADTYPE),
        (write(1, ChannelType.PUT_ACKT, b"\0\0"), Eca.NORMAL),
        (write(1, ChannelType.PUT_ACKS, b"\0\3"), Eca.NORMAL),
    ],
)
def test_what_never_reaches_the_putter(bench: type[Bench], sent: bytes, status: Eca) -> None:
    putter = Putter()
    ioc = bench(with_putter(putter, upper_ctrl_limit=10))
    client = ioc.connect("d")
    client.feed(sent)
    ioc.run_tasks()
    [reply] = client.replies()
    assert reply.header.parameter1 == status
    assert putter.seen == []
    assert client.circuit.waiting == 0


def test_verify_value_may_change_and_refuse(bench: type[Bench]) -> None:
    class Even(ChannelInteger):
        async def verify_value(self, data: int) -> int:
            if data < 0:
                raise ValueError("negative")
            return data // 2 * 2

    ioc = bench(Even(0, name="l"))
    client = ioc.connect("l")
    client.ask(write(1, LONG, struct.pack(">i", 7)) + write(1, LONG, struct.pack(">i", -7)))
    ioc.run_tasks()
    assert [m.header.parameter1 for m in client.replies()] == [Eca.NORMAL, Eca.PUTFAIL]
    assert ioc.pvdb["l"].value == 6


def test_the_client_is_gone_before_its_putter_is_through(bench: type[Bench]) -> None:
    putter = Putter()
    ioc = bench(with_putter(putter))
    client, other = ioc.connect("d"), ioc.connect("d", host="127.0.0.1:40001")
    client.feed(write(1, DOUBLE, number(1)) + write(1, DOUBLE, number(2)))
    other.feed(write(1, DOUBLE, number(3), 1, 3))
    ioc.run_tasks()
    client.circuit.closed()
    for _ in range(3):
        putter.open()
        ioc.run_tasks()
    assert putter.seen == [1, 2, 3]  # what a client has asked for is done all the same
    [done] = other.replies()
    assert done.header.parameter2 == 3
    assert client.circuit.out == []


def test_the_channel_is_cleared_before_its_putter_is_through(bench: type[Bench]) -> None:
    putter = Putter()
    ioc = bench(with_putter(putter))
    client = ioc.connect("d")
    client.feed(write(1, DOUBLE, number(1), 1, 5) + clear(1, 100))
    ioc.run_tasks()
    putter.open()
    ioc.run_tasks()
    commands = [message.header.command for message in client.replies()]
    assert commands == [Command.CLEAR_CHANNEL, Command.WRITE_NOTIFY]


# --- getters ------------------------------------------------------------------------------------


def with_getter(getter: Callable[[Any], Awaitable[Any]]) -> ChannelDouble:
    channel = ChannelDouble(0.0, name="d")
    channel.getter = getter
    return channel


@pytest.mark.parametrize("command", [Command.READ_NOTIFY, Command.READ])
def test_a_read_runs_the_getter_each_time(bench: type[Bench], command: Command) -> None:
    readings = iter([1.0, 2.0, 3.0])

    async def getter(channel: ChannelData) -> float:
        return next(readings)

    ioc = bench(with_getter(getter))
    client = ioc.connect("d")
    client.ask(event(1, 1, DOUBLE))
    for expected in (1.0, 2.0, 3.0):
        assert client.ask(request(command, DOUBLE, 1, 1, 8)) == []
        ioc.run_tasks()
        news, reply = client.replies()
        assert (reply.header.command, reply.header.parameter2) == (command, 8)
        assert values(reply) == values(news) == [expected]


def test_a_getter_that_returns_nothing_leaves_the_value(bench: type[Bench]) -> None:
    async def getter(channel: ChannelData) -> None:
        return None

    ioc = bench(with_getter(getter))
    client = ioc.connect("d")
    client.ask(read(1, DOUBLE))
    ioc.run_tasks()
    assert values(client.replies()[0]) == [0.0]


@pytest.mark.parametrize(
    ("outcome", "failures"),
    [(RuntimeError("no reading"), 1), (ConversionError("no"), 0), ("text", 0)],
)
def test_a_getter_that_fails_is_a_failed_read(
    bench: type[Bench], outcome: object, failures: int
) -> None:
    async def getter(channel: ChannelData) -> object:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    ioc = bench(with_getter(getter))
    client = ioc.connect("d")
    client.ask(read(1, DOUBLE, 1, 4) + request(Command.READ, DOUBLE, 1, 1, 5))
    ioc.run_tasks()
    notified, error = client.replies()
    assert (notified.header.parameter1, notified.header.parameter2) == (Eca.GETFAIL, 4)
    assert not any(notified.payload)
    assert error_of(error)[:2] == (100, Eca.GETFAIL)
    assert ioc.context.counters.hook_failures["getter"] == 2 * failures
    assert len(client.ask(echo())) == 1


# --- many requests that wait --------------------------------------------------------------------


def waiting_reads(bench: type[Bench], number_of_reads: int) -> tuple[Bench, Client, Pause]:
    gate = Pause()

    async def getter(channel: ChannelData) -> float:
        await gate
        return 1.0

    ioc = bench(with_getter(getter))
    client = ioc.connect("d")
    client.feed(b"".join(read(1, DOUBLE, 1, i) for i in range(number_of_reads)) + echo())
    return ioc, client, gate


def test_with_a_thousand_requests_waiting_the_client_is_read_no_further(
    bench: type[Bench],
) -> None:
    ioc, client, gate = waiting_reads(bench, 2 * MOST_WAITING + 500)
    assert len(ioc.tasks) == client.circuit.waiting == MOST_WAITING
    assert not client.transport.reading
    gate.over = True
    while ioc.tasks:
        ioc.run_tasks()
        assert client.circuit.waiting <= MOST_WAITING
    replies = client.replies()
    echoed = [m for m in replies if m.header.command == Command.ECHO]
    answered = [m.header.parameter2 for m in replies if m.header.command == Command.READ_NOTIFY]
    assert len(echoed) == 1
    assert sorted(answered) == list(range(2 * MOST_WAITING + 500))
    assert client.transport.reading
    assert (client.circuit.waiting, client.circuit._unread) == (0, [])


def test_below_a_thousand_reading_goes_on(bench: type[Bench]) -> None:
    ioc, client, gate = waiting_reads(bench, MOST_WAITING - 1)
    assert client.transport.reading
    assert [m.header.command for m in client.replies()] == [Command.ECHO]
    gate.over = True
    ioc.run_tasks()
    assert len(client.replies()) == MOST_WAITING - 1


def test_a_thousand_writes_that_wait(bench: type[Bench]) -> None:
    putter = Putter()
    ioc = bench(with_putter(putter))
    client = ioc.connect("d")
    total = MOST_WAITING + 700
    client.feed(b"".join(write(1, DOUBLE, number(i), 1, i) for i in range(total)))
    assert client.circuit.waiting == MOST_WAITING
    assert not client.transport.reading
    ioc.run_tasks()
    while ioc.tasks:
        putter.open()
        ioc.run_tasks()
    assert putter.seen == list(range(total))
    assert [m.header.parameter2 for m in client.replies()] == list(range(total))
    assert client.transport.reading


def test_refused_writes_among_the_waiting_do_not_lose_count(bench: type[Bench]) -> None:
    putter = Putter()
    ioc = bench(with_putter(putter))
    client = ioc.connect("d")
    good, bad = write(1, DOUBLE, number(1)), write(1, 0, b"abc\0")
    client.feed((good + bad) * (MOST_WAITING + 10) + echo())
    ioc.run_tasks()
    while ioc.tasks:
        putter.open()
        ioc.run_tasks()
    assert len(client.replies()) == 2 * (MOST_WAITING + 10) + 1
    assert client.circuit.waiting == 0
    assert client.transport.reading


def test_a_circuit_that_waits_for_hooks_may_be_closed(bench: type[Bench]) -> None:
    ioc, client, gate = waiting_reads(bench, MOST_WAITING + 5)
    client.circuit.closed()
    gate.over = True
    while ioc.tasks:
        ioc.run_tasks()
    assert client.circuit.waiting == 0
    assert client.circuit.out == []
    assert ioc.context.circuits == set()
