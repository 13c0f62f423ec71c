"""One IOC script, served by each of the three libraries, and a client that sees no difference."""

import os
import resource
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from driver_client import DOUBLE, EVENT, HOST, NORMAL, READ, STRING, WRITE, Client

SCRIPT = Path(__file__).parent / "driver_ioc.py"
TESTS = Path(__file__).parent.parent
ARRAY = 1_000_000


@dataclass
class Served:
    """A running IOC."""

    library: str
    pid: int
    port: int
    environment: dict[str, str]

    def client(self, receive_buffer: int = 0) -> Client:
        return Client(self.port, receive_buffer)

    @property
    def memory(self) -> int:
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()


def told(notify: socket.socket, process: "subprocess.Popen[bytes]") -> bytes:
    """What the IOC tells its service manager first; nothing if it ends before that."""
    for _ in range(30):
        try:
            return notify.recv(100)
        except TimeoutError:
            if process.poll() is not None:
                break
    return b""


@pytest.fixture(scope="module")
def served(
    library: str, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[Served]:
    """The IOC, started once for all tests of this file; it must end well, and without a word."""
    directory = tmp_path_factory.mktemp(library)
    port, beacons = free_port(), free_port()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("EPICS_")}
    environment = inherited | {
        "EPICS_CA_ADDR_LIST": HOST,
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_SERVER_PORT": str(port),
        "EPICS_CA_REPEATER_PORT": str(beacons),
        "EPICS_CAS_SERVER_PORT": str(port),
        "EPICS_CAS_INTF_ADDR_LIST": HOST,
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": HOST,
        "EPICS_CAS_BEACON_PORT": str(beacons),
        "NOTIFY_SOCKET": str(directory / "notify"),
    }
    command = [sys.executable, "-W", "error", "-X", "dev", str(SCRIPT), "--async-lib", library]
    with (
        open(directory / "stderr", "w+") as said,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify,
    ):
        notify.bind(environment["NOTIFY_SOCKET"])
        notify.settimeout(1)
        process = subprocess.Popen(command, env=environment, cwd=directory, stderr=said)
        try:
            assert told(notify, process) == b"READY=1", Path(said.name).read_text()
            yield Served(library, process.pid, port, environment)
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()
        said.seek(0)
        lines = said.read().splitlines()
    # The one hook that raises is logged with its traceback; nothing else may complain.
    text = "\n".join(lines)
    assert "never awaited" not in text, text
    assert "Warning" not in text, text
    assert text.count("Traceback") == text.count("ValueError: not today"), text


def test_it_is_the_library_that_was_asked_for(served: Served) -> None:
    """And a startup hook that sleeps with the library itself is through."""
    with served.client() as client:
        client.monitor("d:library", STRING, 1)
        # The first event may be from before the hook was through.
        assert (client.event_text() or client.event_text()) == f"{served.library} {served.library}"
        assert client.read_text("d:ioc_name") == "d"


def test_write_read_and_monitor(served: Served) -> None:
    with served.client() as writer, served.client() as reader:
        reader.monitor("d:plain")
        before = reader.event()
        assert writer.write("d:plain", before + 5) == NORMAL
        assert reader.event() == before + 5
        assert reader.read("d:plain") == before + 5
        assert writer.write("d:plain", 1.0) == NORMAL


def test_getter(served: Served) -> None:
    with served.client() as client:
        first = client.read("d:asked")
        assert client.read("d:asked") == first + 1


def test_scan(served: Served) -> None:
    with served.client() as client:
        client.monitor("d:ticks")
        ticks = [client.event() for _ in range(5)]
    assert ticks == [ticks[0] + number for number in range(5)]


def test_putters_of_one_pv_run_in_the_order_of_the_writes(served: Served) -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    with served.client() as one, served.client() as two:
        first = [one.put("d:order", value) for value in values[:4]]
        completed = []
        one.ask("d:order", DOUBLE, 1)  # answered when the writes have arrived, applied or not
        while (message := one.receive())[0] != READ:
            completed.append(message)
        later = [two.put("d:order", value) for value in values[4:]]
        completed += [one.expect(WRITE) for _ in first[len(completed) :]]
        assert [message[3:5] for message in completed] == [(NORMAL, ioid) for ioid in first]
        assert [two.expect(WRITE)[3:5] for _ in later] == [(NORMAL, ioid) for ioid in later]
        applied = struct.unpack(">7d", one.read_array("d:applied"))
    assert applied == (0.0, *values)


def test_a_putter_that_raises(served: Served) -> None:
    with served.client() as client:
        assert client.write("d:refused", 1.0) != NORMAL
        assert client.write("d:plain", 1.0) == NORMAL


def test_context_of_nested_putters(served: Served) -> None:
    """Context variables go with the task, and the tasks of two clients do not mix."""
    with served.client() as client:
        for number in (1, 2):
            assert client.write("d:outer", number) == NORMAL
            assert (
                client.read_text("d:inner")
                == f"written by outer {number}, putter of outer {number} in d"[:39]
            )


