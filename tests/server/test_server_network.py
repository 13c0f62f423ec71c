"""On the network: beacons, searches over UDP and TCP, who is ignored, several IOCs on a host."""

import socket
import struct
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from raw_circuit import HOST, RawCircuit, search

from ioc_ops.ca import Beacon, Eca, parse_beacon
from ioc_ops.errors import ConfigurationError
from ioc_ops.server import sockets

StartIoc = Callable[..., Any]
EVERYBODY = "127.255.255.255"
SO_TIMESTAMPNS = 35  # of asm-generic/socket.h; Python does not name it

# Who is answered, and how often an IOC calls, is decided above the libraries.
ONE_LIBRARY = pytest.mark.parametrize("library", ["asyncio"], indirect=True)


@pytest.fixture
def beacon_socket(ca_environment: dict[str, str]) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, int(ca_environment["EPICS_CAS_BEACON_PORT"])))
        sock.settimeout(30)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        yield sock


def receive(sock: socket.socket) -> tuple[Beacon, float]:
    """A beacon, and when it has come, however late we look: seconds."""
    datagram, [(_, _, stamp)], _, _ = sock.recvmsg(100, 100)
    seconds, nanoseconds = struct.unpack("@ll", stamp)
    return parse_beacon(datagram), seconds + nanoseconds / 1e9


def test_beacons_come_at_first_often_then_ever_more_seldom(
    run_ioc: StartIoc, beacon_socket: socket.socket
) -> None:
    ioc = run_ioc("plain", ready=False)
    seen = [receive(beacon_socket) for _ in range(6)]
    assert [beacon.sequence for beacon, _ in seen] == list(range(6))
    assert {beacon.port for beacon, _ in seen} == {ioc.port}
    pauses = [later - earlier for (_, earlier), (_, later) in pairwise(seen)]
    # Each late by what the machine needs; how often they come at first is in test_server_search.
    for pause, planned in zip(pauses, (0.02, 0.04, 0.08, 0.16, 0.32), strict=True):
        assert pause >= 0.9 * planned


@ONE_LIBRARY
def test_the_period_of_beacons_is_the_longest_pause(
    run_ioc: StartIoc, beacon_socket: socket.socket
) -> None:
    run_ioc("plain", env={"EPICS_CAS_BEACON_PERIOD": "0.05"}, ready=False)
    seen = [receive(beacon_socket) for _ in range(12)]
    assert [beacon.sequence for beacon, _ in seen] == list(range(12))
    # Doubling without an end would take 40 s.
    assert 0.45 <= seen[-1][1] - seen[0][1] < 20


def test_a_restarted_ioc_begins_its_beacons_anew(
    run_ioc: StartIoc, beacon_socket: socket.socket
) -> None:
    ioc = run_ioc("plain", ready=False)
    for number in range(3):
        assert parse_beacon(beacon_socket.recv(100)).sequence == number
    ioc.wait_for("startup complete")
    ioc.restart()
    while parse_beacon(beacon_socket.recv(100)).sequence:
        pass


def test_searches_over_udp_and_tcp(run_ioc: StartIoc) -> None:
    ioc = run_ioc("plain")
    names = ("p:number", "p:nothing", "p:guarded", "p:number.VAL")
    everyone = {"p:number": ioc.port, "p:guarded": ioc.port, "p:number.VAL": ioc.port}
    assert search(*names, port=ioc.port) == everyone
    assert search(*names, port=ioc.port, address=EVERYBODY) == everyone
    with RawCircuit(ioc.port) as circuit:
        assert circuit.search("p:number") == ioc.port
        assert circuit.search("p:nothing") is None
        # The same circuit then serves as a name server's client does not need, but may.
        assert circuit.get(circuit.connect("p:number")).value == 0
        assert circuit.create("p:nothing") is None


@ONE_LIBRARY
def test_who_is_to_be_ignored_is_not_answered(run_ioc: StartIoc) -> None:
    deaf = run_ioc("plain", env={"EPICS_CAS_IGNORE_ADDR_LIST": "127.0.0.1"})
    # The other one answers the same datagram: it has arrived.
    hears = run_ioc("plain", "--prefix", "q:", env={"EPICS_CAS_IGNORE_ADDR_LIST": "127.0.0.9"})
    found = search("p:number", "q:number", port=deaf.port, address=EVERYBODY)
    assert list(found) == ["q:number"]
    with RawCircuit(deaf.port) as circuit:
        seen = bytes(circuit.get(circuit.connect("p:counters"), 4).values).decode()
    assert '"searches": 0,' in seen
    assert hears.port == deaf.port


def test_two_iocs_on_one_host_are_both_found_and_used(run_ioc: StartIoc) -> None:
    first = run_ioc("plain", "--prefix", "one:")
    second = run_ioc("plain", "--prefix", "two:")
    line = second.wait_for("is in use: this IOC listens on")
    other_port = int(line.rpartition(" ")[2])
    assert other_port != first.port
    found = search("one:number", "two:number", port=first.port, address=EVERYBODY, answers=2)
    assert found == {"one:number": first.port, "two:number": other_port}
    for name, port in found.items():
        with RawCircuit(port) as circuit:
            channel = circuit.connect(name)
            assert circuit.put(channel, 5) == Eca.NORMAL
            assert circuit.get(channel).value == 5
    # The first goes; the second is found as before, and a third gets the port that is free.
    first.stop()
    assert search("two:number", port=first.port, address=EVERYBODY) == {"two:number": other_port}
    first.start()
    with RawCircuit(first.port) as circuit:
        assert circuit.get(circuit.connect("one:number")).value == 0


def test_two_interfaces_share_a_port(run_ioc: StartIoc) -> None:
    ioc = run_ioc("plain", "--interfaces", "127.0.0.1", "127.0.0.2")
    ioc.wait_for(f"Listening on 127.0.0.2:{ioc.port}")
    for address in ("127.0.0.1", "127.0.0.2"):
        with socket.create_connection((address, ioc.port), 20) as tcp:
            assert len(tcp.recv(16)) == 16
        assert search("p:number", port=ioc.port, address=address) == {"p:number": ioc.port}


def test_nothing_listens_wider_than_it_was_told_to(run_ioc: StartIoc) -> None:
    ioc = run_ioc("plain")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        assert tcp.connect_ex(("127.0.0.2", ioc.port)) != 0


def test_garbage_over_udp_disturbs_nobody(run_ioc: StartIoc) -> None:
    ioc = run_ioc("plain")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for garbage in (b"", b"x", bytes(16), b"\xff" * 64, b"\0\6" + bytes(30), bytes(60_000)):
            sock.sendto(garbage, (HOST, ioc.port))
    assert search("p:number", port=ioc.port) == {"p:number": ioc.port}


def test_an_interface_that_is_not_there_is_named_also_where_the_port_is_in_use() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=r"^interface 192\.0\.2\.1: this host has no"):
            sockets.bind_tcp(("127.0.0.1", "192.0.2.1"), port)
