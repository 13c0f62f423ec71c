"""An IOC with an autosaved PV of every kind, for the tests of autosave."""

import os
from enum import IntEnum

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager, autosaved
from ioc_ops.channel import ChannelData, ChannelType
from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    SubGroup,
    get_pv_pair_wrapper,
    ioc_arg_parser,
    pvproperty,
    run,
)

pair = get_pv_pair_wrapper(setpoint_suffix="", readback_suffix="_RBV")


class Mode(IntEnum):
    """States."""

    OFF = 0
    SLOW = 1
    FAST = 2


class Kinds(PVGroup):
    """One PV of each kind, and one that counts how often a putter ran."""

    short = pvproperty(value=1, dtype=ChannelType.INT)
    long = pvproperty(value=1)
    float = pvproperty(value=1.0, dtype=ChannelType.FLOAT)
    double = pvproperty(value=1.0)
    string = pvproperty(value="s", dtype=ChannelType.STRING)
    text = pvproperty(value="t", max_length=100)
    mode = pvproperty(value=Mode.OFF)
    switch = pvproperty(value=False)
    doubles = pvproperty(value=[0.0], max_length=5)
    longs = pvproperty(value=[0], max_length=5, dtype=int)


class SavedIoc(PVGroup):
    """Everything is saved but the count of puts."""

    kinds = autosaved(SubGroup(Kinds, prefix=""))
    pair = autosaved(pair(name="pair", value=1))
    moved = autosaved(pvproperty(value=1.0))
    puts = pvproperty(value=0)
    seen = pvproperty(value=0.0, doc="What the first startup hook saw of moved")
    keeper = SubGroup(
        AutosaveHelper,
        file_manager=RotatingFileManager(
            "state/kinds.json", lock_timeout=float(os.environ.get("LOCK_TIMEOUT", "3"))
        ),
        period=float(os.environ.get("SAVE_PERIOD", "30")),
    )

    @moved.putter
    async def moved(self, instance: ChannelData, value: float) -> None:
        await self.puts.write(self.puts.value + 1)

    @seen.startup
    async def seen(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        await instance.write(self.moved.value)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="kinds:", desc=SavedIoc.__doc__)
    run(SavedIoc(**ioc_options).pvdb, **run_options)
