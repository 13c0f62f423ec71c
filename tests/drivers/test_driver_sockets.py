"""Sockets: backpressure, closing, accepting, datagrams; circuits are stand-ins."""

import os
import socket
import struct
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
from descriptors import no_descriptor_left

from ioc_ops.channel import Payload
from ioc_ops.server.circuit import Circuit, Transport
from ioc_ops.server.drivers.layer import Driver, Event
from ioc_ops.server.outbox import Outbox

HOST = "127.0.0.1"
LARGE = 24_000_000  # bytes; more than the kernel holds for a connection


class FakeCircuit:
    """Tells what the driver does with a circuit."""

    def __init__(self, driver: Driver, transport: Transport) -> None:
        self.transport = transport
        self.context = SimpleNamespace(outbox=Outbox(driver.call_soon))
        self.received = b""
        self.has_received = driver.Event()
        self.is_drained = driver.Event()
        self.is_closed = driver.Event()
        self.closings = 0
        self.drainings = 0

    def receive(self, data: bytes) -> None:
        assert self.context.outbox.scheduled, "what this writes must leave in one go"
        if data == b"fail":
            raise ValueError("no good")
        self.received += data
        self.has_received.set()

    def drained(self) -> None:
        self.drainings += 1
        self.is_drained.set()

    def closed(self) -> None:
        self.closings += 1
        self.is_closed.set()


