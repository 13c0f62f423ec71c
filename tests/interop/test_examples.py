"""The examples as processes, exercised by the clients that people use."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

NONE, MAJOR, INVALID = 0, 2, 3  # alarm severities

# For tests of names and values, which know of no library, and for those that take seconds: of what
# they do tests/drivers has the library's part, on each.
ONE_LIBRARY = pytest.mark.parametrize("library", ["asyncio"], indirect=True)


def connected(client: Any, *pvs: str) -> None:
    for pv in pvs:
        client("connect", pv)


# --- simple ---------------------------------------------------------------------------------


def test_simple_read_and_write(ioc: Any, client: Any) -> None:
    ioc("ioc_ops.examples.simple")
    connected(client, "simple:A", "simple:B", "simple:C")
    assert client.value("simple:A") == 1
    assert client.value("simple:B") == 2.0
    assert client.value("simple:C") == [1, 2, 3]
    assert client("describe", "simple:C")["count"] == 3

    client.put("simple:A", -7)
    client.put("simple:B", 5)
    client.put("simple:C", [4, 5, 6])
    assert client.value("simple:A") == -7
    assert client.value("simple:B") == 5.0
    assert client.value("simple:C") == [4, 5, 6]

    client.put("simple:C", [9, 8])
    assert client.value("simple:C") == [9, 8]


@ONE_LIBRARY
def test_simple_prefix(ioc: Any, client: Any) -> None:
    ioc("ioc_ops.examples.simple", "--prefix", "other:")
    connected(client, "other:A")
    assert client.value("other:A") == 1


def test_simple_monitor(ioc: Any, client: Any) -> None:
    ioc("ioc_ops.examples.simple")
    connected(client, "simple:A", "simple:C")
    client("monitor", "simple:A")
    assert client.next_value("simple:A") == 1
    client.put("simple:A", 2, wait=False)
    assert client.next_value("simple:A") == 2
    client.put("simple:A", 3)
    first = client("event", "simple:A")
    client.put("simple:A", 4)
    second = client("event", "simple:A")
    assert (first["value"], second["value"]) == (3, 4)
    assert first["severity"] == second["severity"] == NONE
    assert second["timestamp"] > first["timestamp"]

    client("monitor", "simple:C")
    assert client.next_value("simple:C") == [1, 2, 3]
    client.put("simple:C", [7, 8, 9], wait=False)
    assert client.next_value("simple:C") == [7, 8, 9]

    client("unmonitor", "simple:A")
    client.put("simple:A", 5)
    assert client.value("simple:A") == 5  # by now an event would have come before this reply
    assert client("event", "simple:A", timeout=0) is None


def test_simple_disconnect_and_connect_again(ioc: Any, client: Any) -> None:
    ioc("ioc_ops.examples.simple")
    connected(client, "simple:A")
    client.put("simple:A", 3)
    client("disconnect", "simple:A")
    connected(client, "simple:A")
    assert client.value("simple:A") == 3


@ONE_LIBRARY
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_simple_all_clients_reconnect_after_restart(ioc: Any, clients: Any, end: str) -> None:
    process = ioc("ioc_ops.examples.simple")
    clients[0]("connect", "simple:A")
    clients[0].put("simple:A", 2)
    for client in clients:
        connected(client, "simple:A", "simple:B")
        client("monitor", "simple:A")
        assert client.next_value("simple:A") == 2

    getattr(process, end)()
    for client in clients:
        client("wait_connected", "simple:A", connected=False)
    process.restart()
    for number, client in enumerate(clients, 10):
        client("wait_connected", "simple:A", connected=True)
        # The subscription lives again, beginning with the value of the new IOC.
        assert client.next_value("simple:A") == 1
        client("wait_connected", "simple:B", connected=True)
        client.put("simple:B", number)
        assert client.value("simple:B") == number
    clients[0].put("simple:A", 4)
    assert [client.next_value("simple:A") for client in clients] == [4] * len(clients)


# --- random_walk ----------------------------------------------------------------------------


@ONE_LIBRARY
def test_random_walk(ioc: Any, client: Any) -> None:
    ioc("ioc_ops.examples.random_walk")
    connected(client, "random_walk:dt", "random_walk:x")
    assert client.value("random_walk:dt") == 3.0
    client("monitor", "random_walk:x")
    client.put("random_walk:dt", 0.05)
    # The step under way still takes up to 3 s.
    events = [client("event", "random_walk:x") for _ in range(6)]
    assert None not in events
    assert all(
        0 < abs(after["value"] - before["value"]) <= 1 for before, after in pairwise(events[1:])
    )
    gaps = [after["timestamp"] - before["timestamp"] for before, after in pairwise(events[1:])]
    assert all(gap > 0.04 for gap in gaps)
    assert min(gaps) < 2.0  # each of them was 3 s before


# --- custom_write ---------------------------------------------------------------------------


@ONE_LIBRARY
def test_custom_write(ioc: Any, client: Any, tmp_path: Path) -> None:
    ioc("ioc_ops.examples.custom_write", env={"TMPDIR": str(tmp_path)})
    connected(client, "custom_write:A", "custom_write:B")
    client.put("custom_write:A", 5)
    # Completion means that the file is there.
    assert (tmp_path / "A").read_text() == "5"
    assert not (tmp_path / "B").exists()

    client("monitor", "custom_write:A")
    assert client.next_value("custom_write:A") == 5
    client.put("custom_write:A", 10, wait=False)
    assert client.next_value("custom_write:A") == 10
    assert (tmp_path / "A").read_text() == "10"

    client.put("custom_write:B", -1)
    assert (tmp_path / "B").read_text() == "-1"
    assert (tmp_path / "A").read_text() == "10"


def test_custom_write_that_fails(ioc: Any, client: Any, tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()  # a file of this name cannot be written
    ioc("ioc_ops.examples.custom_write", env={"TMPDIR": str(tmp_path)}, expect_traceback=True)
    connected(client, "custom_write:A", "custom_write:B")
    if client.name == "pyepics":  # it drops the status of a put-callback
        client.put("custom_write:A", 5)
    else:
        with pytest.raises(Exception, match=r"(?i)fail|is a directory|error"):
            client.put("custom_write:A", 5)
    after = client("read", "custom_write:A")
    assert after["value"] == 0
    assert after["severity"] >= MAJOR

    # The other PV and the circuit live on.
    client.put("custom_write:B", 6)
    assert (tmp_path / "B").read_text() == "6"
    assert client("read", "custom_write:B")["severity"] == NONE

    # So does this one, once the cause is gone.
    (tmp_path / "A").rmdir()
    client.put("custom_write:A", 7)
    assert client("read", "custom_write:A")["severity"] == NONE


# --- autosave -------------------------------------------------------------------------------

SAVED = {
    "autosaved_simple:A": -2147483648,
    "autosaved_simple:A.DESC": "of mine",
    "autosaved_simple:C": [3, 2, 1],
    "autosaved_simple:subgroup:A": 2147483647,
    "autosaved_simple:subgroup:C": [-1, 0, 1],
}
SAVE_PV = "autosaved_simple:autosave_helper:SAVE"
NOT_SAVED = ("autosaved_simple:B", "autosaved_simple:subgroup:B")


@ONE_LIBRARY
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_autosave(ioc: Any, client: Any, end: str) -> None:
    process = ioc("ioc_ops.examples.autosave")
    connected(client, *SAVED, *NOT_SAVED)
    for pv, value in SAVED.items():
        assert client.value(pv) != value
        client.put(pv, value)
    for pv in NOT_SAVED:
        client.put(pv, 99.5)
    if end == "kill":  # an orderly stop saves by itself
        client("connect", SAVE_PV)
        client.put(SAVE_PV, 1)
    getattr(process, end)()
    process.restart()
    client.renew()  # a channel that lost its IOC would be sought again only after 10 s
    connected(client, *SAVED, *NOT_SAVED)
    assert {pv: client.value(pv) for pv in SAVED} == SAVED
    assert {pv: client.value(pv) for pv in NOT_SAVED} == dict.fromkeys(NOT_SAVED, 2.0)


# --- demo_ioc: the types that the others do not have ------------------------------------------


@ONE_LIBRARY
def test_demo_ioc_enum_string_and_metadata(ioc: Any, client: Any) -> None:
    ioc("ioc_ops.examples.demo_ioc")
    connected(client, "demo:mode", "demo:label", "demo:setpoint", "demo:waveform")
    assert client.value("demo:mode") == 0
    assert client.value("demo:mode", text=True) == "HOLD"
    assert client("describe", "demo:mode")["enum_strings"] == ["HOLD", "FOLLOW", "FOLLOW_SLOWLY"]
    client.put("demo:mode", 2)
    assert client.value("demo:mode", text=True) == "FOLLOW_SLOWLY"
    client.put("demo:mode", "FOLLOW")
    assert client.value("demo:mode") == 1

    assert client.value("demo:label") == "unnamed"
    client.put("demo:label", "x" * 39)  # the longest string of a DBR_STRING
    assert client.value("demo:label") == "x" * 39

    described = client("describe", "demo:setpoint")
    assert (described["units"], described["precision"], described["count"]) == ("mm", 3, 1)

    values = [0.1, -1e-300, 1e300, 3.0, 4.0, 5.0, 6.0, 7.0]
    client.put("demo:waveform", values)
    assert client.value("demo:waveform") == values


def test_demo_ioc_moves_and_refuses(ioc: Any, client: Any) -> None:
    ioc("ioc_ops.examples.demo_ioc")
    connected(client, "demo:mode", "demo:setpoint", "demo:readback")
    client("monitor", "demo:readback")
    client.put("demo:mode", 1)
    client.put("demo:setpoint", 3.0)
    while client.next_value("demo:readback") != 3.0:
        pass

    if client.name == "pyepics":
        client.put("demo:setpoint", 1000.0)
    else:
        with pytest.raises(Exception, match=r"(?i)fail|limit|exceed|outside|beyond"):
            client.put("demo:setpoint", 1000.0)
    assert client.value("demo:setpoint") == 3.0
