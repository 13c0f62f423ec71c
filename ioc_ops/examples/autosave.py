"""Values that survive a restart, in the group itself and in a subgroup."""

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager, autosaved
from ioc_ops.server import PVGroup, SubGroup, ioc_arg_parser, pvproperty, run


class AutosavedSubgroup(PVGroup):
    """What is marked as autosaved in a subgroup is saved too."""

    A = autosaved(pvproperty(value=1, record="ao", doc="An integer that survives"))
    B = pvproperty(value=2.0, doc="A float that does not")
    C = autosaved(pvproperty(value=[1, 2, 3], doc="Three integers that survive"))


class AutosavedSimpleIOC(PVGroup):
    """
    A and C come back after a restart with the values they had; B starts anew each time.
    A is a record: its description (A.DESC) comes back as well.

    The same three PVs stand once more under `subgroup:`. The values are kept in
    autosave.json in the directory in which the IOC is started.
    """

    autosave_helper = SubGroup(AutosaveHelper, file_manager=RotatingFileManager("autosave.json"))

    A = autosaved(pvproperty(value=1, record="ao", doc="An integer that survives"))
    B = pvproperty(value=2.0, doc="A float that does not")
    C = autosaved(pvproperty(value=[1, 2, 3], doc="Three integers that survive"))

    subgroup = SubGroup(AutosavedSubgroup)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(
        default_prefix="autosaved_simple:", desc=AutosavedSimpleIOC.__doc__
    )
    ioc = AutosavedSimpleIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
