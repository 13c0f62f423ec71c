"""Records over PVs of a type that EPICS Base has no such record for: their fields can be read."""

import asyncio
from typing import Any

import pytest

from ioc_ops.channel import ChannelType
from ioc_ops.server import PVGroup, pvproperty


def made(**declaration: Any) -> Any:
    return type("Group", (PVGroup,), {"x": pvproperty(**declaration)})("T:").x


@pytest.mark.parametrize("value", [1, 1.5, b"ab", [1, 2, 3], ["a", "b"]])
@pytest.mark.parametrize("record", ["lsi", "lso", "printf"])
def test_the_length_of_what_is_no_text_is_what_is_written_to_it(record: str, value: object) -> None:
    x = made(record=record, value=value)
    assert x.fields["LEN"].value == 0
    assert [x.fields[name].name for name in x.fields]


@pytest.mark.parametrize("declared", [{}, {"max_length": 80}, {"dtype": ChannelType.STRING}])
def test_the_length_of_a_text_counts_its_terminator(declared: dict[str, Any]) -> None:
    x = made(record="lso", value="tree", **declared)
    length = x.fields["LEN"]
    assert length.value == 5
    asyncio.run(x.write("é"))
    assert length.value == 3


@pytest.mark.parametrize("value", [[1, 2, 3], [1.5, 2.5]])
def test_an_array_may_be_an_output(value: list[float]) -> None:
    x = made(record="ao", value=value)
    assert x.fields["OVAL"].value == 0
    asyncio.run(x.write([7]))
    assert x.value == [7]
