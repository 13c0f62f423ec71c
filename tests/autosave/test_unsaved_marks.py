"""Marked PVs that nobody saves are told of at the start, loudly."""

import os
import sys
from pathlib import Path
from typing import Any

from ioc_ops.autosave import AutosaveHelper, autosaved
from ioc_ops.group import unsaved_marks
from ioc_ops.server import PVGroup, SubGroup, pvproperty
from ioc_ops.status import StatusHelper


class Inner(PVGroup):
    x = autosaved(pvproperty(value=1))
    plain = pvproperty(value=1)


class Unsaved(PVGroup):
    inner = SubGroup(Inner)
    whole = autosaved(SubGroup(Inner))
    status = SubGroup(StatusHelper, prefix="Ioc:")


class Saved(Unsaved):
    class Deep(PVGroup):
        keeper = SubGroup(AutosaveHelper)

    deep = SubGroup(Deep)


def marks(*roots: PVGroup) -> list[str]:
    channels = [channel for root in roots for channel in root.pvdb.values()]
    groups = [group for root in roots for group in (root, *root.groups.values())]
    return unsaved_marks(channels, groups)


def test_marks_that_nobody_heeds() -> None:
    # The status PVs recommend to save their limits; an IOC need not.
    assert marks(Unsaved(prefix="x:")) == ["x:inner:x", "x:whole:x", "x:whole:"]


def test_a_helper_anywhere_in_the_tree_will_do() -> None:
    assert marks(Saved(prefix="x:")) == []


def test_a_helper_in_another_tree_will_not() -> None:
    assert marks(Saved(prefix="x:"), Unsaved(prefix="y:")) == [
        *("y:inner:x", "y:whole:x", "y:whole:")
    ]


def test_the_log_is_loud(ioc: Any) -> None:
    here = str(Path(__file__).parent)
    process = ioc("forgetful_ioc", env={"PYTHONPATH": os.pathsep.join([here, *sys.path])})
    line = process.wait_for("NOTHING SAVES")
    assert "2 PVs that are marked with autosaved(): kinds:gain, kinds:axis:;" in line
    assert "add autosave = SubGroup(AutosaveHelper) to the outermost group" in line
