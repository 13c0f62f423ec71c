"""Filtered channels on a circuit: events and reads, writes, and what is left when they end."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ioc_ops.ca import ChannelType, Command, EventMask, Message, pack_header, parse, unpack_payload
from ioc_ops.ca.dbr import LAYOUTS, NATIVE_DTYPES
from ioc_ops.channel import (
    AccessRights,
    ChannelByte,
    ChannelChar,
    ChannelData,
    ChannelDouble,
    ChannelInteger,
    ChannelString,
    Payload,
)
from ioc_ops.server import PVGroup, SubGroup, pvproperty
from ioc_ops.server.circuit import Circuit
from ioc_ops.server.context import Context


class Line:
    """A circuit and both ends of its wire."""

    def __init__(self, context: Context) -> None:
        self.full = False
        self.closed = False
        self._out = b""
        self._cid = 0
        self.circuit = Circuit(context, self, "127.0.0.1:1")
        self.ask(Command.VERSION, 0, 13, 0, 0)

    # what a driver does
    def write(self, chunks: list[Payload]) -> bool:
        self._out += b"".join(chunks)
        return not self.full

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def close(self) -> None:
        self.closed = True

    # what a client does
    def ask(
        self, command: int, data_type: int, count: int, p1: int, p2: int, payload: bytes = b""
    ) -> list[Message]:
        payload += bytes(-len(payload) % 8)
        head = pack_header(command, len(payload), data_type, count, p1, p2)
        self.circuit.receive(head + payload)
        return self.answers()

    def answers(self) -> list[Message]:
        """What has been sent since."""
        self.circuit.context.outbox.flush()
        found, start = [], 0
        while (taken := parse(self._out, start)) is not None:
            message, start = taken
            found.append(message)
        self._out = self._out[start:]
        return found

    def create(self, name: str, minor: int = 13) -> tuple[int, int, int] | None:
        """sid, native type and count, or None."""
        self._cid += 1
        payload = name.encode() + b"\0"
        header = self.ask(Command.CREATE_CHAN, 0, 0, self._cid, minor, payload)[-1].header
        if header.command == Command.CREATE_CH_FAIL:
            return None
        return header.parameter2, header.data_type, header.count

    def monitor(self, name: str, number: int, mask: int = 5) -> tuple[int, list[Any]]:
        """The channel's sid, and the values of the first event, [] when there is none."""
        made = self.create(name)
        assert made is not None
        sid, native, _ = made
        payload = bytes(12) + mask.to_bytes(2, "big") + bytes(2)
        messages = self.ask(Command.EVENT_ADD, native, 0, sid, number, payload)
        return sid, [value for message in messages for value in values(message)]

    def events(self) -> list[Any]:
        """The values of what has been sent since."""
        return [values(message) for message in self.answers()]

    def read(self, sid: int, data_type: int, count: int = 0) -> list[Any]:
        (message,) = self.ask(Command.READ_NOTIFY, data_type, count, sid, 1)
        return values(message)


def values(message: Message) -> list[Any]:
    header = message.header
    _, raw = unpack_payload(header.data_type, header.count, message.payload)
    found: list[Any] = np.frombuffer(raw, NATIVE_DTYPES[LAYOUTS[header.data_type].native]).tolist()
    return found


Serve = Callable[..., Line]


@pytest.fixture
def serve() -> Serve:
    """A client of an IOC with these PVs."""

    def make(*channels: ChannelData) -> Line:
        context = Context({channel.name: channel for channel in channels})
        context.attach(lambda flush: None, lambda work, name: work.close(), lambda: None)
        return Line(context)

    return make


def number(name: str = "pv", value: float = 0.0) -> ChannelDouble:
    return ChannelDouble(value, name=name)


# -- the end ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "modifiers", ["{dbnd:{abs:1}}", "{ts:{}}", "{ts:{num:'sec'}}", "{dec:{n:2}}"]
)
def test_nothing_is_left_in_the_pv(serve: Serve, modifiers: str) -> None:
    pv = number()
    line = serve(pv)
    sid, first = line.monitor(f"pv.{modifiers}", 1)
    line.monitor(f"pv.{modifiers}", 2)
    other, _ = line.monitor(f"pv.{modifiers}", 3)
    assert len(first) == 1
    assert pv.feeds
    line.ask(Command.EVENT_CANCEL, 6, 0, sid, 1)
    line.ask(Command.CLEAR_CHANNEL, 0, 0, other, 3)
    pv.assign(5.0)
    pv.assign(9.0)
    assert {message.header.parameter2 for message in line.answers()} == {2}
    line.circuit.closed()
    assert not pv.feeds
    pv.assign(6.0)


