"""An IOC made of a formula on its command line: inputs and output are PVs."""

import sys
from typing import ClassVar

from ioc_ops import ChannelType
from ioc_ops.errors import ConversionError
from ioc_ops.examples._expression import Expression
from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    pvproperty,
    run,
    template_arg_parser,
)


class FormulaIOC(PVGroup):
    """
    Computes what --formula says, ten times a second.

    The formula has the form "name = expression". Each variable of the expression is
    a PV that clients write, and the name to the left a PV with the result. Numbers, the
    operators of Python and the functions of numpy may be used.

    proc         a write of any value computes at once
    formula      the formula
    out_postfix  name of the PV with the result, behind the prefix
    vars         names of the PVs with the variables, likewise
    """

    expression: ClassVar[Expression]
    output: ClassVar[pvproperty]

    proc = pvproperty(value=0, alarm_group="formula", doc="Compute at once")

    @proc.putter
    async def proc(self, instance: PvpropertyData, value: int) -> int:
        """Stays at 0: it is the writing that counts."""
        result = self.attr_pvdb["output"]
        await result.write(await self.compute(result))
        return 0

    async def compute(self, instance: PvpropertyData) -> float:
        """The result; as getter of the output it makes each reading a fresh one."""
        return self.expression({name: self.attr_pvdb[name].value for name in self.expression.names})

    async def publish(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """The scan of the output."""
        await instance.write(await self.compute(instance))


def create_ioc(formula: str) -> type[FormulaIOC]:
    """The class of an IOC for a formula; its PVs are known only now.

    Raises:
        ConversionError: this is none.
    """
    name, equals, text = (part.strip() for part in formula.partition("="))
    if not equals or not name.isidentifier():
        raise ConversionError(f"{formula!r} does not begin with a name and =")
    expression = Expression(text)
    taken = {name, "proc", "formula", "out_postfix", "vars", "output"} & {*expression.names}
    if taken or any(hasattr(FormulaIOC, each) for each in expression.names):
        raise ConversionError(f"{formula!r}: choose other names for its variables")
    output = pvproperty(
        value=0.0, name=name, read_only=True, record="ai", alarm_group="formula", doc="The result"
    )
    output = output.getter(FormulaIOC.compute)
    members: dict[str, object] = {
        variable: pvproperty(value=0.0, alarm_group="formula", doc="A variable")
        for variable in expression.names
    }
    members |= {
        "expression": expression,
        "output": output.scan(period=0.1, use_scan_field=True)(FormulaIOC.publish),
        "formula": pvproperty(value=f"{name} = {text}", read_only=True, report_as_string=True),
        "out_postfix": pvproperty(value=[name], read_only=True, dtype=ChannelType.STRING),
        "vars": pvproperty(
            value=list(expression.names) or [""], read_only=True, dtype=ChannelType.STRING
        ),
    }
    return type("CustomFormulaIOC", (FormulaIOC,), members)


if __name__ == "__main__":
    parser, split_args = template_arg_parser(default_prefix="Formula:", desc=FormulaIOC.__doc__)
    parser.add_argument(
        "--formula", default="c = sqrt(a**2 + b**2)", help="default: c = sqrt(a**2 + b**2)"
    )
    arguments = parser.parse_args()
    ioc_options, run_options = split_args(arguments)
    try:
        ioc = create_ioc(arguments.formula)(**ioc_options)
    except ConversionError as problem:
        sys.exit(f"error: --formula: {problem}")
    run(ioc.pvdb, **run_options)
