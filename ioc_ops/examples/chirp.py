"""A PV whose updates come faster and faster, beside one that keeps its pace."""

import argparse
from typing import Any

from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    pvproperty,
    run,
    template_arg_parser,
)

LONGEST, SHORTEST = 0.5, 1e-14  # seconds between two updates


class Chirp(PVGroup):
    """
    How fast can updates be before a client loses some?

    chirp   counts, faster with each step; starts over where it cannot be faster
    steady  counts ten times a second: does it, while chirp is at its fastest?
    """

    chirp = pvproperty(value=0.0, read_only=True, doc="Counts faster and faster")
    steady = pvproperty(value=0, read_only=True, doc="Counts evenly, to 999 and on from 0")

    def __init__(self, *arguments: Any, ramp_rate: float, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ramp_rate = ramp_rate

    @chirp.startup
    async def chirp(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """One sweep after the other."""
        while True:
            pause, count = LONGEST, 0
            while pause >= SHORTEST:
                await instance.write(count)
                await async_lib.sleep(pause)
                pause *= self.ramp_rate
                count += 1

    @steady.scan(period=0.1)
    async def steady(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """The one to compare with."""
        await instance.write((instance.value + 1) % 1000)


def between_0_and_1(text: str) -> float:
    """A ramp rate. Raises argparse.ArgumentTypeError."""
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 0 and 1")
    return rate


if __name__ == "__main__":
    parser, split_args = template_arg_parser(default_prefix="chirp:", desc=Chirp.__doc__)
    parser.add_argument(
        "--ramprate",
        type=between_0_and_1,
        default=0.75,
        help="each pause as a part of the one before (default 0.75)",
    )
    arguments = parser.parse_args()
    ioc_options, run_options = split_args(arguments)
    ioc = Chirp(ramp_rate=arguments.ramprate, **ioc_options)
    run(ioc.pvdb, **run_options)
