"""A PV under a second name."""

from typing import Any

import pytest

from ioc_ops.autosave import autosaved
from ioc_ops.autosave.targets import find_targets
from ioc_ops.channel import ChannelData
from ioc_ops.errors import DefinitionError
from ioc_ops.group import PVGroup, PVSpec, SubGroup, pvproperty
from ioc_ops.server import AsyncLibraryLayer, Context
from ioc_ops.server.hooks import hooks_of


class Inner(PVGroup):
    """One PV, and another name of it."""

    async def _begin(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None: ...

    load = autosaved(pvproperty(value=1.0, record="ai", startup=_begin))
    other = pvproperty(value=2.0)

    def __init__(self, prefix: str = "", **arguments: Any) -> None:
        super().__init__(prefix, **arguments)
        self.add_alias("OLD", "load")


class Outer(PVGroup):
    """Groups made after the alias know it too."""

    inner = SubGroup(Inner, prefix="i:")


def test_it_is_the_same_pv_in_all_groups() -> None:
    group = Outer("T:")
    assert group.pvdb["T:i:OLD"] is group.pvdb["T:i:load"] is group.inner.load
    assert group.inner.load.name == "T:i:load"
    assert list(group.attr_pvdb) == ["inner.load", "inner.other"]
    group.add_alias("TOP", "inner.load")
    assert group.pvdb["T:TOP"] is group.inner.load
    assert "T:TOP" not in group.inner.pvdb


def test_clients_find_it_and_its_fields_under_both_names() -> None:
    group = Outer("T:")
    context = Context(group.pvdb)
    group.inner.load.fields["HIHI"].restore(5.0)
    for name in ("T:i:load", "T:i:OLD"):
        field: Any = context.find(f"{name}.HIHI")
        assert field.value == 5.0
        assert context.find(f"{name}.VAL") is group.inner.load


def test_its_hooks_run_once_and_it_is_saved_once() -> None:
    group = Outer("T:")
    assert [hook.channel.name for hook in hooks_of(group.pvdb.values(), "startup")] == ["T:i:load"]
    saved = find_targets(group)
    assert "T:i:load" in saved
    assert not [name for name in saved if "OLD" in name]


def test_it_goes_with_the_pv() -> None:
    group = Outer("T:")
    gone: list[str] = []
    group.pvdb.removed.append(lambda pv: gone.append(pv.name))
    group.inner.remove_pv("load")
    assert list(group.pvdb) == list(group.inner.pvdb) == ["T:i:other"]
    assert group.pvdb.aliases == group.inner.pvdb.aliases == {}
    assert gone == ["T:i:load"]  # told once


def test_without_an_alias_the_pv_stays_and_nobody_is_told() -> None:
    group = Outer("T:")
    gone: list[str] = []
    group.pvdb.removed.append(lambda pv: gone.append(pv.name))
    del group.pvdb["T:i:OLD"]
    assert group.pvdb.aliases == {}
    assert "T:i:load" in group.pvdb
    group.add_alias("A", "inner.load")
    assert group.pvdb.popitem()[0] == "T:A"
    assert gone == []
    group.add_alias("B", "inner.load")
    group.pvdb.clear()
    assert (sorted(gone), group.pvdb.aliases) == (["T:i:load", "T:i:other"], {})


def test_another_pv_may_take_the_name_of_an_alias() -> None:
    group = Outer("T:")
    told: list[str] = []
    group.pvdb.removed.append(lambda pv: told.append(f"-{pv.name}"))
    group.pvdb.added.append(lambda pv: told.append(f"+{pv.name}"))
    group.pvdb["T:i:OLD"] = group.inner.load  # what stands there already
    assert group.pvdb.aliases == {"T:i:OLD": "T:i:load"}
    group.pvdb["T:i:OLD"] = PVSpec(name="T:i:OLD", value=5).create()
    assert group.pvdb.aliases == {}
    assert told == ["+T:i:OLD"]  # the PV itself is still there
    del group.pvdb["T:i:OLD"]
    assert told == ["+T:i:OLD", "-T:i:OLD"]


def test_a_name_that_is_taken_is_refused_everywhere() -> None:
    group = Outer("T:")
    with pytest.raises(DefinitionError, match="T:i:other already"):
        group.inner.add_alias("other", "load")
    group.pvdb["T:i:NEW"] = group.inner.other
    with pytest.raises(DefinitionError, match="T:i:NEW already"):
        group.inner.add_alias("NEW", "load")
    assert "T:i:NEW" not in group.inner.pvdb
    with pytest.raises(KeyError):
        group.inner.add_alias("X", "nothing")


def test_an_alias_in_the_way_of_another_group_is_refused() -> None:
    class Clash(PVGroup):
        first = pvproperty(value=1, name="OLD")
        inner = SubGroup(Inner, prefix="")

    with pytest.raises(DefinitionError, match="OLD already"):
        Clash("T:")
