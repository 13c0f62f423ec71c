"""Ranges of a record on their way from one to another: what operators write, limit by limit."""

import asyncio
from typing import Any

import pytest

from ioc_ops.errors import DefinitionError
from ioc_ops.server import PVGroup, pvproperty


def made(**declaration: Any) -> Any:
    return type("Group", (PVGroup,), {"x": pvproperty(**declaration)})("T:").x


@pytest.mark.parametrize(
    ("record", "declared", "low", "high"),
    [("ai", "upper_disp_limit", "LOPR", "HOPR"), ("ao", "drive_high", "DRVL", "DRVH")],
)
def test_a_range_may_be_moved_up_from_its_lower_end(
    record: str, declared: str, low: str, high: str
) -> None:
    async def main() -> None:
        x = made(value=1.0, record=record, **{declared: 10.0})
        shown = [x.fields[name] for name in x.fields]
        await x.fields[low].write(100.0)
        assert x.fields[low].value == 100.0
        for field in shown:
            field.payload(field.data_type + 28, 1)  # with all that goes beside the value
        await x.fields[high].write(200.0)
        limits = x.fields["HIHI"].metadata.limits
        assert (limits.lower_ctrl, limits.upper_ctrl) == (100.0, 200.0)

    asyncio.run(main())


def test_a_declaration_whose_limits_let_nothing_pass_is_refused_for_a_record_too() -> None:
    with pytest.raises(DefinitionError, match=r"T:x: lower_ctrl_limit 5 is above upper_ctrl_limit"):
        made(value=7.0, record="ao", lower_ctrl_limit=5.0)
