"""Clients of a running IOC: rights, monitors across a restart, and one that never reads."""

import json
import struct
from collections.abc import Callable
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import pytest
from raw_circuit import RawCircuit

from ioc_ops.ca import AccessRights, Eca

StartIoc = Callable[..., Any]


def counters(circuit: RawCircuit) -> dict[str, Any]:
    text = bytes(circuit.get(circuit.connect("p:counters"), 4).values).decode()
    return dict(json.loads(text))


def test_a_read_only_pv_is_read_by_clients_and_written_by_the_ioc(run_ioc: StartIoc) -> None:
    ioc = run_ioc("plain")
    with RawCircuit(ioc.port) as circuit:
        guarded, number = circuit.connect("p:guarded"), circuit.connect("p:number")
        assert guarded.rights == AccessRights.READ
        assert number.rights == AccessRights.READ_WRITE
        events = circuit.monitor(guarded)
        assert circuit.event(events).value == 7
        assert circuit.put(guarded, 8) == Eca.NOWTACCESS
        assert circuit.get(guarded).value == 7
        assert circuit.put(circuit.connect("p:copied"), 9) == Eca.NORMAL
        assert circuit.event(events).value == 9
        assert circuit.get(guarded).value == 9
        assert counters(circuit)["access_denied"] == 1


def test_monitors_across_reconnects_leave_nothing_behind(run_ioc: StartIoc) -> None:
    ioc = run_ioc("plain")
    with RawCircuit(ioc.port) as writer:
        number = writer.connect("p:number")
        for round_ in range(1, 6):
            with RawCircuit(ioc.port) as circuit:
                channel = circuit.connect("p:number")
                events = [circuit.monitor(channel) for _ in range(10)]
                assert [circuit.event(event).value for event in events] == [round_ - 1] * 10
                before = counters(writer)["events_sent"]
                assert writer.put(number, round_) == Eca.NORMAL
                assert [circuit.event(event).value for event in events] == [round_] * 10
                # One for each that is there, none for those that have gone.
                assert counters(writer)["events_sent"] - before == 10
                if round_ % 2:
                    # Without a farewell, and with bytes on their way.
                    circuit.socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
                    writer.put(number, round_)
    for _ in range(2):
        with RawCircuit(ioc.port) as circuit:
            events = [circuit.monitor(circuit.connect("p:number"))]
            first = circuit.event(events[0]).value
            assert circuit.put(circuit.connect("p:number"), first + 1) == Eca.NORMAL
            assert circuit.event(events[0]).value == first + 1
            ioc.restart()
            with pytest.raises((EOFError, ConnectionResetError)):
                circuit.receive()


ELEMENTS = 10_000
WRITES = 1_000


@pytest.mark.parametrize("stuck", ["reads later", "never reads"])
def test_a_client_that_does_not_read_costs_the_others_nothing(
    run_ioc: StartIoc, stuck: str
) -> None:
    ioc = run_ioc("plain")
    with (
        RawCircuit(ioc.port) as good,
        RawCircuit(ioc.port, receive_buffer=4096) as bad,
    ):
        image, number = good.connect("p:image"), good.connect("p:number")
        ticks = good.monitor(number)
        assert good.event(ticks).value == 0
        seen_by_bad = bad.connect("p:image")
        images = bad.monitor(seen_by_bad)
        assert bad.event(images).value == 0.0
        before, memory = bad.bytes_received, counters(good)["rss"]

        # 80 MB for the one that does not read; the other gets every single event meanwhile.
        for number_written in range(1, WRITES + 1):
            first = good.start_put(image, *[float(number_written)] * ELEMENTS)
            second = good.start_put(number, number_written)
            assert good.event(ticks).value == number_written
            assert good.put_status(first) == Eca.NORMAL
            assert good.put_status(second) == Eca.NORMAL
        seen = counters(good)
        assert seen["events_replaced"] > WRITES / 2
        assert seen["rss"] - memory < 20_000_000

        if stuck == "reads later":
            # It gets some that were on their way, then at once the newest, and that is all.
            events = list(bad.events_until(images, lambda event: event.value == WRITES))
            values = [event.value for event in events]
            assert values == sorted(set(values))
            assert len(values) < WRITES / 2
            assert bad.bytes_received - before < WRITES * ELEMENTS * 8 / 2
            assert {len(event.values) for event in events} == {ELEMENTS}
            # From here on it is a client like any other.
            assert good.put(image, -1.0) == Eca.NORMAL
            assert bad.event(images).values == [-1.0]
        else:
            bad.socket.close()
            assert good.put(number, 0) == Eca.NORMAL
            assert good.event(ticks).value == 0
    ioc.stop()


def test_a_client_that_asks_and_does_not_read_is_not_served_without_end(run_ioc: StartIoc) -> None:
    ioc = run_ioc("plain")
    with (
        RawCircuit(ioc.port) as good,
        RawCircuit(ioc.port, receive_buffer=4096) as bad,
    ):
        image = good.connect("p:image")
        assert good.put(image, *[1.0] * ELEMENTS) == Eca.NORMAL
        memory = counters(good)["rss"]
        seen_by_bad = bad.connect("p:image")
        bad.socket.settimeout(1)
        request = bytes.fromhex("000f 0000 0006 0000") + seen_by_bad.sid.to_bytes(4, "big")
        requests = (request + bytes(4)) * 1_000_000
        with pytest.raises(TimeoutError):  # its requests are no longer taken
            bad.socket.sendall(requests)
        assert good.get(image, count=1).value == 1.0
        assert counters(good)["rss"] - memory < 20_000_000