def test_each_subscription_has_filters_of_its_own(serve: Serve) -> None:
    pv = number()
    line = serve(pv)
    assert line.monitor("pv.{dec:{n:2}}", 1)[1] == [0.0]
    pv.assign(1.0)
    assert line.events() == []
    assert line.monitor("pv.{dec:{n:2}}", 2)[1] == [1.0]
    pv.assign(2.0)  # the second of one, the third of the other
    assert [m.header.parameter2 for m in line.answers()] == [1]
    pv.assign(3.0)
    assert [m.header.parameter2 for m in line.answers()] == [2]


# -- the beginning, and pressure -------------------------------------------------------------


class StateGroup(PVGroup):
    states = {"red": False}
    value = pvproperty(value=0.0)

    class Inner(PVGroup):
        states = {"blue": True}
        value = pvproperty(value=0.0)

    inner = SubGroup(Inner, prefix="in:")


async def enter(group: PVGroup, state: str, value: bool) -> None:
    async with group.update_state(state, value):
        assert group.states[state] is value


def run(work: Any) -> None:
    with pytest.raises(StopIteration):
        work.send(None)


def test_a_filter_may_drop_the_first_event(serve: Serve) -> None:
    group = StateGroup("g:")
    line = serve(*group.pvdb.values())
    sid, first = line.monitor("g:value.{sync:{while:'red'}}", 1)
    assert first == []
    assert line.read(sid, ChannelType.DOUBLE) == [0.0]
    run(enter(group, "red", True))
    assert line.events() == []
    group.value.assign(2.0)
    assert line.events() == [[2.0]]
    run(enter(group.inner, "red", False))
    group.value.assign(3.0)
    assert line.events() == []


def test_the_states_of_a_tree_of_groups_are_one(serve: Serve) -> None:
    group, other = StateGroup("g:"), StateGroup("o:")
    assert group.states is group.inner.states
    assert group.states == {"red": False, "blue": True}
    line = serve(*group.pvdb.values(), *other.pvdb.values(), number())
    assert line.create("g:value.{sync:{while:'blue'}}") is not None
    assert line.create("g:in:value.{sync:{while:'red'}}") is not None
    assert line.create("pv.{sync:{while:'red'}}") is None
    run(enter(group, "red", True))
    assert other.states["red"] is False
    assert StateGroup.states == {"red": False}


def test_a_group_keeps_the_dictionary_it_was_given() -> None:
    given: dict[str, bool] = {}

    class Given(PVGroup):
        def __init__(self) -> None:
            self.states = given
            super().__init__("g:")

    group = Given()
    run(enter(group, "new", True))
    assert given == {"new": True}


def test_a_slow_client_gets_the_newest_that_has_passed(serve: Serve) -> None:
    pv = number()
    line = serve(pv)
    line.monitor("pv.{dbnd:{abs:1}}", 1)
    line.full = True
    pv.assign(5.0)
    assert line.events() == [[5.0]]  # the last for which there was room
    for value in (10.0, 20.0, 20.5):
        pv.assign(value)
    assert line.events() == []
    line.full = False
    line.circuit.drained()
    assert line.events() == [[20.0]]


def test_events_off_and_on(serve: Serve) -> None:
    pv = number()
    line = serve(pv)
    line.ask(Command.EVENTS_OFF, 0, 0, 0, 0)
    assert line.monitor("pv.{dbnd:{abs:1}}", 1)[1] == []
    pv.assign(0.5)
    line.circuit.receive(pack_header(Command.EVENTS_ON, 0, 0, 0, 0, 0))
    assert line.events() == [[0.0]]


# -- what a view has from its PV -------------------------------------------------------------


def test_writes_go_to_the_pv_whatever_the_filters(serve: Serve) -> None:
    pv = ChannelDouble([1.0, 2.0, 3.0], name="pv", max_length=5)
    line = serve(pv)
    made = line.create("pv.[1:2]{ts:{}}")
    assert made is not None
    assert made[1:] == (ChannelType.DOUBLE, 2)
    payload = np.array([7, 8, 9, 10], ">f8").tobytes()
    (reply,) = line.ask(Command.WRITE_NOTIFY, ChannelType.DOUBLE, 4, made[0], 1, payload)
    assert reply.header.parameter1 == 1
    assert list(pv.value) == [7, 8, 9, 10]
    assert line.read(made[0], ChannelType.DOUBLE) == [8, 9]


