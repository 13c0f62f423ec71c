"""An IOC that is a client, too: it follows a PV of another IOC, alarms and all."""

import sys
from typing import Any

from ioc_ops import AlarmSeverity, AlarmStatus, TimeStamp
from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    pvproperty,
    run,
    template_arg_parser,
)

try:
    import aioca  # type: ignore[import-untyped]
except ImportError:
    sys.exit("aioca is missing: pip install 'ioc-ops[demo]'")


class MirrorClientIOC(PVGroup):
    """
    Shows the value, the time and the alarm of a PV of another IOC.

    mirrored  as simple:A, or as the PV that --target names

    The other IOC may be started later, and may come and go: while it is away, mirrored
    keeps its value and is in LINK alarm.
    """

    mirrored = pvproperty(value=0.0, record="ai", doc="As the other PV")

    def __init__(self, pv_to_mirror: str, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.pv_to_mirror = pv_to_mirror

    async def __ainit__(self, async_lib: AsyncLibraryLayer) -> None:
        """Subscribe; from then on aioca calls."""
        await self.lost()
        self.subscription = aioca.camonitor(
            self.pv_to_mirror,
            self.changed,
            datatype=aioca.DBR_DOUBLE,
            format=aioca.FORMAT_TIME,
            events=aioca.DBE_VALUE | aioca.DBE_ALARM,
            notify_disconnect=True,
        )

    async def changed(self, value: Any) -> None:
        """An event, or the news that the connection is gone."""
        if not value.ok:
            await self.lost()
            return
        seconds, nanoseconds = value.raw_stamp
        await self.mirrored.write(
            float(value),
            timestamp=TimeStamp.from_unix_ns(seconds * 1_000_000_000 + nanoseconds),
            status=value.status,
            severity=value.severity,
        )
        print(f"{self.pv_to_mirror} is {value}", flush=True)

    async def lost(self) -> None:
        """What is shown is not what is."""
        await self.mirrored.alarm.write(status=AlarmStatus.LINK, severity=AlarmSeverity.MAJOR_ALARM)
        print(f"{self.pv_to_mirror} is not there", flush=True)

    @mirrored.shutdown
    async def mirrored(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Leave the other IOC in good order."""
        self.subscription.close()
        aioca.purge_channel_caches()


if __name__ == "__main__":
    parser, split_args = template_arg_parser(
        default_prefix="mirror:",
        desc=MirrorClientIOC.__doc__,
        supported_async_libs=("asyncio",),  # the one that aioca runs on
    )
    parser.add_argument("--target", default="simple:A", help="PV to follow (default simple:A)")
    arguments = parser.parse_args()
    ioc_options, run_options = split_args(arguments)
    ioc = MirrorClientIOC(arguments.target, **ioc_options)
    run(ioc.pvdb, startup_hook=ioc.__ainit__, **run_options)
