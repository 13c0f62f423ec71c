"""A reading that falls to its set point as the charge of a capacitor does."""

import math
import time
from typing import Any

from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    ioc_arg_parser,
    pvproperty,
    run,
)

CLOSE = 0.05  # of the first excursion: so near to the set point counts as there


class Decay(PVGroup):
    """
    Exponential decay to a set point: I = SP + Tvar * exp(-t / K).

    I     the reading, ten times a second; I.SCAN changes the pace
    done  whether I is within 5 % of Tvar of the set point
    SP    the set point; t counts from the last time that it was written
    K     the time constant in seconds
    Tvar  how far off the reading is at t = 0
    """

    readback = pvproperty(value=0.0, read_only=True, name="I", record="ai", doc="The reading")
    done = pvproperty(value=False, read_only=True, record="bi", doc="The reading is there")
    setpoint = pvproperty(value=100.0, name="SP", doc="Where the reading goes")
    K = pvproperty(value=10.0, doc="Time constant in seconds")
    Tvar = pvproperty(value=10.0, doc="First excursion")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.began = time.monotonic()

    @readback.scan(period=0.1, use_scan_field=True)
    async def readback(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """One reading; done is published when it changes."""
        elapsed = time.monotonic() - self.began
        excursion = self.Tvar.value * math.exp(-elapsed / self.K.value)
        await instance.write(self.setpoint.value + excursion)
        done = abs(excursion) <= CLOSE * abs(self.Tvar.value)
        if done != (self.done.value == "On"):
            await self.done.write(done)

    @setpoint.putter
    async def setpoint(self, instance: PvpropertyData, value: float) -> None:
        """A new set point, a new excursion."""
        self.began = time.monotonic()


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="decay:", desc=Decay.__doc__)
    ioc = Decay(**ioc_options)
    run(ioc.pvdb, **run_options)
