"""Reads that were asked before are answered in one go, whatever stands between them."""

import pytest
from circuit_bench import Bench, Client, echo, read, values, write

from ioc_ops.ca import ChannelType, Command
from ioc_ops.ca.payload import pack_string
from ioc_ops.channel import ChannelDouble, ChannelString

DOUBLE, STRING = ChannelType.DOUBLE, ChannelType.STRING


@pytest.fixture
def client(bench: type[Bench]) -> Client:
    """Has read both PVs before."""
    ready = bench(ChannelDouble(1.0, name="d"), ChannelString("12", name="s")).connect("d", "s")
    ready.ask(read(1, DOUBLE) + read(2, DOUBLE))
    return ready


def number(value: float) -> bytes:
    return ChannelDouble(value).payload(DOUBLE, 1)[0]


MIXED = b"".join(
    [
        read(1, DOUBLE, ioid=1),
        write(1, DOUBLE, number(2.0), notify=False),
        read(1, DOUBLE, ioid=2),
        read(2, DOUBLE, ioid=3),
        echo(),
        read(1, ChannelType.FLOAT, ioid=4),  # not asked before
        read(1, DOUBLE, ioid=5),
    ]
)
ANSWERS = [(1, 1.0), (2, 2.0), (3, 12.0), (4, 2.0), (5, 2.0)]


@pytest.mark.parametrize("cut", range(0, len(MIXED) + 1, 4))
def test_each_answer_is_of_its_turn_wherever_the_bytes_are_cut(client: Client, cut: int) -> None:
    replies = client.ask(MIXED[:cut]) + client.ask(MIXED[cut:])
    assert [r.header.command for r in replies].index(Command.ECHO) == 3
    reads = [r for r in replies if r.header.command == Command.READ_NOTIFY]
    assert [(r.header.parameter2, *values(r)) for r in reads] == ANSWERS
    assert client.bench.context.counters.reads == 2 + 5


def test_a_value_that_loses_its_form_fails_alone(client: Client) -> None:
    client.ask(write(2, STRING, pack_string(b"twelve")))
    replies = client.ask(read(1, DOUBLE) + read(2, DOUBLE) + read(1, DOUBLE) * 2)
    assert [r.header.parameter1 == 1 for r in replies] == [True, False, True, True]
