"""An IOC with something to look at, for tests and pictures of dashboards.

    python tools/fleet/ioc.py --prefix vac: --metrics-port 9101

Its readback follows its set point. It gets into trouble when it is told to, by files that appear
in its directory: where there is one named `stick` its event loop hangs, where there is `fail` a
hook raises at each scan.
"""

import math
import time
from pathlib import Path

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager, autosaved
from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    SubGroup,
    ioc_arg_parser,
    pvproperty,
    run,
)
from ioc_ops.status import MemoryTracingHelper, StatusHelper

STICK, FAIL = Path("stick"), Path("fail")
PERIOD = 0.1
HANGS = 3600.0  # seconds; who wants it back kills the process


class FleetIoc(PVGroup):
    """A temperature that wanders about a set point."""

    setpoint = autosaved(pvproperty(value=20.0, units="degC", doc="What it shall be"))
    offset = autosaved(pvproperty(value=0.0, units="degC", doc="Of the sensor"))
    temperature = pvproperty(
        value=20.0,
        units="degC",
        upper_warning_limit=60.0,
        upper_alarm_limit=80.0,
        read_only=True,
        doc="What it is",
    )
    autosave = SubGroup(
        AutosaveHelper, file_manager=RotatingFileManager("state/values.json"), period=1
    )
    status = SubGroup(StatusHelper, prefix="Ioc:")
    memory = SubGroup(MemoryTracingHelper, prefix="Mem:")

    @setpoint.getter
    async def setpoint(self, instance: PvpropertyData) -> float:
        return float(instance.value)

    @offset.putter
    async def offset(self, instance: PvpropertyData, value: float) -> float:
        return max(-100.0, min(value, 100.0))

    @temperature.scan(period=PERIOD)
    async def temperature(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        if STICK.exists():
            time.sleep(HANGS)
        if FAIL.exists():
            raise RuntimeError("the sensor does not answer")
        wave = math.sin(time.time() / 5) + 0.3 * math.sin(time.time() * 2)
        await instance.write(self.setpoint.value + self.offset.value + wave)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="fleet:", desc=FleetIoc.__doc__)
    run(FleetIoc(**ioc_options).pvdb, **run_options)
