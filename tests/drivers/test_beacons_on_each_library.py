"""Beacons that cannot be sent are neither counted nor passed over in silence, on each library."""

import errno
import logging
import os
import socket
from contextlib import suppress
from typing import Any

import pytest

from ioc_ops.ca import parse_beacon
from ioc_ops.server import Context, lifecycle
from ioc_ops.server.drivers.layer import Driver
from ioc_ops.server.settings import Settings
from ioc_ops.server.sockets import sender

HOST = "127.0.0.1"
NOWHERE = (HOST, 0)  # no network takes a datagram to port 0
PERIOD = 0.005  # seconds


def settings(*addresses: tuple[str, int]) -> Settings:
    return Settings(
        interfaces=(HOST,),
        port=5064,
        beacon_addresses=addresses,
        beacon_period=PERIOD,
        ignored=frozenset(),
    )


class Patchy:
    """An endpoint without a way for its first three datagrams."""

    def __init__(self, driver: Driver) -> None:
        self.sent = 0
        self.has_sent_five = driver.Event()

    def send(self, datagram: bytes, address: tuple[str, int]) -> None:
        self.sent += 1
        if self.sent <= 3:
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
        if self.sent == 5:
            self.has_sent_five.set()

    def close(self) -> None: ...


def test_an_address_that_cannot_be_reached(
    driver: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named once; the others get their beacons, and the counter counts those alone."""
    context = Context({})

    async def main() -> int:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind((HOST, 0))
            client.settimeout(10)
            endpoint = await driver.open_udp(sender(), lambda datagram, address: None)
            wanted = settings(NOWHERE, client.getsockname())
            driver.spawn(lifecycle._send_beacons(driver, context, wanted, endpoint), "beacons")
            for number in range(4):
                beacon = parse_beacon(await driver.run_in_thread(client.recv, 100))
                assert beacon.sequence == number
            await driver.cancel_tasks()
            client.setblocking(False)
            received = 4
            with suppress(BlockingIOError):
                while client.recv(100):
                    received += 1
            endpoint.close()
            return received

    with caplog.at_level(logging.INFO, "ioc_ops.server"):
        received = driver.run(main)
    assert context.counters.beacons_sent == received
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"no beacons to {HOST}:0: ")


def test_an_address_that_can_be_reached_again(
    driver: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    context = Context({})

    async def main() -> int:
        endpoint = Patchy(driver)
        wanted = settings((HOST, 5065))
        driver.spawn(lifecycle._send_beacons(driver, context, wanted, endpoint), "beacons")
        assert await endpoint.has_sent_five.wait(10)
        await driver.cancel_tasks()
        return endpoint.sent

    with caplog.at_level(logging.INFO, "ioc_ops.server"):
        sent = driver.run(main)
    assert context.counters.beacons_sent == sent - 3
    lines = [record.getMessage().partition(": ")[0] for record in caplog.records]
    assert lines == [f"no beacons to {HOST}:5065", f"beacons to {HOST}:5065 go out again"]


def test_a_datagram_that_cannot_be_sent(driver: Driver) -> None:
    """Whoever sends is told, and the endpoint lives on."""

    async def main() -> int:
        got: list[Any] = []
        arrived = driver.Event()

        def receive(datagram: bytes, address: tuple[str, int]) -> None:
            got.append((datagram, address))
            arrived.set()

        sock = sender()
        sock.bind((HOST, 0))
        own = sock.getsockname()
        endpoint = await driver.open_udp(sock, receive)
        for datagram, address in ((b"lost", NOWHERE), (bytes(70_000), own)):
            with pytest.raises(OSError, match=r"\[Errno"):
                endpoint.send(datagram, address)
        endpoint.send(b"fine", own)
        assert await arrived.wait(10)
        assert got == [(b"fine", own)]
        endpoint.close()
        return 0

    assert driver.run(main) == 0
