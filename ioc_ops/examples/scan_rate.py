"""A scan whose period clients choose by the SCAN field."""

import time

from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    ioc_arg_parser,
    pvproperty,
    run,
)


class ScanRateIOC(PVGroup):
    """
    A PV that says how many seconds lie between its scans.

    caput periodic:scanned.SCAN ".5 second" makes them half a second, "Passive" stops
    them; camonitor periodic:scanned shows it.
    """

    scanned = pvproperty(value=0.0, record="ai", units="s", doc="Time since the last scan")
    last_scan: float | None = None

    @scanned.startup
    async def scanned(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """A PV may have both, a startup hook and a scan."""
        print(f"{instance.name} starts", flush=True)

    @scanned.scan(period=1, use_scan_field=True)
    async def scanned(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """The first call, at the start, has nothing to compare with."""
        now = time.monotonic()
        if self.last_scan is not None:
            await instance.write(now - self.last_scan)
            print(f"scanned after {instance.value:.3f} s", flush=True)
        self.last_scan = now


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="periodic:", desc=ScanRateIOC.__doc__)
    ioc = ScanRateIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
