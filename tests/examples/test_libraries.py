"""The examples that have a page of their own in the documents people come from, on each library."""

import sys
from typing import Any

import pytest
from one_shot_client import read

# A PV of each. How they work on asyncio is in the other files, and rpc_function on all three.
SHOWN = {
    "simple": "simple:A",
    "custom_write": "custom_write:B",
    "random_walk": "random_walk:x",
    "io_interrupt": "io:keypress",
    "macros": "macros:my_beamline:thing.VAL",
    "subgroups": "subgroups:group4:subgroup4:random",
    "records": "mock:C",
    "inline_style": "inline_style:random_int",
    "mini_beamline": "mini:current",
}


@pytest.mark.parametrize("library", ["curio", "trio"], indirect=True)
@pytest.mark.parametrize("name", SHOWN)
def test_it_serves_and_stops_without_a_complaint(start_ioc: Any, library: str, name: str) -> None:
    python = [sys.executable, "-W", "error", "-X", "dev"]
    ioc = start_ioc([*python, "-m", f"ioc_ops.examples.{name}", "--async-lib", library])
    assert read(SHOWN[name], timeout=10).status.success
    ioc.stop()
    assert any(f"{library.capitalize()} server starting up" in line for line in ioc.lines)
    assert [line for line in ioc.lines if not line.startswith("[I ")] == []
