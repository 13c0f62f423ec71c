"""PV names with parts that are chosen on the command line."""

from ioc_ops.server import PVGroup, ioc_arg_parser, pvproperty, run


class MacroifiedNames(PVGroup):
    """
    Two PVs whose names hold macros.

    Each macro has an option of its own: --beamline XF31ID --thing detector makes
    the names macros:XF31ID:detector.VAL and macros:XF31ID:detector.RBV.
    """

    placeholder1 = pvproperty(value=0, name="{beamline}:{thing}.VAL", doc="Where to go")
    placeholder2 = pvproperty(value=0, name="{beamline}:{thing}.RBV", doc="Where it is")


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(
        default_prefix="macros:",
        desc=MacroifiedNames.__doc__,
        # A default of None would make the option a required one.
        macros={"beamline": "my_beamline", "thing": "thing"},
    )
    ioc = MacroifiedNames(**ioc_options)
    run(ioc.pvdb, **run_options)
