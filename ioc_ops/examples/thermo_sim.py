"""A temperature controller that overshoots and rings."""

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


class Thermo(PVGroup):
    """
    A damped oscillation about a set point: I = SP + Tvar * exp(-t / K) * sin(omega * t).

    I      the temperature, ten times a second; I.SCAN changes the pace
    SP     the set point; t counts from the last time that it was written
    K      time constant of the damping in seconds
    omega  angular frequency in 1/s
    Tvar   size of the first swing
    """

    readback = pvproperty(
        value=0, dtype=float, read_only=True, name="I", record="ai", doc="Temperature"
    )
    setpoint = pvproperty(value=100, dtype=float, name="SP", doc="Temperature to reach")
    K = pvproperty(value=10, dtype=float, doc="Time constant in seconds")
    omega = pvproperty(value=math.pi, dtype=float, doc="Angular frequency in 1/s")
    Tvar = pvproperty(value=10, dtype=float, doc="Size of the first swing")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.began = time.monotonic()

    @readback.scan(period=0.1, use_scan_field=True)
    async def readback(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """One reading."""
        t = time.monotonic() - self.began
        damping = math.exp(-t / self.K.value)
        swing = self.Tvar.value * damping * math.sin(self.omega.value * t)
        await instance.write(self.setpoint.value + swing)

    @setpoint.putter
    async def setpoint(self, instance: PvpropertyData, value: float) -> None:
        """A new set point sets it ringing anew."""
        self.began = time.monotonic()


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="thermo:", desc=Thermo.__doc__)
    ioc = Thermo(**ioc_options)
    run(ioc.pvdb, **run_options)