def test_hooks_are_the_pvs_and_writes_keep_their_order(serve: Serve) -> None:
    pv = number()
    written: list[float] = []

    async def putter(instance: ChannelData, value: float) -> None:
        written.append(value)

    async def getter(instance: ChannelData) -> float:
        return 42.0

    pv.putter, pv.getter = putter, getter
    context_line = serve(pv)
    spawned: list[Any] = []
    context_line.circuit.context.spawn = lambda work, name: spawned.append(work)
    plain, view = context_line.create("pv"), context_line.create("pv.{dec:{n:2}}")
    assert plain is not None
    assert view is not None
    for sid, value in ((view[0], 1.0), (plain[0], 2.0), (view[0], 3.0)):
        payload = np.array(value, ">f8").tobytes()
        assert context_line.ask(Command.WRITE_NOTIFY, 6, 1, sid, 1, payload) == []
    assert len(spawned) == 1
    while spawned:  # each put is a task, begun when the one before it is through
        run(spawned.pop())
    assert written == [1.0, 2.0, 3.0]
    assert len(context_line.answers()) == 3
    assert pv.puts is None
    context_line.ask(Command.READ_NOTIFY, 6, 1, view[0], 9)
    run(spawned.pop())
    assert context_line.events() == [[42.0]]


def test_access_is_the_pvs(serve: Serve) -> None:
    class Guarded(ChannelDouble):
        def check_access(self, hostname: str, username: str) -> AccessRights:
            return AccessRights.READ

    line = serve(Guarded(1.0, name="pv"))
    made = line.create("pv.{dec:{n:1}}")
    assert made is not None
    (reply,) = line.ask(Command.WRITE_NOTIFY, 6, 1, made[0], 1, bytes(8))
    assert reply.header.parameter1 != 1


def test_a_read_is_never_answered_from_memory(serve: Serve) -> None:
    pv = number()
    line = serve(pv)
    made = line.create("pv.{ts:{}}")
    assert made is not None
    for value in (1.0, 1.0, 2.0):
        pv.assign(value)
        assert line.read(made[0], ChannelType.DOUBLE, 1) == [value]


def test_filters_change_nothing_for_others(serve: Serve) -> None:
    pv = number()
    line = serve(pv)
    line.monitor("pv.{dbnd:{abs:10}}", 1)
    line.monitor("pv", 2)
    for value in (1.0, 2.0, 3.0):
        pv.assign(value)
    assert line.events() == [[1.0], [2.0], [3.0]]


def test_properties_and_alarms_reach_those_who_ask(serve: Serve) -> None:
    pv = ChannelDouble(0.0, name="pv", upper_warning_limit=5, lower_warning_limit=-5)
    line = serve(pv)
    line.monitor("pv.{dbnd:{abs:100}}", 1, int(EventMask.ALARM))
    line.monitor("pv.{dec:{n:3}}", 2, int(EventMask.PROPERTY))
    for value in (1.0, 6.0, 7.0, 1.0):
        pv.assign(value)
    assert line.events() == [[6.0], [1.0]]
    pv.update_metadata(units="mm")
    pv.update_metadata(units="cm")
    assert [m.header.parameter2 for m in line.answers()] == [2, 2]


# -- long strings ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pv", "capacity"),
    [
        (ChannelString("hello", name="pv"), 81),
        (ChannelString("hello", name="pv", long_string_max_length=200), 200),
        (ChannelChar("hello", name="pv", max_length=20), 20),
        (ChannelChar("hello", name="pv", max_length=20, report_as_string=True), 20),
        (ChannelByte(b"hello", name="pv", max_length=20), 20),
    ],
)
@pytest.mark.parametrize("name", ["pv$", "pv.$", "pv.VAL$"])
def test_text_as_characters(serve: Serve, pv: ChannelData, capacity: int, name: str) -> None:
    pv.restore("hello")
    line = serve(pv)
    made = line.create(name)
    assert made is not None
    sid, native, count = made
    assert (native, count) == (ChannelType.CHAR, capacity)
    assert bytes(line.read(sid, ChannelType.CHAR)) == b"hello\0"
    _, first = line.monitor(name, 1)
    assert bytes(first) == b"hello\0"
    line.ask(Command.WRITE, ChannelType.CHAR, 3, sid, 1, b"bye")
    assert pv.value in ("bye", b"bye")
    assert [bytes(event) for event in line.events()] == [b"bye\0"] or pv.value in ("bye", b"bye")


