"""What is counted: every message by its command, and the time that hooks take."""

import struct
from collections import Counter
from collections.abc import Iterator

import pytest
from circuit_bench import (
    Bench,
    Client,
    Pause,
    cancel,
    clear,
    create,
    echo,
    event,
    read,
    request,
    search,
    version,
    write,
)

from ioc_ops.ca import Command
from ioc_ops.channel import ChannelDouble, ChannelInteger

DOUBLE, TIME_DOUBLE, LONG = 6, 20, 5


def number(value: float) -> bytes:
    return struct.pack(">d", value)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(ChannelDouble(1.5, name="d"), ChannelInteger(0, name="hooked"))
    yield made
    made.close()


def seen(by_number: list[int]) -> dict[str, int]:
    return {command.name: by_number[command] for command in Command if by_number[command]}


def test_every_message_counts_by_its_command(bench: Bench) -> None:
    client = Client(bench)
    asked = [
        version(),
        create("d", 7),
        create("nowhere", 8),
        echo(),
        search("d", 9),
        search("nowhere", 10, reply=10),
        *[read(1, TIME_DOUBLE, ioid=n) for n in range(50)],  # all but the first by the short way
        read(99, DOUBLE),  # no such channel: an ERROR
        request(Command.READ, DOUBLE, 1, 1, 5),
        write(1, DOUBLE, number(2.0)),
        write(1, DOUBLE, number(3.0), notify=False),
        event(1, 3, DOUBLE),
        write(1, DOUBLE, number(4.0)),
        cancel(1, 3, DOUBLE),
        clear(1, 7),
    ]
    replies = client.ask(b"".join(asked))
    counters = bench.context.counters
    assert seen(counters.messages_received) == {
        "VERSION": 1,
        "CREATE_CHAN": 2,
        "ECHO": 1,
        "SEARCH": 2,
        "READ_NOTIFY": 51,
        "READ": 1,
        "WRITE_NOTIFY": 2,
        "WRITE": 1,
        "EVENT_ADD": 1,
        "EVENT_CANCEL": 1,
        "CLEAR_CHANNEL": 1,
    }
    sent = list(counters.messages_sent)
    sent[Command.EVENT_ADD] += counters.events_sent
    said = Counter(Command(reply.header.command).name for reply in replies)
    assert seen(sent) == said
    assert (said["READ_NOTIFY"], said["ERROR"], said["EVENT_ADD"]) == (50, 1, 3)


def test_reads_and_writes_without_hooks_are_not_timed(bench: Bench) -> None:
    client = bench.connect("d")
    client.ask(read(1, DOUBLE) + write(1, DOUBLE, number(2.0)))
    counters = bench.context.counters
    assert sum(counters.read_latency.counts) == sum(counters.write_latency.counts) == 0


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_getter_takes_is_noted_with_its_pv(bench: Bench, fails: bool) -> None:
    pause = Pause()

    async def get(instance: object) -> int:
        await pause
        if fails:
            raise ValueError("no device")
        return 5

    bench.pvdb["hooked"].getter = get
    client = bench.connect("hooked")
    client.ask(read(1, LONG))
    bench.run_tasks()
    latency = bench.context.counters.read_latency
    assert sum(latency.counts) == 0
    pause.over = True
    bench.run_tasks()
    assert sum(latency.counts) == 1
    assert 0 < latency.total < 60
    assert [example[0] for example in latency.examples if example] == ["hooked"]


def test_what_a_putter_takes_is_noted_with_the_wait_for_those_before(bench: Bench) -> None:
    pause = Pause()

    async def put(instance: object, value: int) -> None:
        await pause

    bench.pvdb["hooked"].putter = put
    client = bench.connect("hooked")
    client.ask(write(1, LONG, struct.pack(">i", 1)) * 3)
    bench.run_tasks()
    latency = bench.context.counters.write_latency
    assert sum(latency.counts) == 0
    pause.over = True
    bench.run_tasks()
    bench.run_tasks()
    assert sum(latency.counts) == 3
    assert [example[0] for example in latency.examples if example] == ["hooked"]
