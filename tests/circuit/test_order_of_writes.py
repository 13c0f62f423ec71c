"""Fields that act on their record wait behind the writes to it, and it behind them."""

import struct
from typing import Any

from circuit_bench import Bench, Pause, event, values, write

from ioc_ops.group import PVGroup, pvproperty
from ioc_ops.records import fields_of

DOUBLE, LONG, STRING = 6, 5, 0


def number(value: float) -> bytes:
    return struct.pack(">d", value)


def integer(value: int) -> bytes:
    return struct.pack(">i", value)


class Group(PVGroup):
    """Its putter notes what it is given, and waits until the test lets it go on."""

    x = pvproperty(value=0.0, record="ao")
    bits = pvproperty(value=0, record="mbboDirect")
    asked = pvproperty(value=0.0, record="ai")
    state = pvproperty(value=False, record="bo", enum_strings=["off", "on"])

    def __init__(self) -> None:
        super().__init__("")
        self.seen: list[Any] = []
        self.gates: list[Pause] = []
        self.stopped = 0

    async def wait(self, value: Any) -> None:
        self.seen.append(value)
        self.gates.append(Pause())
        await self.gates[-1]

    @x.putter
    async def x(self, instance: Any, value: float) -> None:
        await self.wait(value)

    @x.fields.PHAS.putter
    async def x(fields: Any, instance: Any, value: float) -> None:  # noqa: N805
        fields.parent.group.stopped += 1

    @asked.getter
    async def asked(self, instance: Any) -> float:
        await self.wait("get")
        return 7.0

    @state.putter
    async def state(self, instance: Any, value: str) -> None:
        await self.wait(value)


def let_all_through(ioc: Bench, group: Group) -> None:
    for _ in range(10):
        ioc.run_tasks()
        for gate in group.gates:
            gate.over = True


def test_proc_runs_behind_the_writes_that_wait(bench: type[Bench]) -> None:
    group = Group()
    ioc = bench(group.x)
    client = ioc.connect("x", "x.PROC")
    client.feed(write(1, DOUBLE, number(1)) + write(2, LONG, integer(1)))
    client.feed(write(1, DOUBLE, number(3)) + write(2, LONG, integer(1)))
    ioc.run_tasks()
    assert group.seen == [1.0]
    let_all_through(ioc, group)
    assert group.seen == [1.0, 1.0, 3.0, 3.0]
    assert len(client.replies()) == 4
    assert (group.x.puts, group.x.fields["PROC"].puts, client.circuit.waiting) == (None, None, 0)


def test_a_bit_and_its_value_are_written_in_the_order_they_come(bench: type[Bench]) -> None:
    group = Group()
    ioc = bench(group.bits)
    client = ioc.connect("bits", "bits.B0", "bits.B1")
    client.ask(event(1, 1, LONG))
    client.feed(
        write(2, LONG, integer(1))
        + write(3, LONG, integer(1))
        + write(1, LONG, integer(8))
        + write(2, LONG, integer(1))
    )
    let_all_through(ioc, group)
    assert group.bits.value == 9
    seen = [values(m)[0] for m in client.replies() if m.header.command == 1]
    assert seen == [1, 3, 8, 9]


def test_a_value_waits_behind_a_proc_that_reads(bench: type[Bench]) -> None:
    group = Group()
    ioc = bench(group.asked)
    client = ioc.connect("asked", "asked.PROC")
    client.feed(write(2, LONG, integer(1)) + write(1, DOUBLE, number(3)))
    let_all_through(ioc, group)
    assert group.seen == ["get"]
    assert group.asked.value == 3.0


def test_an_index_waits_as_its_state_does(bench: type[Bench]) -> None:
    group = Group()
    ioc = bench(group.state)
    client = ioc.connect("state", "state.RVAL")
    client.feed(write(1, STRING, b"on".ljust(8, b"\0")) + write(2, LONG, integer(0)))
    ioc.run_tasks()
    assert group.seen == ["on"]
    let_all_through(ioc, group)
    assert group.seen == ["on", "off"]


def test_a_hook_of_a_field_waits_for_nobody_elses_putter(bench: type[Bench]) -> None:
    # A motor must hear of STOP while it moves.
    group = Group()
    ioc = bench(group.x)
    client = ioc.connect("x", "x.PHAS")
    client.feed(write(1, DOUBLE, number(1)) + write(2, LONG, integer(1)))
    ioc.run_tasks()
    assert (group.seen, group.stopped) == ([1.0], 1)
    let_all_through(ioc, group)


def test_a_field_that_is_made_while_writes_wait_forgets_none(bench: type[Bench]) -> None:
    group = Group()
    ioc = bench(group.x)
    client = ioc.connect("x")
    client.feed(write(1, DOUBLE, number(1)) + write(1, DOUBLE, number(2)))
    ioc.run_tasks()
    for name in fields_of("ao"):
        assert group.x.fields[name] is not None
    assert group.x.puts is not None
    let_all_through(ioc, group)
    assert group.seen == [1.0, 2.0]
