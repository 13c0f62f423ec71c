"""What PVs did during the last minute: mean, spread, extremes and percentiles, as PVs."""

import math
import random
import time

from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    SubGroup,
    ioc_arg_parser,
    pvproperty,
    run,
)
from ioc_ops.status import StatisticsHelper


class StatisticsIOC(PVGroup):
    """
    An oven whose temperature wavers, and the noise of a detector.

    temperature  ten times a second
    profile      100 points, twice a second
    Stats:       statistics of both over the last minute, and over ten minutes (Temp:600s:Mean)

    To try it: caget statistics:Stats:Temp:Mean statistics:Stats:Temp:P95
    """

    temperature = pvproperty(
        value=20.0, record="ai", units="C", precision=2, doc="Temperature of the oven"
    )
    profile = pvproperty(value=[0.0] * 100, record="waveform", units="V", doc="Noise")

    stats = SubGroup(
        StatisticsHelper,
        prefix="Stats:",
        watch={"Temp:": "temperature", "Profile:": "profile"},
        windows=(60, 600),
    )

    @temperature.scan(period=0.1)
    async def temperature(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """A slow wave, and noise."""
        wave = math.sin(time.monotonic() / 5)
        await instance.write(20.0 + wave + random.gauss(0.0, 0.1))

    @profile.scan(period=0.5)
    async def profile(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Noise alone."""
        await instance.write([random.gauss(0.0, 1.0) for _ in range(100)])


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(
        default_prefix="statistics:", desc=StatisticsIOC.__doc__
    )
    ioc = StatisticsIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
