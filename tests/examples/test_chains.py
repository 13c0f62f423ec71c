"""IOCs that are clients of other IOCs."""

from collections.abc import Callable
from typing import Any

import pytest

NONE, MAJOR = 0, 2  # alarm severities
NO_ALARM, LINK = 0, 14  # alarm status


HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def hosts(free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Environments of IOCs that all clients find, as if each were on a host of its own.

    A search that is sent to 127.0.0.1 reaches one of the IOCs of a port, not all.
    """
    ports = [str(free_port()) for _ in range(3)]
    monkeypatch.setenv("EPICS_CA_ADDR_LIST", " ".join(f"{HOST}:{port}" for port in ports))
    return iter([{"EPICS_CAS_SERVER_PORT": port} for port in ports])


def test_client_monitor(example: Any, hosts: Any, connected: Any) -> None:
    mirror = example("client_monitor", env=next(hosts))
    client = connected("mirror:mirrored")
    before = client("read", "mirror:mirrored")
    assert (before["value"], before["status"], before["severity"]) == (0, LINK, MAJOR)
    client("monitor", "mirror:mirrored")
    assert client.next_value("mirror:mirrored") == 0

    # The other one may come later.
    source = example("simple", env=next(hosts))
    event = client("event", "mirror:mirrored", timeout=30)
    assert (event["value"], event["severity"]) == (1, NONE)
    client("connect", "simple:A")
    client.put("simple:A", 7)
    assert client.next_value("mirror:mirrored") == 7
    theirs, ours = client("read", "simple:A"), client("read", "mirror:mirrored")
    assert ours["timestamp"] == theirs["timestamp"]
    assert (ours["status"], ours["severity"]) == (NO_ALARM, NONE)
    assert mirror.prints("simple:A is 7.0")  # after the write that the client has seen

    source.kill()
    event = client("event", "mirror:mirrored")
    assert (event["value"], event["severity"]) == (7, MAJOR)
    assert client("read", "mirror:mirrored")["status"] == LINK


def test_mirror(example: Any, hosts: Any, connected: Any) -> None:
    example("simple", "--prefix", "first:", env=next(hosts))
    example("mirror", "--target", "first:B", env=next(hosts))
    client = connected("first:B", "mirror:value")
    client("monitor", "mirror:value")
    while client.next_value("mirror:value") != 2:
        pass
    client.put("first:B", 5.25)
    assert client.next_value("mirror:value") == 5.25
    theirs, ours = client("read", "first:B"), client("read", "mirror:value")
    assert ours["timestamp"] == theirs["timestamp"]


def test_a_chain_of_three(example: Any, hosts: Any, connected: Any) -> None:
    example("mirror", "--target", "second:value", "--prefix", "third:", env=next(hosts))
    example("mirror", "--target", "first:B", "--prefix", "second:", env=next(hosts))
    example("simple", "--prefix", "first:", env=next(hosts))
    client = connected("first:B", "third:value")
    client("monitor", "third:value")
    while client("event", "third:value", timeout=30)["value"] != 2:
        pass
    client.put("first:B", -3)
    assert client.next_value("third:value") == -3
