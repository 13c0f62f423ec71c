"""Records that set off others: for EPICS Base, and ours."""

from ioc_ops.server import PVGroup, pvproperty

DATABASE = """
record(longout, "R:fence") {}
record(bo, "R:button") { field(ZNAM, "Off") field(ONAM, "On") }
record(ao, "R:a") { field(VAL, "1") field(PINI, "NO") }
record(longout, "R:b") { field(MDEL, "-1") }
record(longout, "R:c") { field(MDEL, "-1") }
record(longout, "R:loop1") { field(MDEL, "-1") }
record(longout, "R:loop2") { field(MDEL, "-1") }
"""


class Records(PVGroup):
    fence = pvproperty(value=0, record="longout")
    button = pvproperty(value=False, record="bo", enum_strings=["Off", "On"])
    a = pvproperty(value=1.0, record="ao")
    b = pvproperty(value=0, record="longout", value_atol=-1)
    c = pvproperty(value=0, record="longout", value_atol=-1)
    loop1 = pvproperty(value=0, record="longout", value_atol=-1)
    loop2 = pvproperty(value=0, record="longout", value_atol=-1)


def processed() -> PVGroup:
    """Our IOC."""
    return Records(prefix="R:")
