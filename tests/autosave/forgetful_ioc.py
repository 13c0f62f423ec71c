"""An IOC whose author has marked PVs and forgotten the helper."""

from ioc_ops.autosave import autosaved
from ioc_ops.server import PVGroup, SubGroup, ioc_arg_parser, pvproperty, run
from ioc_ops.status import StatusHelper


class Axis(PVGroup):
    """Everything in it is marked as a whole."""

    position = pvproperty(value=0.0)


class Forgetful(PVGroup):
    """Two marks, nobody who heeds them."""

    gain = autosaved(pvproperty(value=1.0))
    axis = autosaved(SubGroup(Axis))
    status = SubGroup(StatusHelper, prefix="Ioc:")


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="kinds:", desc=Forgetful.__doc__)
    run(Forgetful(**ioc_options).pvdb, **run_options)
