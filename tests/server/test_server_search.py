"""Searches and beacons as data: who is answered with what, and how often an IOC calls."""

import tracemalloc
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.ca import (
    Beacon,
    SearchRequest,
    pack_search_request,
    parse_beacon,
    parse_search_replies,
)
from ioc_ops.channel import ChannelInteger, View
from ioc_ops.records import RecordFields, fields_of
from ioc_ops.server import Context, PVGroup, pvproperty
from ioc_ops.server.beacons import beacons
from ioc_ops.server.search import answer_search


def context(*names: str, port: int = 7777) -> Context:
    made = Context({name: ChannelInteger(0, name=name) for name in names})
    made.port = port
    return made


def ask(server: Context, *names: str) -> list[tuple[int, int]]:
    """The (cid, port) pairs of the answer; the cid of a name is its place."""
    requests = [SearchRequest(name.encode(), cid) for cid, name in enumerate(names)]
    answer = answer_search(server, pack_search_request(requests))
    return [] if answer is None else parse_search_replies(answer)


def test_names_that_are_served_are_answered_and_no_others() -> None:
    server = context("a", "b", "µ")
    assert ask(server, "x", "b", "y", "a", "µ") == [(1, 7777), (3, 7777), (4, 7777)]
    assert (server.counters.searches, server.counters.search_hits) == (5, 3)


def test_a_name_that_nobody_serves_gets_silence() -> None:
    server = context("a")
    requests = pack_search_request([SearchRequest(b"b", 1), SearchRequest(b"A", 2)])
    assert answer_search(server, requests) is None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a", True),
        ("a.", True),
        ("a.VAL", True),
        ("a.DESC", False),
        ("a.VAL.VAL", False),
        (".VAL", False),
        ("", False),
        ("b.VAL", False),
        ("x.y", True),
        ("x.y.VAL", True),
    ],
)
def test_the_value_of_a_pv_has_two_names(name: str, found: bool) -> None:
    server = context("a", "x.y")
    assert bool(ask(server, name)) is found
    assert (server.find(name) is not None) is found


def test_pvs_may_come_and_go_while_they_are_served() -> None:
    pvdb = {"a": ChannelInteger(0, name="a")}
    server = Context(pvdb)
    pvdb["b"] = ChannelInteger(0, name="b")
    assert len(ask(server, "b")) == 1
    del pvdb["a"]
    assert ask(server, "a") == []


def test_a_database_may_make_pvs_as_they_are_asked_for() -> None:
    class Everything(dict[str, Any]):
        def __contains__(self, name: object) -> bool:
            return True

        def __missing__(self, name: str) -> ChannelInteger:
            self[name] = made = ChannelInteger(0, name=name)
            return made

    server = Context(Everything())
    assert len(ask(server, "whatever", "else")) == 2
    found = server.find("whatever")
    assert found is not None
    assert found.name == "whatever"


@given(st.binary(max_size=200))
def test_no_datagram_disturbs_the_server(datagram: bytes) -> None:
    assert answer_search(context("a"), datagram) is None


@given(st.binary(max_size=60))
def test_a_good_request_before_garbage_is_answered(garbage: bytes) -> None:
    request = pack_search_request([SearchRequest(b"a", 5)])
    answer = answer_search(context("a"), request + garbage)
    assert answer is not None
    assert parse_search_replies(answer)[0] == (5, 7777)


# --- beacons -------------------------------------------------------------------------------


def test_pauses_double_up_to_the_period_and_numbers_count_up() -> None:
    calls = list(islice(beacons(6000, 15.0), 14))
    pauses = [pause for _, pause in calls]
    assert pauses[0] == 0.02
    assert all(later == min(2 * earlier, 15.0) for earlier, later in pairwise(pauses))
    assert pauses[-3:] == [15.0] * 3
    assert [parse_beacon(datagram) for datagram, _ in calls] == [
        Beacon(6000, number) for number in range(14)
    ]


def test_a_period_shorter_than_the_first_pause_rules() -> None:
    assert [pause for _, pause in islice(beacons(6000, 0.01), 4)] == [0.01] * 4


# --- what a search costs ---------------------------------------------------------------------


class Records(PVGroup):
    level = pvproperty(value=1.0, record="ai")
    text = pvproperty(value="x", record="stringin")
    plain = pvproperty(value=1)


SEARCHED = {
    "T:level.HIHI": True,
    "T:level.DESC$": True,
    "T:text.$": True,
    "T:text$": True,
    'T:level.{"dbnd":{"abs":1}}': True,
    "T:level.EGU[1:3]": True,
    'T:level.NONE{"ts":{}}': False,
    "T:level.hihi": False,
    "T:plain.DESC": False,
}


@pytest.mark.parametrize("name", SEARCHED)
def test_a_search_makes_neither_fields_nor_views(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = Records("T:")
    server = Context(group.pvdb)

    def nothing(*arguments: object, **options: object) -> None:
        raise AssertionError("a search has made something")

    monkeypatch.setattr(View, "__init__", nothing)
    monkeypatch.setattr(RecordFields, "__init__", nothing)
    assert bool(ask(server, name)) is SEARCHED[name]


@pytest.mark.parametrize("name", SEARCHED)
def test_what_is_found_can_be_searched_for(name: str) -> None:
    server = Context(Records("T:").pvdb)
    assert (server.find(name) is not None) is server.has(name) or "EGU[" in name


def test_searches_for_all_fields_leave_no_memory_behind() -> None:
    names = [f"T:level.{field}" for field in fields_of("ai")]
    ask(Context(Records("T:").pvdb), *names)  # tables are read once
    server = Context(Records("T:").pvdb)
    tracemalloc.start()
    try:
        for name in names:
            assert server.has(name)
        assert tracemalloc.get_traced_memory()[0] < 10_000  # the fields would take ten times that
    finally:
        tracemalloc.stop()