class Server:
    """A listener, and the circuits of its connections."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.circuits: list[FakeCircuit] = []
        self.hosts: list[str] = []
        self.arrived = driver.Event()
        self.sock = socket.create_server((HOST, 0), backlog=1024)
        self.sock.setblocking(False)
        self.port: int = self.sock.getsockname()[1]

    async def listen(self) -> None:
        self.listener = await self.driver.listen_tcp(self.sock, self.make_circuit)

    def make_circuit(self, transport: Transport, host: str) -> Circuit:
        self.circuits.append(FakeCircuit(self.driver, transport))
        self.hosts.append(host)
        self.arrived.set()
        return cast("Circuit", self.circuits[-1])

    async def connect(self) -> tuple[socket.socket, FakeCircuit]:
        """A blocking client socket and the circuit at its other end."""
        self.arrived.clear()
        client = await self.driver.run_in_thread(socket.create_connection, (HOST, self.port), 10)
        assert await self.arrived.wait(10)
        return client, self.circuits[-1]

    def close(self) -> None:
        """As the lifecycle does it: one right after the other."""
        self.listener.close()
        self.sock.close()


Main = Callable[[Server], Coroutine[Any, Any, None]]


@pytest.fixture
def serve(driver: Driver) -> Callable[[Main], None]:
    """Run ``async def main(server)`` while a server listens."""

    def serve(main: Main) -> None:
        async def life() -> int:
            server = Server(driver)
            try:
                await server.listen()
                await main(server)
            finally:
                server.close()
            return 0

        assert driver.run(life) == 0

    return serve


Serve = Callable[[Main], None]


def receive_all(client: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (some := client.recv(0x100000)):
        data += some
    return bytes(data)


async def eventually(event: Event) -> None:
    assert await event.wait(20)


async def soon(driver: Driver, condition: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    """Raises AssertionError after 20 s: what a driver closes is closed by a task of its own."""
    deadline = driver.monotonic() + 20
    while not await condition():
        assert driver.monotonic() < deadline
        await driver.sleep(0.01)


def test_bytes_both_ways(serve: Serve) -> None:
    async def main(server: Server) -> None:
        client, circuit = await server.connect()
        with client:
            assert server.hosts == [f"{HOST}:{client.getsockname()[1]}"]
            client.sendall(b"question")
            await eventually(circuit.has_received)
            assert circuit.received == b"question"
            chunks: list[Payload] = [b"a", memoryview(b"ns"), b"", b"w" * 100_000, b"er"]
            assert circuit.transport.write(chunks) is True
            data = await server.driver.run_in_thread(receive_all, client, 100_005)
            assert data == b"answ"[:3] + b"w" * 100_000 + b"er"
            client.setblocking(False)
            assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        await eventually(circuit.is_closed)
        assert circuit.closings == 1
        assert circuit.drainings == 0

    serve(main)


def at_other_end(client: socket.socket) -> Iterator[socket.socket]:
    """Duplicates of the sockets of this process that are connected to a client."""
    for fd in map(int, os.listdir("/proc/self/fd")):
        with suppress(OSError):
            if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
                with socket.socket(fileno=os.dup(fd)) as sock:
                    if sock.getpeername() == client.getsockname():
                        yield sock


def test_options_of_a_connection(serve: Serve) -> None:
    """No Nagle, who with delayed ACK costs 40 ms a request; and dead clients are noticed."""

    async def main(server: Server) -> None:
        client, _ = await server.connect()
        with client:
            options = [
                (
                    sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY),
                    sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                )
                for sock in at_other_end(client)
            ]
        assert options == [(1, 1)]

    serve(main)


def test_backpressure(serve: Serve, driver: Driver) -> None:
    """False once it holds too much, then one call of drained when most of it has gone."""

    async def main(server: Server) -> None:
        content = struct.pack(">I", 0xDEADBEEF) * (LARGE // 4)
        client, circuit = await server.connect()
        with client:
            assert circuit.transport.write([content]) is False
            assert circuit.transport.write([b"more"]) is False
            assert not await circuit.is_drained.wait(0.02)
            data = await driver.run_in_thread(receive_all, client, LARGE + 4)
            assert data == content + b"more"
            await eventually(circuit.is_drained)
            assert circuit.transport.write([b"and more"]) is True
            assert await driver.run_in_thread(receive_all, client, 8) == b"and more"
            assert circuit.drainings == 1

    serve(main)


def test_drained_may_write(serve: Serve, driver: Driver) -> None:
    """As a circuit does that has news for a client which was slow."""

    async def main(server: Server) -> None:
        client, circuit = await server.connect()
        drained = circuit.drained

        def write_more() -> None:
            drained()
            if circuit.drainings < 3:
                assert circuit.transport.write([bytes(LARGE)]) is False

        circuit.drained = write_more  # type: ignore[method-assign]
        with client:
            assert circuit.transport.write([bytes(LARGE)]) is False
            data = await driver.run_in_thread(receive_all, client, 3 * LARGE)
            assert len(data) == 3 * LARGE
            await driver.sleep(0)
            while circuit.drainings < 3:
                circuit.is_drained.clear()
                await eventually(circuit.is_drained)

    serve(main)


def test_close_sends_what_is_queued(serve: Serve, driver: Driver) -> None:
    async def main(server: Server) -> None:
        client, circuit = await server.connect()
        with client:
            circuit.transport.write([b"x" * LARGE, b"end"])
            circuit.transport.close()
            circuit.transport.close()
            data = await driver.run_in_thread(receive_all, client, LARGE + 100)
            assert data == b"x" * LARGE + b"end"
        await eventually(circuit.is_closed)

    serve(main)


def test_paused_reading(serve: Serve, driver: Driver) -> None:
    async def main(server: Server) -> None:
        client, circuit = await server.connect()
        other_client, other = await server.connect()
        with client, other_client:
            circuit.transport.pause_reading()
            client.sendall(b"early")
            other_client.sendall(b"later")
            await eventually(other.has_received)
            assert circuit.received == b""
            circuit.transport.resume_reading()
            await eventually(circuit.has_received)
            assert circuit.received == b"early"

    serve(main)


def test_close_while_paused(serve: Serve) -> None:
    async def main(server: Server) -> None:
        client, circuit = await server.connect()
        with client:
            circuit.transport.pause_reading()
            circuit.transport.close()
            await eventually(circuit.is_closed)
            circuit.transport.resume_reading()  # too late, and no harm

    serve(main)


def test_client_that_resets(serve: Serve, driver: Driver) -> None:
    """Also one with much to come, which nobody will take any more."""

    async def main(server: Server) -> None:
        for rest in (b"", bytes(LARGE)):
            client, circuit = await server.connect()
            circuit.transport.write([rest])
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            await eventually(circuit.is_closed)
            assert circuit.closings == 1

    serve(main)


def test_a_circuit_that_fails_takes_nobody_with_it(serve: Serve, driver: Driver) -> None:
    async def main(server: Server) -> None:
        good_client, good = await server.connect()
        client, circuit = await server.connect()
        with good_client, client:
            client.sendall(b"fail")
            await eventually(circuit.is_closed)
            assert await driver.run_in_thread(client.recv, 100) == b""
            good_client.sendall(b"fine")
            await eventually(good.has_received)
            assert good.received == b"fine"
            assert not good.is_closed.is_set()

    serve(main)


def test_descriptors_are_used_again(serve: Serve, driver: Driver) -> None:
    """The next connection gets the number of the last one, and nobody mixes them up."""

    async def main(server: Server) -> None:
        for number in range(100):
            client, circuit = await server.connect()
            with client:
                if number % 2:
                    circuit.transport.close()
                else:
                    client.shutdown(socket.SHUT_WR)
                assert await driver.run_in_thread(client.recv, 100) == b""
            await eventually(circuit.is_closed)

    serve(main)


def test_many_at_once(serve: Serve, driver: Driver) -> None:
    async def main(server: Server) -> None:
        clients = await driver.run_in_thread(
            lambda: [socket.create_connection((HOST, server.port), 10) for _ in range(200)]
        )
        for client in clients:
            client.sendall(b"hello")
        while len(server.circuits) < 200:
            server.arrived.clear()
            await eventually(server.arrived)
        for circuit in server.circuits:
            await eventually(circuit.has_received)
            circuit.transport.write([b"hello"])
        for client in clients:
            assert await driver.run_in_thread(client.recv, 5) == b"hello"
            client.close()
        for circuit in server.circuits:
            await eventually(circuit.is_closed)

    serve(main)


def test_no_descriptor_left(serve: Serve, driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    """It does not fill the log, and goes on when there are some again."""

    async def main(server: Server) -> None:
        clients = [socket.socket() for _ in range(40)]
        try:
            with no_descriptor_left():
                for client in clients:
                    client.setblocking(False)
                    client.connect_ex((HOST, server.port))
                await driver.sleep(0.35)  # enough for several tries
        finally:
            for client in clients:
                client.close()
        connect = partial(socket.create_connection, (HOST, server.port), 10)
        with await driver.run_in_thread(connect) as client:
            client.sendall(b"hello")
            while not any(circuit.received for circuit in server.circuits):
                server.arrived.clear()  # those from before may come first
                await server.arrived.wait(0.1)

    serve(main)
    # libuv keeps a descriptor for this, with which it accepts and hangs up.
    # curio warns where a busy machine has let it wait.
    ours = [record for record in caplog.records if record.name.startswith("ioc_ops")]
    messages = [record.getMessage() for record in ours]
    assert len(messages) <= 1
    assert all("Too many open files; end some clients" in message for message in messages)


def test_listener_that_is_closed(serve: Serve, driver: Driver) -> None:
    async def main(server: Server) -> None:
        client, circuit = await server.connect()
        with client:
            server.close()
            connect = partial(socket.create_connection, (HOST, server.port), 10)

            async def is_refused() -> bool:
                try:
                    (await driver.run_in_thread(connect)).close()
                except ConnectionRefusedError:
                    return True
                return False

            await soon(driver, is_refused)
            client.sendall(b"still here")  # who was connected stays so
            await eventually(circuit.has_received)

    serve(main)


def test_listener_that_is_followed_by_another(serve: Serve, driver: Driver) -> None:
    """It gets the same descriptor at once, which nobody may still wait on for the first."""

    async def main(server: Server) -> None:
        for _ in range(3):
            await driver.sleep(0.01)
            server.close()
            server.__init__(driver)  # type: ignore[misc]
            await server.listen()
            client, circuit = await server.connect()
            client.close()
            await eventually(circuit.is_closed)

    serve(main)


def test_listener_that_is_closed_at_once(serve: Serve) -> None:
    async def main(server: Server) -> None:
        server.close()

    serve(main)


def test_connections_end_with_the_run(driver: Driver) -> None:
    """Even those that have much to send to a client that does not read."""
    kept: list[Any] = []

    async def main() -> int:
        server = Server(driver)
        await server.listen()
        client, circuit = await server.connect()
        circuit.transport.write([bytes(LARGE)])
        circuit.transport.close()
        kept.extend([client, circuit])
        server.close()
        return 0

    assert driver.run(main) == 0
    client, circuit = kept
    with client:
        assert circuit.is_closed.is_set()
        client.settimeout(20)
        try:
            assert len(receive_all(client, LARGE + 1)) < LARGE
        except ConnectionResetError:
            pass


# --- datagrams ------------------------------------------------------------------------------


def bound() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind((HOST, 0))
    return sock


def test_datagrams(driver: Driver) -> None:
    def receive(datagram: bytes, sender: tuple[str, int]) -> bytes | None:
        if datagram == b"fail":
            raise ValueError("no good")
        return None if datagram == b"silence" else datagram.upper() + str(sender[1]).encode()

    async def main() -> int:
        sock, own = bound(), bound()
        address = sock.getsockname()
        endpoint = await driver.open_udp(sock, receive)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client, own:
            client.settimeout(10)
            client.bind((HOST, 0))
            for datagram in (b"fail", b"silence", b"x" * 1000, b"hello"):
                client.sendto(datagram, address)
            answers = [await driver.run_in_thread(client.recv, 2000) for _ in range(2)]
            port = str(client.getsockname()[1]).encode()
            assert answers == [b"X" * 1000 + port, b"HELLO" + port]
            endpoint.send(b"beacon", client.getsockname())
            assert await driver.run_in_thread(client.recvfrom, 100) == (b"beacon", address)
        # Nobody is there any more: the endpoint lives on.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.settimeout(10)
            other.sendto(b"again", address)
            assert (await driver.run_in_thread(other.recv, 100)).startswith(b"AGAIN")
        endpoint.close()

        async def is_free() -> bool:
            with (
                suppress(OSError),
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as successor,
            ):
                successor.bind(address)
                return True
            return False

        await soon(driver, is_free)
        return 0

    assert driver.run(main) == 0


def test_datagrams_in_a_burst(driver: Driver) -> None:
    """More than are taken in one go; none is lost and none waits for the next to come."""
    got: list[bytes] = []

    async def main() -> int:
        def receive(datagram: bytes, sender: tuple[str, int]) -> None:
            got.append(datagram)
            if len(got) == 150:
                done.set()

        done = driver.Event()
        sock = bound()
        endpoint = await driver.open_udp(sock, receive)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for number in range(150):
                client.sendto(b"%d" % number, sock.getsockname())
        assert await done.wait(10)
        endpoint.close()
        return 0

    assert driver.run(main) == 0
    assert got == [b"%d" % number for number in range(150)]


def test_datagrams_closed_at_once(driver: Driver) -> None:
    async def main() -> int:
        endpoint = await driver.open_udp(bound(), lambda datagram, sender: None)
        endpoint.close()
        return 0

    assert driver.run(main) == 0
