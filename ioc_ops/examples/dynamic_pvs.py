"""PVs that come and go: a formula that clients write, with a PV for each of its variables."""

from typing import Any

from ioc_ops import ChannelType
from ioc_ops.errors import ConversionError
from ioc_ops.examples._expression import Expression
from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    PVSpec,
    ioc_arg_parser,
    pvproperty,
    run,
)

FIRST_FORMULA = "a + b"


class DynamicCalc(PVGroup):
    """
    A calculator whose variables are PVs.

    formula       an expression of numbers, variables and functions of numpy
    formula.PROC  a write of any value computes
    output        the result
    variables     names of the PVs that the formula has

    A new formula brings the PVs of its variables, dyncalc:a and dyncalc:b at first,
    and takes away those that it does not use: their clients are disconnected.
    """

    formula = pvproperty(value="", max_length=200, report_as_string=True, doc="The formula")
    process = pvproperty(value=0, name="formula.PROC", doc="Compute")
    output = pvproperty(value=0.0, doc="The result")
    variables = pvproperty(
        value=["a"], max_length=100, dtype=ChannelType.STRING, read_only=True, doc="Variables"
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.expression = Expression("0")

    @formula.startup
    async def formula(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Something to begin with."""
        await instance.write(FIRST_FORMULA)

    @formula.putter
    async def formula(self, instance: PvpropertyData, value: str) -> None:
        """Refuse what is no formula, before anything has changed."""
        expression = Expression(value)
        wanted, there = set(expression.names), set(self.expression.names)
        taken = {name for name in wanted - there if self.prefix + name in self.pvdb}
        if taken:
            raise ConversionError(f"{', '.join(sorted(taken))}: there are such PVs already")
        for name in sorted(there - wanted):
            self.remove_pv(name)
        for name in sorted(wanted - there):
            self.add_pv(name, PVSpec(value=0.0, doc=f"Variable {name}"))
        self.expression = expression
        await self.variables.write(list(expression.names) or [""])
        print(f"{value} of {', '.join(expression.names) or 'no variables'}", flush=True)

    @process.putter
    async def process(self, instance: PvpropertyData, value: int) -> int:
        """Stays at 0: it is the writing that counts."""
        values = {name: self.attr_pvdb[name].value for name in self.expression.names}
        await self.output.write(self.expression(values))
        return 0


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="dyncalc:", desc=DynamicCalc.__doc__)
    ioc = DynamicCalc(**ioc_options)
    run(ioc.pvdb, **run_options)
