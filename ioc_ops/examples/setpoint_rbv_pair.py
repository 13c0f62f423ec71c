"""Set points with readbacks, two PVs in one declaration."""

from typing import Any

from ioc_ops import ChannelType
from ioc_ops.server import PVGroup, PvpropertyData, get_pv_pair_wrapper, ioc_arg_parser, run

# A naming convention, said once: X and X_RBV.
pvproperty_with_rbv = get_pv_pair_wrapper(setpoint_suffix="", readback_suffix="_RBV")


class Group(PVGroup):
    """
    Three pairs of PVs; what is written to the set point appears in the readback.

    pair   integers; the IOC has a say in what the readback becomes
    pair2  floats
    pair3  No or Yes, seen by clients as a bo and a bi record
    """

    pair = pvproperty_with_rbv(dtype=int, doc="Integers")
    pair2 = pvproperty_with_rbv(dtype=float, doc="Floats")
    pair3 = pvproperty_with_rbv(
        dtype=ChannelType.ENUM,
        enum_strings=["No", "Yes"],
        doc="A switch",
        setpoint_kw={"record": "bo"},
        readback_kw={"record": "bi"},
    )

    @pair.setpoint.putter  # type: ignore[untyped-decorator] # whichever PV the pair has
    async def pair(self: Any, instance: PvpropertyData, value: int) -> None:
        """`self` is the pair, and `self.parent` the group that it belongs to."""
        print(f"{instance.name} of {self.parent.name} becomes {value}", flush=True)
        await self.readback.write(value)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="setpoint_rbv:", desc=Group.__doc__)
    ioc = Group(**ioc_options)
    run(ioc.pvdb, **run_options)