def test_queue_between_a_thread_and_tasks(served: Served) -> None:
    with served.client() as client:
        client.monitor("d:reply")
        client.event()
        for number in (21.0, 4.0, 8.5):
            client.put("d:request", number)
        assert [client.event() for _ in range(3)] == [42.0, 8.0, 17.0]


def test_event_set_in_a_thread(served: Served) -> None:
    with served.client() as client:
        client.monitor("d:flags_seen")
        seen = client.event()
        for number in (1, 2, 3):
            client.put("d:raise_flag", 1.0)
            assert client.event() == seen + number


def test_run_in_thread(served: Served) -> None:
    with served.client() as client:
        assert client.write("d:threads_asked", 1.0) == NORMAL
        assert client.read_text("d:thread").startswith("ioc_ops worker")


def test_many_circuits_come_and_go(served: Served) -> None:
    for _ in range(2):
        clients = [served.client() for _ in range(150)]
        for client in clients:
            client.ask("d:plain", DOUBLE, 1)
        assert all(client.expect(READ)[3] == NORMAL for client in clients)
        for client in clients[::2]:  # some say good-bye, some are cut off
            linger = struct.pack("ii", 1, 0)
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        for client in clients:
            client.close()
    with served.client() as client:
        assert client.read("d:plain") == 1.0
    # A library may serve a new client before it looks at those that have gone.
    deadline = time.monotonic() + 20
    while len(os.listdir(f"/proc/{served.pid}/fd")) >= 60:
        assert time.monotonic() < deadline, "closed circuits keep their sockets"
        time.sleep(0.01)


def test_array_of_8_mb(served: Served) -> None:
    content = struct.pack(">d", 1.25) * (ARRAY - 1) + struct.pack(">d", -7.5)
    with served.client() as client:
        client.put_bytes("d:big", ARRAY, content)
        assert client.expect(WRITE)[3] == NORMAL
        assert client.read_array("d:big") == content
        client.put_bytes("d:big", 1, content[:8])
        assert client.expect(WRITE)[3] == NORMAL
        assert client.read_array("d:big") == content[:8]


def test_a_client_that_does_not_read_costs_the_others_nothing(served: Served) -> None:
    def content(number: float) -> bytes:
        return struct.pack(">d", number) * ARRAY

    with served.client(receive_buffer=0x10000) as slow, served.client() as busy:
        busy.put_bytes("d:big", ARRAY, content(0))
        assert busy.expect(WRITE)[3] == NORMAL
        slow.monitor("d:big")
        memory = served.memory
        for number in range(1, 13):
            busy.put_bytes("d:big", ARRAY, content(number))
            assert busy.expect(WRITE)[3] == NORMAL
            busy.read("d:plain")
        assert served.memory - memory < 60e6, "events pile up: 12 arrays of 8 MB were written"
        # It reads at last: a few old values, then the newest, nothing torn.
        seen = []
        while not seen or seen[-1] != 12:
            payload = slow.expect(EVENT)[5]
            assert payload == payload[:8] * (len(payload) // 8)
            seen.append(struct.unpack_from(">d", payload)[0])
        assert seen == sorted(set(seen))
        # Requests that it sent meanwhile are answered, too.
        assert slow.read("d:plain") == 1.0
        busy.put_bytes("d:big", 1, content(0)[:8])
        assert busy.expect(WRITE)[3] == NORMAL


def test_a_client_that_asks_but_does_not_read_is_read_no_further(served: Served) -> None:
    """100 reads of 8 MB: neither are they held, nor do others wait; all are answered in the end."""
    with served.client(receive_buffer=0x10000) as greedy, served.client() as other:
        other.put_bytes("d:big", ARRAY, bytes(8 * ARRAY))
        assert other.expect(WRITE)[3] == NORMAL
        memory = served.memory
        for _ in range(20):
            greedy.ask("d:big", DOUBLE)
        assert other.read("d:plain") == 1.0
        assert served.memory - memory < 60e6
        assert {len(greedy.expect(READ)[5]) for _ in range(20)} == {8 * ARRAY}


def test_garbage_closes_its_circuit_alone(served: Served) -> None:
    with served.client() as good, served.client() as bad:
        bad.sock.sendall(b"\xff" * 64)
        with pytest.raises((EOFError, ConnectionError)):
            bad.expect(-1)  # whatever it says, it says no more after that
        assert good.read("d:plain") == 1.0


CAPROTO = """
from caproto.sync.client import subscribe
from one_shot_client import read, write
assert read("d:plain").data[0] == 1.0
write("d:plain", 6.5, notify=True)
assert read("d:plain").data[0] == 6.5
write("d:plain", 1.0, notify=True)
got = []
def on_event(subscription, response):
    got.append(response.data[0])
    if len(got) == 3:
        subscription.clear()
        raise KeyboardInterrupt
monitor = subscribe("d:ticks")
monitor.add_callback(on_event)
monitor.block(timeout=20, repeater=False)
assert got == [got[0], got[0] + 1, got[0] + 2], got
"""


def test_a_client_that_people_use(served: Served) -> None:
    """It finds the IOC by a search over UDP."""
    command = [sys.executable, "-c", CAPROTO]
    environment = served.environment | {"PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
