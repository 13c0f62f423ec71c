"""What clients leave in a PV: their subscriptions go quickly, their values keep nothing else."""

import gc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from circuit_bench import Bench, cancel, event, request, write

from ioc_ops.ca import Command
from ioc_ops.channel import ChannelDouble

DOUBLE = 6
TIME_DOUBLE = 20


class Counted:
    """A feed that counts how often it is compared by way of the tuple that it stands in."""

    mask = 0

    def post(self) -> None: ...


class Looks(tuple):  # type: ignore[type-arg]
    """Feeds, and how many were looked at."""

    looked = 0

    def __iter__(self) -> Iterator[object]:
        for each in super().__iter__():
            Looks.looked += 1
            yield each


def test_the_oldest_subscription_is_found_at_once() -> None:
    pv = ChannelDouble(1.0, name="d")
    feeds = [Counted() for _ in range(1000)]
    for feed in feeds:
        pv.subscribe(feed)
    pv.feeds = Looks(pv.feeds)
    pv.unsubscribe(feeds[0])
    assert Looks.looked == 1
    assert pv.feeds == tuple(feeds[1:])


def test_a_feed_that_is_not_there_may_leave() -> None:
    pv = ChannelDouble(1.0, name="d")
    kept = Counted()
    pv.subscribe(kept)
    pv.unsubscribe(Counted())
    assert pv.feeds == (kept,)


def test_a_circuit_that_ends_leaves_no_subscription(bench: type[Bench]) -> None:
    pv = ChannelDouble(1.0, name="d")
    client = bench(pv).connect(*[f"d.{{dbnd:{{abs:{n}}}}}" for n in range(50)])
    client.feed(b"".join(event(1 + n, n, TIME_DOUBLE) for n in range(50)))
    assert pv.feeds
    client.circuit.closed()
    assert pv.feeds == ()


def test_a_small_array_does_not_keep_what_was_sent_with_it(bench: type[Bench]) -> None:
    pv = ChannelDouble(np.zeros(10_000), name="a")
    client = bench(pv).connect("a")
    put = write(1, DOUBLE, np.arange(10_000, dtype=">f8").tobytes(), 10_000)
    client.feed(request(Command.ECHO, payload=bytes(1_000_000)) + put)
    assert list(pv.value[:3]) == [0, 1, 2]
    stored = pv.stored
    while stored.base is not None and not isinstance(stored.base, memoryview | bytes):
        stored = stored.base
    kept = stored.nbytes if stored.base is None else memoryview(stored.base).nbytes
    whole = getattr(stored.base, "obj", stored.base)
    assert kept == 80_000
    assert whole is None or len(whole) < 200_000


def test_a_large_array_is_stored_as_it_came(bench: type[Bench]) -> None:
    pv = ChannelDouble(np.zeros(10_000), name="a")
    client = bench(pv).connect("a")
    client.feed(write(1, DOUBLE, np.arange(10_000, dtype=">f8").tobytes(), 10_000))
    assert pv.stored.base is not None


@pytest.mark.parametrize("modifier", ["{dec:{n:9}}", "{dbnd:{abs:1}}", "[0:5]"])
def test_the_value_of_a_filtered_subscription_goes_with_it(
    bench: type[Bench], modifier: str
) -> None:
    pv = ChannelDouble(np.zeros(1000), name="a")
    client = bench(pv).connect(f"a.{modifier}")
    client.ask(event(1, 7, TIME_DOUBLE, 0))
    shown = weakref.ref(pv.stored)
    gc.disable()  # an IOC with little to do may go without for hours
    try:
        client.ask(cancel(1, 7, TIME_DOUBLE))
        pv.assign(pv.convert(np.ones(1000)))
        assert shown() is None
    finally:
        gc.enable()
