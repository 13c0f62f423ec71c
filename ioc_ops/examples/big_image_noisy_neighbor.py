"""A 16-megapixel image ten times a second, and a small PV that must not suffer from it."""

import time
from itertools import cycle
from typing import Any

import numpy as np

from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    pvproperty,
    run,
    template_arg_parser,
)

SIDE = 3960  # rows and columns
FRAMES = 4  # different ones, shown in turn


class BigImage(PVGroup):
    """
    A noisy image, and the time.

    image  bytes, row by row; a new image ten times a second
    t1     seconds of the IOC's clock at each image

    Clients need EPICS_CA_MAX_ARRAY_BYTES above the size of the image, or a libca
    that takes any size.
    """

    t1 = pvproperty(value=2.0, units="s", doc="When the image was taken")
    image = pvproperty(dtype=bytes, value=b"", max_length=SIDE * SIDE, doc="The image")

    def __init__(self, *arguments: Any, side: int = SIDE, **options: Any) -> None:
        super().__init__(*arguments, **options)
        rng = np.random.default_rng()
        frames = [rng.integers(0, 256, side * side, dtype=np.uint8) for _ in range(FRAMES)]
        for frame in frames:
            frame.flags.writeable = False  # what cannot change need not be copied
        self.frames = cycle(frames)

    @t1.scan(period=0.1)
    async def t1(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """The small one first, the large one behind it."""
        await instance.write(time.monotonic())
        await self.image.write(next(self.frames))


if __name__ == "__main__":
    parser, split_args = template_arg_parser(default_prefix="big_image:", desc=BigImage.__doc__)
    parser.add_argument(
        "--side", type=int, default=SIDE, help=f"rows and columns, {SIDE} at most and by default"
    )
    arguments = parser.parse_args()
    ioc_options, run_options = split_args(arguments)
    ioc = BigImage(side=min(arguments.side, SIDE), **ioc_options)
    run(ioc.pvdb, **run_options)
