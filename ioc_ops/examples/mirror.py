"""An IOC that serves the value of a PV of another IOC: a chain of two."""

import sys
from typing import Any

from ioc_ops import TimeStamp
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


class Mirror(PVGroup):
    """
    Passes on what a PV of another IOC has, as a float and with its time.

    value  as simple:B, or as the PV that --target names

    The client_monitor example does the same for alarms.
    """

    value = pvproperty(value=0.0, read_only=True, doc="As the other PV")

    def __init__(self, *arguments: Any, target: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.target = target

    @value.startup
    async def value(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """aioca belongs to the loop that it is first used in: that of the IOC."""

        async def changed(value: Any) -> None:
            seconds, nanoseconds = value.raw_stamp
            stamp = TimeStamp.from_unix_ns(seconds * 1_000_000_000 + nanoseconds)
            await instance.write(float(value), timestamp=stamp)

        self.subscription = aioca.camonitor(
            self.target, changed, datatype=aioca.DBR_DOUBLE, format=aioca.FORMAT_TIME
        )

    @value.shutdown
    async def value(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Leave the other IOC in good order."""
        self.subscription.close()
        aioca.purge_channel_caches()


if __name__ == "__main__":
    parser, split_args = template_arg_parser(
        default_prefix="mirror:",
        desc=Mirror.__doc__,
        supported_async_libs=("asyncio",),  # the one that aioca runs on
    )
    parser.add_argument("--target", default="simple:B", help="PV to follow (default simple:B)")
    arguments = parser.parse_args()
    ioc_options, run_options = split_args(arguments)
    ioc = Mirror(target=arguments.target, **ioc_options)
    run(ioc.pvdb, **run_options)
