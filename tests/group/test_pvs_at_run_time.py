"""PVs that come and go while an IOC serves them."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from ioc_ops.ca import Command, pack_header, parse
from ioc_ops.channel import ChannelData, ChannelInteger, Payload
from ioc_ops.errors import DefinitionError
from ioc_ops.group import LivePVs, PVGroup, PVSpec, SubGroup, pvproperty
from ioc_ops.server import Circuit, Context
from ioc_ops.server.records import AiFields, register_record


class Inner(PVGroup):
    x = pvproperty(value=1)


class Outer(PVGroup):
    inner = SubGroup(Inner)
    y = pvproperty(value=2.0, record="ai")


async def twice(group: Any, instance: Any, value: int) -> int:
    return 2 * value


# --- the group's part -----------------------------------------------------------------------


def test_a_pv_more_in_a_subgroup_is_one_more_in_the_whole_tree() -> None:
    group = Outer("T:", macros={"n": "7"})
    pv = group.inner.add_pv("new", PVSpec(value=3, name="N{n}", put=twice))
    assert (pv.name, pv.value, pv.group, pv.pvspec.attr) == ("T:inner:N7", 3, group.inner, "new")
    assert list(group.pvdb) == ["T:inner:x", "T:y", "T:inner:N7"]
    assert list(group.inner.pvdb) == ["T:inner:x", "T:inner:N7"]
    assert group.attr_pvdb["inner.new"] is group.inner.attr_pvdb["new"] is pv
    assert group.attr_to_pvname["inner.new"] == "T:inner:N7"
    asyncio.run(pv.write(4))
    assert pv.value == 8

    group.inner.remove_pv("new")
    assert list(group.pvdb) == list(group.attr_to_pvname.values()) == ["T:inner:x", "T:y"]
    assert list(group.inner.attr_pvdb) == ["x"]


def test_a_declaration_serves_as_well_as_a_spec_and_stays_as_it_was() -> None:
    group, declared = Outer("T:"), pvproperty(value=[1, 2], max_length=5)
    first, second = group.add_pv("a", declared), group.add_pv("b", declared)
    assert (first.name, second.name) == ("T:a", "T:b")
    assert first.max_length == 5
    assert declared.pvspec.attr is None


def test_reads_and_writes_of_the_group_serve_new_pvs_too() -> None:
    class Group(PVGroup):
        async def group_read(self, instance: Any) -> int:
            return 42

        async def group_write(self, instance: Any, value: int) -> int:
            return value + 1

    pv = Group("T:").add_pv("x", PVSpec(value=0))
    asyncio.run(pv.write(1))
    assert pv.value == 2
    assert asyncio.run(pv.read()) == 42


def test_names_that_are_taken_are_refused_and_nothing_changes() -> None:
    group = Outer("T:")
    with pytest.raises(DefinitionError, match="T:y already"):
        group.add_pv("y", PVSpec(value=1))
    with pytest.raises(DefinitionError, match="T:inner:x already"):
        group.add_pv("other", PVSpec(value=1, name="inner:x"))
    group.add_pv("z", PVSpec(value=1, name="inner:z"))
    with pytest.raises(DefinitionError, match=r"Outer\.inner\.z: there is a PV T:inner:z already"):
        group.inner.add_pv("z", PVSpec(value=1))
    assert list(group.inner.pvdb) == ["T:inner:x"]
    assert list(group.inner.attr_pvdb) == ["x"]


def test_removing_what_is_not_there() -> None:
    with pytest.raises(DefinitionError, match=r"Outer\.nothing: there is no such PV"):
        Outer("T:").remove_pv("nothing")


def test_a_group_that_only_has_a_parent_stands_alone() -> None:
    parent = Outer("T:")
    lone = Inner("L:", parent=parent)
    lone.add_pv("z", PVSpec(value=1))
    assert list(lone.pvdb) == ["L:x", "L:z"]
    assert list(parent.pvdb) == ["T:inner:x", "T:y"]


# --- the dictionary -------------------------------------------------------------------------

CHANGES: dict[str, Callable[[LivePVs, Any], Any]] = {
    "del": lambda pvs, new: pvs.__delitem__("T:y"),
    "pop": lambda pvs, new: pvs.pop("T:y"),
    "pop with a default": lambda pvs, new: pvs.pop("T:y", None),
    "popitem": lambda pvs, new: pvs.popitem(),
    "replace": lambda pvs, new: pvs.__setitem__("T:y", new),
    "update": lambda pvs, new: pvs.update({"T:y": new}),
    "update by name": lambda pvs, new: pvs.update(**{"T:y": new}),
    "|=": lambda pvs, new: pvs.__ior__({"T:y": new}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whoever_watches_hears_of_a_pv_that_leaves(change: str) -> None:
    group, heard = Outer("T:"), []
    before, new = group.y, Inner("N:").x
    group.pvdb.removed.append(heard.append)
    CHANGES[change](group.pvdb, new)
    assert heard == [before]
    assert group.pvdb.get("T:y") in (None, new)


def test_clearing_tells_of_all() -> None:
    group, heard = Outer("T:"), []
    group.pvdb.removed.append(heard.append)
    group.pvdb.clear()
    assert [pv.name for pv in heard] == ["T:inner:x", "T:y"]
    assert not group.pvdb


ADDITIONS: dict[str, Callable[[LivePVs, Any], Any]] = {
    "set": lambda pvs, new: pvs.__setitem__("N:x", new),
    "replace": lambda pvs, new: pvs.__setitem__("T:y", new),
    "setdefault": lambda pvs, new: pvs.setdefault("N:x", new),
    "update": lambda pvs, new: pvs.update({"N:x": new}),
    "|=": lambda pvs, new: pvs.__ior__({"N:x": new}),
}


@pytest.mark.parametrize("addition", ADDITIONS)
def test_whoever_watches_hears_of_a_pv_that_comes(addition: str) -> None:
    group, heard = Outer("T:"), []
    new = Inner("N:").x
    group.pvdb.added.append(lambda pv: heard.append((pv, pv in group.pvdb.values())))
    ADDITIONS[addition](group.pvdb, new)
    assert heard == [(new, True)]


def test_a_new_pv_is_complete_when_its_group_hears_of_it() -> None:
    group, heard = Outer("T:"), []
    group.pvdb.added.append(lambda pv: heard.append(group.attr_pvdb["inner.new"] is pv))
    group.inner.add_pv("new", PVSpec(value=1))
    assert heard == [True]


def test_what_changes_nothing_tells_nobody() -> None:
    group, heard = Outer("T:"), []
    group.pvdb.removed.append(heard.append)
    group.pvdb.added.append(heard.append)
    group.pvdb["T:y"] = group.y
    assert group.pvdb.setdefault("T:y", Inner("N:").x) is group.y
    assert group.pvdb.pop("nothing", 5) == 5
    with pytest.raises(KeyError):
        del group.pvdb["nothing"]
    with pytest.raises(KeyError):
        group.pvdb.setdefault("nothing")
    assert not heard
    group.pvdb.added.clear()
    group.pvdb.update(Inner("N:").pvdb)
    assert list(group.pvdb) == ["T:inner:x", "T:y", "N:x"]
    assert isinstance(group.pvdb, dict)


# --- the server's part ----------------------------------------------------------------------


class Client:
    """A circuit without a socket."""

    def __init__(self, context: Context) -> None:
        self.sent = bytearray()
        self.circuit = Circuit(context, self, "127.0.0.1:1")
        context.circuits.add(self.circuit)
        self.circuit.receive(pack_header(Command.VERSION, 0, 0, 13, 0, 0))

    def write(self, chunks: list[Payload]) -> bool:
        self.sent += b"".join(chunks)
        return True

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def close(self) -> None: ...

    def create(self, name: str, cid: int) -> None:
        payload = name.encode() + b"\0"
        payload += bytes(-len(payload) % 8)
        header = pack_header(Command.CREATE_CHAN, len(payload), 0, 0, cid, 13)
        self.circuit.receive(header + payload)

    def subscribe(self, sid: int) -> None:
        payload = bytes(12) + b"\0\1\0\0"
        self.circuit.receive(pack_header(Command.EVENT_ADD, 16, 5, 1, sid, 1) + payload)

    def replies(self) -> list[tuple[int, int]]:
        """Command and cid (or what stands there) of what was sent since the last look."""
        self.circuit.flush()
        data, found, start = bytes(self.sent), [], 0
        self.sent.clear()
        while (taken := parse(data, start, 1 << 24)) is not None:
            message, start = taken
            found.append((message.header.command, message.header.parameter1))
        return found


@pytest.fixture
def context() -> Callable[[Any], Context]:
    def make(pvdb: Any) -> Context:
        made = Context(pvdb)
        made.outbox._call_soon = lambda function: None
        return made

    return make


def test_clients_lose_their_channels_to_a_pv_that_leaves(context: Any) -> None:
    group = Outer("T:")
    group.add_pv("z", PVSpec(value=3))
    served = context(group.pvdb)
    client, other = Client(served), Client(served)
    client.create("T:z", 10)
    client.create("T:inner:x", 11)
    client.create("T:z", 12)
    other.create("T:inner:x", 10)
    client.subscribe(1)
    pv = group.attr_pvdb["z"]
    assert pv.feeds
    client.replies(), other.replies()

    group.remove_pv("z")
    assert client.replies() == [(Command.SERVER_DISCONN, 10), (Command.SERVER_DISCONN, 12)]
    assert other.replies() == []
    assert [each.channel.name for each in client.circuit.channels.values()] == ["T:inner:x"]
    assert not pv.feeds
    assert (served.has("T:z"), served.find("T:z")) == (False, None)

    group.add_pv("z", PVSpec(value=5))
    assert served.has("T:z")
    client.create("T:z", 13)
    assert (Command.CREATE_CHAN, 13) in client.replies()


@register_record
class WarmFields(AiFields):
    _record_type = "warm"
    temperature = pvproperty(name="TEMP", value=20.0)


def test_fields_and_filters_go_with_their_pv(context: Any) -> None:
    group = Outer("T:")
    group.add_pv("w", PVSpec(value=1.0, record="warm"))
    client = Client(context(group.pvdb))
    names = ["T:w", "T:w.DESC", 'T:w.{"ts":{}}', "T:w.DESC$", "T:w.TEMP", "T:y", "T:y.DESC"]
    for cid, name in enumerate(names):
        client.create(name, cid)
    client.replies()
    group.remove_pv("w")
    assert client.replies() == [(Command.SERVER_DISCONN, cid) for cid in range(5)]


def test_a_mapping_of_ones_own_is_looked_up_anew_each_time(context: Any) -> None:
    pvdb: dict[str, ChannelData] = {}
    served = context(pvdb)
    client = Client(served)
    assert not served.has("x")
    pvdb["x"] = ChannelInteger(1, name="x")
    assert served.has("x")
    client.create("x", 5)
    client.replies()
    served.pv_removed(pvdb.pop("x"))
    assert client.replies() == [(Command.SERVER_DISCONN, 5)]


def test_a_mapping_that_makes_pvs_as_they_are_asked_for(context: Any) -> None:
    class Anything(defaultdict[str, ChannelData]):
        def __contains__(self, name: object) -> bool:
            return True

        def __missing__(self, name: str) -> ChannelData:
            self[name] = ChannelInteger(0, name=name)
            return self[name]

    served = context(Anything())
    client = Client(served)
    assert served.has("what:ever")
    client.create("what:ever", 1)
    assert (Command.CREATE_CHAN, 1) in client.replies()
    assert list(served.pvdb) == ["what:ever"]
