"""Three PVs that keep what is written to them."""

from ioc_ops.server import PVGroup, ioc_arg_parser, pvproperty, run


class SimpleIOC(PVGroup):
    """
    Three PVs that keep what is written to them; none knows of the others.

    A   an integer
    B   a float
    C   up to three integers
    """

    A = pvproperty(value=1, doc="An integer")
    B = pvproperty(value=2.0, doc="A float")
    C = pvproperty(value=[1, 2, 3], doc="Up to three integers")


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="simple:", desc=SimpleIOC.__doc__)
    ioc = SimpleIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
