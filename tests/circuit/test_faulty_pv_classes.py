"""PV classes of an author that raise what no PV should: it costs the request, not the client."""

from typing import Any

import pytest
from circuit_bench import Bench, echo, error_of, read, request, write

from ioc_ops.ca import ChannelType, Command, Eca
from ioc_ops.channel import ChannelDouble

DOUBLE, STRING = ChannelType.DOUBLE, ChannelType.STRING


class Faulty(ChannelDouble):
    """Has forms of its own, and mistakes in them."""

    broken = False

    def wire(self, native: ChannelType, count: int) -> Any:
        if self.broken:
            raise RuntimeError("no such form")
        return super().wire(native, count)

    def decode(self, data_type: int, count: int, payload: Any) -> Any:
        if self.broken:
            raise RuntimeError("no such form")
        return super().decode(data_type, count, payload)


async def _nothing(instance: object, value: object) -> None:
    pass


@pytest.mark.parametrize("hooked", [False, True])
def test_a_put_fails_and_the_circuit_lives_on(
    hooked: bool, bench: type[Bench], caplog: pytest.LogCaptureFixture
) -> None:
    pv = Faulty(0.0, name="d")
    pv.putter = _nothing if hooked else None
    client = bench(pv).connect("d")
    pv.broken = True
    notified, complained, echoed = client.ask(
        write(1, DOUBLE, bytes(8), 1, 7) + write(1, DOUBLE, bytes(8), 1, 8, notify=False) + echo()
    )
    assert (notified.header.parameter1, notified.header.parameter2) == (Eca.PUTFAIL, 7)
    assert error_of(complained)[1] == Eca.PUTFAIL
    assert echoed.header.command == Command.ECHO
    assert client.circuit.waiting == 0
    assert "d: the write failed" in caplog.text
    assert "no such form" in caplog.text


def test_a_get_fails_and_the_circuit_lives_on(
    bench: type[Bench], caplog: pytest.LogCaptureFixture
) -> None:
    pv = Faulty(0.0, name="d")
    client = bench(pv).connect("d")
    client.ask(read(1, DOUBLE))  # known by its bytes from here on
    pv.assign(1.0)
    pv.broken = True
    notified, complained, echoed = client.ask(
        read(1, DOUBLE, 1, 7) + request(Command.READ, STRING, 1, 1, 8) + echo()
    )
    assert (notified.header.parameter1, notified.header.parameter2) == (Eca.GETFAIL, 7)
    assert error_of(complained)[1] == Eca.GETFAIL
    assert echoed.header.command == Command.ECHO
    assert "d: the read failed" in caplog.text