def test_long_text_is_whole_and_cut_between_characters(serve: Serve) -> None:
    pv = ChannelString("x" * 60, name="pv")
    line = serve(pv)
    made = line.create("pv$")
    assert made is not None
    assert bytes(line.read(made[0], ChannelType.CHAR)) == b"x" * 60 + b"\0"
    pv.restore("ä" * 60)  # 120 bytes; 80 fit
    assert bytes(line.read(made[0], ChannelType.CHAR)) == "ä".encode() * 40 + b"\0"
    pv.restore("x" + "ä" * 60)
    assert bytes(line.read(made[0], ChannelType.CHAR)) == b"x" + "ä".encode() * 39 + b"\0"


@pytest.mark.parametrize(
    "pv", [number(), ChannelString(["a", "b"], name="pv"), ChannelInteger([1, 2])]
)
def test_only_a_text_is_a_long_string(serve: Serve, pv: ChannelData) -> None:
    pv.name = "pv"
    assert serve(pv).create("pv.$") is None


# -- names -----------------------------------------------------------------------------------


class Record(ChannelDouble):
    """A PV with fields."""

    def get_field(self, field: str) -> ChannelData:
        fields: dict[str, ChannelData] = {"DESC": ChannelString("of a record", name="rec.DESC")}
        try:
            return fields[field]
        except KeyError:
            raise AttributeError(field) from None


def test_fields_are_asked_of_the_pv(serve: Serve) -> None:
    line = serve(Record(1.0, name="rec"), number("plain"))
    desc, long = line.create("rec.DESC"), line.create("rec.DESC$[0:1]")
    assert desc is not None
    assert desc[1:] == (ChannelType.STRING, 1)
    assert long is not None
    assert bytes(line.read(long[0], ChannelType.CHAR)) == b"o\0"
    assert line.create("rec.EGU") is None
    assert line.create("plain.DESC") is None
    assert line.create("plain.VAL") is not None


def test_pvs_with_dots_and_braces_in_their_names(serve: Serve) -> None:
    line = serve(number("a", 1), number("a.VAL", 2), number("a.b{c}", 3), number("a.[0]", 4))
    expected = {
        "a.VAL": 2,
        "a.VAL.VAL": 2,
        "a.VAL{dec:{n:1}}": 2,
        "a.{dec:{n:1}}": 1,
        "a.": 1,
        "a.b{c}": 3,
        "a.b{c}{dec:{n:1}}": 3,
        "a.b{c}.VAL": 3,
        "a.[0]": 4,
    }
    found = {name: line.create(name) for name in expected}
    got = {name: line.read(made[0], 6)[0] for name, made in found.items() if made is not None}
    assert got == expected
    assert line.create("a.b") is None


def test_a_bad_filter_is_no_channel(serve: Serve) -> None:
    line = serve(number())
    context = line.circuit.context
    for name in ("pv.{dbnd:{abs:'x'}}", "pv.{", "pv.{no:{}}", "pv.[x]", "pv.{" + "{a:" * 90):
        # A search is for the PV (dbChannelTest); the channel is what fails.
        assert context.has(name)
        assert line.create(name) is None
        assert context.find(name) is None
    for name in ("pv.VAL(", "pv{ts:{}}", "pv.NONE{ts:{}}", "pv.{" + "{a:" * 500):
        assert not context.has(name)
        assert line.create(name) is None
    assert not line.closed
    assert context.has("pv.{ts:{}}")
    assert not line.circuit.context.has("other.{ts:{}}")


def test_a_search_costs_the_pv_nothing(serve: Serve) -> None:
    pv = number()
    line = serve(pv)
    for _ in range(3):
        assert line.circuit.context.has("pv.{dbnd:{abs:1}}")
    assert not pv.feeds


# -- old clients -----------------------------------------------------------------------------


@pytest.mark.parametrize(("minor", "count"), [(8, 0xFFFE), (9, 100_000), (13, 100_000)])
def test_how_large_an_array_an_old_client_is_told(serve: Serve, minor: int, count: int) -> None:
    line = serve(ChannelByte(b"", name="pv", max_length=100_000))
    made = line.create("pv", minor)
    assert made is not None
    assert made[2] == count
