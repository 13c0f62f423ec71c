"""A group is made without the garbage collector, which then is as it was."""

import gc
from collections.abc import Iterator

import pytest

from ioc_ops.errors import DefinitionError
from ioc_ops.group import PVGroup, SubGroup, pvproperty


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Whatever a test does to it."""
    yield
    gc.enable()


class Inner(PVGroup):
    pv = pvproperty(value=1)


class Outer(PVGroup):
    first = SubGroup(Inner)
    pv = pvproperty(value=1)


class Twice(PVGroup):
    pv = pvproperty(value=1)
    other = pvproperty(value=1, name="pv")


def test_many_pvs_are_made_without_a_collection() -> None:
    many = type("Many", (PVGroup,), {f"pv{i}": pvproperty(value=i) for i in range(3000)})
    before = [each["collections"] for each in gc.get_stats()]
    group = many("x:")
    after = [each["collections"] for each in gc.get_stats()]
    assert len(group.pvdb) == 3000
    # One of each generation may come when the collector is on again; without this it is 17.
    assert sum(after) - sum(before) <= 3


def test_the_collector_is_on_again() -> None:
    Outer("x:")
    assert gc.isenabled()


def test_the_collector_is_on_again_after_a_wrong_declaration() -> None:
    with pytest.raises(DefinitionError):
        Twice("x:")
    assert gc.isenabled()


def test_who_has_switched_it_off_keeps_it_so() -> None:
    gc.disable()
    Outer("x:")
    assert not gc.isenabled()
