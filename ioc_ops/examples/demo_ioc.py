"""A positioner with set points that survive, status PVs and metrics: the IOC of `make demo`."""

from enum import IntEnum

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager, autosaved
from ioc_ops.channel import ChannelType
from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    SubGroup,
    ioc_arg_parser,
    pvproperty,
    run,
)
from ioc_ops.status import StatusHelper

PERIOD = 0.1  # seconds between two readings of the position


class Mode(IntEnum):
    """What the positioner does with a new set point."""

    HOLD = 0
    FOLLOW = 1
    FOLLOW_SLOWLY = 2


SPEED = {Mode.HOLD.name: 0.0, Mode.FOLLOW.name: 20.0, Mode.FOLLOW_SLOWLY.name: 1.0}  # mm/s


class DemoIOC(PVGroup):
    """
    A simulated positioner as beamlines have many.

    setpoint  where it shall be, 0 to 100 mm
    readback  where it is; moves towards the set point as the mode allows
    mode      HOLD, FOLLOW or FOLLOW_SLOWLY
    counts    counts to collect at each point
    label     a name for the operator
    waveform  up to eight offsets in mm

    All but the readback are saved to state/demo.json and come back at the next start.
    """

    setpoint = autosaved(
        pvproperty(
            value=1.0,
            units="mm",
            precision=3,
            lower_ctrl_limit=0.0,
            upper_ctrl_limit=100.0,
            doc="Where the positioner shall be",
        )
    )
    readback = pvproperty(
        value=0.0, units="mm", precision=3, read_only=True, doc="Where the positioner is"
    )
    mode = autosaved(pvproperty(value=Mode.HOLD, doc="What a new set point leads to"))
    counts = autosaved(pvproperty(value=100, doc="Counts to collect at each point"))
    label = autosaved(
        pvproperty(value="unnamed", dtype=ChannelType.STRING, doc="A name for the operator")
    )
    waveform = autosaved(pvproperty(value=[0.0] * 8, units="mm", doc="Offsets of the scan points"))

    autosave = SubGroup(AutosaveHelper, file_manager=RotatingFileManager("state/demo.json"))
    status = SubGroup(StatusHelper, prefix="Ioc:")

    @readback.startup
    async def readback(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Nothing moves at boot: the positioner stands where it was left."""
        await instance.write(self.setpoint.value)

    @readback.scan(period=PERIOD)
    async def readback(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Go one step towards the set point; where nothing moves nothing is published."""
        step = SPEED[self.mode.value] * PERIOD
        distance = self.setpoint.value - instance.value
        if distance and step:
            await instance.write(instance.value + max(-step, min(step, distance)))


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="demo:", desc=DemoIOC.__doc__)
    ioc = DemoIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
