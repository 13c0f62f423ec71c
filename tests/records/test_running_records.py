"""Records in an IOC that runs: SCAN, hooks of fields, record types of the user's own."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from record_client import RecordClient
from record_script import VALUE

HERE = Path(__file__).parent


@pytest.fixture
def ioc(start_ioc: Callable[..., Any]) -> Any:
    command = [sys.executable, str(HERE / "our_records_ioc.py"), "running_records", "running"]
    return start_ioc(command, env={"PYTHONPATH": str(HERE)})


@pytest.fixture
def client(ioc: Any) -> Iterator[RecordClient]:
    with RecordClient(ioc.port) as connected:
        yield connected


def ticks(client: RecordClient, clock: int, number: int) -> None:
    """Wait for so many turns of a PV that is always scanned."""
    for _ in range(number):
        client.next_event(clock)


def test_scan_at_run_time(client: RecordClient) -> None:
    assert client.text("R:scanned.SCAN") == ".1 second"
    counter = client.subscribe("R:scanned", VALUE)
    first = client.next_event(counter).values[0]
    assert client.next_event(counter).values[0] == first + 1
    client.write("R:scanned.SCAN", "Passive")
    client.pending(counter)
    clock = client.subscribe("R:clock", VALUE)
    ticks(client, clock, 2)
    before = client.value("R:scanned")
    ticks(client, clock, 8)  # twice the period that was
    assert client.value("R:scanned") == before
    client.pending(counter)
    client.write("R:scanned.SCAN", "10 second")
    assert client.next_event(counter).values[0] == before + 1
    client.write("R:scanned.SCAN", ".1 second")  # counts at once, not in 10 s
    assert client.next_event(counter).values[0] == before + 2
    assert client.next_event(counter).values[0] == before + 3


def test_a_period_that_the_menu_does_not_have(client: RecordClient) -> None:
    assert client.text("R:odd.SCAN") == "Passive"
    counter = client.subscribe("R:odd", VALUE)
    client.next_event(counter)
    client.next_event(counter)
    client.write("R:odd.SCAN", ".5 second")
    client.write("R:odd.SCAN", "Passive")  # now it is meant
    clock = client.subscribe("R:clock", VALUE)
    ticks(client, clock, 2)
    before = client.value("R:odd")
    ticks(client, clock, 6)
    assert client.value("R:odd") == before


def test_hooks_of_fields_run_with_the_ioc(client: RecordClient, ioc: Any) -> None:
    phase = client.subscribe("R:started.PHAS", VALUE)
    first = client.next_event(phase).values[0]
    assert client.next_event(phase).values[0] == first + 1
    assert client.text("R:started.DESC") == "started as R:started"
    ioc.stop()
    assert any("stopped R:started.DESC" in line for line in ioc.lines)


def test_a_record_type_of_the_users_own(client: RecordClient) -> None:
    readback = client.subscribe("R:motor.RBV", VALUE)
    assert client.next_event(readback).values == [2.25]
    assert client.open("R:motor.RBV").rights == 1
    assert client.value("R:motor.DRBV") == 1.0
    client.write("R:motor.DMOV", 1)
    client.write("R:motor", 7.0)
    assert client.value("R:motor.DMOV") == 0
    while client.next_event(readback).values != [7.25]:
        pass
    assert client.value("R:motor.TURN") > 0
    assert client.text("R:motor.RTYP") == "wandering_motor"
    assert client.text("R:motor.DIR") == "Pos"
