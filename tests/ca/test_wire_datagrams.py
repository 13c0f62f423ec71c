"""UDP: searches, their replies and beacons."""

from contextlib import suppress

import caproto
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_strategies import noise, quick, thorough, u16, u32

from ioc_ops.ca import (
    DO_REPLY,
    MINOR_VERSION,
    Beacon,
    Command,
    SearchRequest,
    pack_beacon,
    pack_header,
    pack_search_replies,
    pack_search_request,
    parse_beacon,
    parse_search_replies,
    parse_search_requests,
)
from ioc_ops.ca.header import HEADER
from ioc_ops.errors import ProtocolError

names = st.binary(min_size=1, max_size=60).map(lambda raw: raw.replace(b"\0", b":"))
searches = st.builds(
    SearchRequest, names, u32, st.sampled_from([5, DO_REPLY]), st.integers(4, MINOR_VERSION)
)
OTHER_END = ("127.0.0.1", 5064)
VERSION = HEADER.pack(Command.VERSION, 0, 0, MINOR_VERSION, 0, 0)


@quick
@given(st.lists(searches, max_size=20))
def test_searches_come_back_as_they_were(sent: list[SearchRequest]) -> None:
    datagram = pack_search_request(sent)
    assert len(datagram) % 8 == 0
    assert parse_search_requests(datagram)[0] == sent


@quick
@given(st.lists(u32, max_size=20), st.integers(1, 0xFFFF))
def test_replies_come_back_as_they_were(cids: list[int], port: int) -> None:
    assert parse_search_replies(pack_search_replies(cids, port)) == [(cid, port) for cid in cids]


@quick
@given(u16, u32, u32)
def test_beacons_come_back_as_they_were(port: int, sequence: int, address: int) -> None:
    beacon = Beacon(port, sequence, address)
    assert parse_beacon(pack_beacon(beacon)) == beacon


def test_the_number_of_a_beacon_wraps() -> None:
    assert parse_beacon(pack_beacon(Beacon(5064, 1 << 32))).sequence == 0


@thorough
@given(noise)
def test_any_datagram_is_a_search_or_none(datagram: bytes) -> None:
    requests, opening = parse_search_requests(datagram)
    assert len(opening) == 16
    assert all(request.name and request.name in datagram for request in requests)


@thorough
@given(noise)
def test_any_datagram_is_a_reply_or_raises_protocol_error(datagram: bytes) -> None:
    for parse in (parse_search_replies, parse_beacon):
        with suppress(ProtocolError):
            parse(datagram)


def test_another_implementation_reads_our_searches() -> None:
    peer = caproto.Broadcaster(our_role=caproto.SERVER)
    datagram = pack_search_request([SearchRequest(b"one:pv", 7), SearchRequest(b"b", 8, DO_REPLY)])
    commands = peer.recv(datagram, OTHER_END)
    version, *found = commands
    assert version.version == MINOR_VERSION
    assert [(c.name, c.cid, c.header.data_type, c.version) for c in found] == [
        ("one:pv", 7, 5, 13),
        ("b", 8, 10, 13),
    ]


def test_another_implementation_reads_our_replies_and_beacons() -> None:
    peer = caproto.Broadcaster(our_role=caproto.CLIENT)
    version, *replies = peer.recv(pack_search_replies([3, 4], 5099), OTHER_END)
    assert version.version == MINOR_VERSION
    assert [(r.cid, r.port, r.version) for r in replies] == [(3, 5099, 13), (4, 5099, 13)]
    [beacon] = peer.recv(pack_beacon(Beacon(5099, 12)), OTHER_END)
    assert (beacon.server_port, beacon.beacon_id, beacon.version) == (5099, 12, 13)


def test_we_read_the_searches_of_another_implementation() -> None:
    datagram = bytes(caproto.VersionRequest(0, 13)) + bytes(caproto.SearchRequest("a:pv", 9, 13))
    requests, _ = parse_search_requests(datagram)
    assert [(r.name, r.cid, r.minor) for r in requests] == [(b"a:pv", 9, 13)]


def test_the_number_of_a_request_is_echoed_from_4_11_on() -> None:
    numbered = HEADER.pack(Command.VERSION, 0, 0, 11, 1234, 0)
    _, opening = parse_search_requests(numbered)
    assert HEADER.unpack(opening) == (Command.VERSION, 0, 1, MINOR_VERSION, 1234, 0)
    old = HEADER.pack(Command.VERSION, 0, 0, 10, 1234, 0)
    assert parse_search_requests(old) == ([], VERSION)


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param(HEADER.pack(Command.READ_NOTIFY, 0, 0, 0, 0, 0), id="a command for TCP"),
        pytest.param(HEADER.pack(Command.SEARCH, 80, 5, 13, 1, 1) + b"cut", id="a cut payload"),
        pytest.param(pack_header(Command.SEARCH, 8, 5, 3, 1, 1) + b"too old\0", id="version 4.3"),
        pytest.param(b"\0\6\0\0", id="a cut header"),
    ],
)
def test_what_came_before_the_damage_is_answered(stop: bytes) -> None:
    good = pack_search_request([SearchRequest(b"good:pv", 1)])
    late = pack_search_request([SearchRequest(b"late:pv", 2)])
    assert [r.name for r in parse_search_requests(good + stop + late)[0]] == [b"good:pv"]


def test_a_name_ends_at_its_terminator_and_an_empty_one_is_passed_over() -> None:
    def search(name: bytes) -> bytes:
        return pack_header(Command.SEARCH, len(name), 5, 13, 1, 1) + name

    datagram = search(bytes(8)) + search(b"pv\0junk\0") + search(b"12345678")
    assert [r.name for r in parse_search_requests(datagram)[0]] == [b"pv", b"12345678"]


@pytest.mark.parametrize("size", range(16))
def test_a_short_datagram_is_no_beacon(size: int) -> None:
    with pytest.raises(ProtocolError, match=f"{size} bytes"):
        parse_beacon(bytes(size))


def test_another_command_is_no_beacon_and_no_reply() -> None:
    with pytest.raises(ProtocolError, match="command 0 is no beacon"):
        parse_beacon(VERSION)
    with pytest.raises(ProtocolError, match="command 13"):
        parse_search_replies(pack_beacon(Beacon(1, 1)))
