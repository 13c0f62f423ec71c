"""An IOC with a PV of every kind that a save file may hold, for the commands that reach IOCs."""

import asyncio

from ioc_ops.channel import ChannelData, ChannelInt64, ChannelType
from ioc_ops.errors import LimitError
from ioc_ops.server import PVGroup, ioc_arg_parser, pvproperty, run


class LiveIoc(PVGroup):
    """All kinds, and PVs that make trouble."""

    double = pvproperty(value=1.0)
    float = pvproperty(value=1.0, dtype=ChannelType.FLOAT)
    short = pvproperty(value=1, dtype=ChannelType.INT)
    long = pvproperty(value=1)
    string = pvproperty(value="s", dtype=ChannelType.STRING)
    text = pvproperty(value="t", max_length=100)
    raw = pvproperty(value=b"r", max_length=100)
    mode = pvproperty(value="Off", enum_strings=["Off", "Slow", "Fast"], dtype=ChannelType.ENUM)
    doubles = pvproperty(value=[0.0, 1.0], max_length=5)
    longs = pvproperty(value=[1, 2], max_length=5, dtype=int)
    strings = pvproperty(value=["a", "b"], max_length=5, dtype=ChannelType.STRING)
    record = pvproperty(value=1.0, record="ao")
    fixed = pvproperty(value=1.0, read_only=True)
    picky = pvproperty(value=1.0, doc="Takes nothing")
    clipped = pvproperty(value=1.0, doc="Takes at most 2")
    stuck = pvproperty(value=1.0, doc="Never completes")
    moved = pvproperty(value=1.0, doc="Is set to 7 by a put to mover")
    mover = pvproperty(value=1.0)
    puts = pvproperty(value="", max_length=1000, doc="Some of the PVs that were put, in order")

    @picky.putter
    async def picky(self, instance: ChannelData, value: float) -> None:
        raise LimitError("never")

    @clipped.putter
    async def clipped(self, instance: ChannelData, value: float) -> float:
        return min(value, 2.0)

    @stuck.putter
    async def stuck(self, instance: ChannelData, value: float) -> None:
        await self.note(instance, value)
        await asyncio.sleep(60)

    @mover.putter
    async def mover(self, instance: ChannelData, value: float) -> None:
        await self.moved.write(7.0)

    async def note(self, instance: ChannelData, value: float) -> None:
        """Write down which PV was put, when the put is done."""
        await asyncio.sleep(0.02)
        await self.puts.write(f"{self.puts.value} {instance.name}".strip())

    z = pvproperty(value=1.0, put=note)
    a = pvproperty(value=1.0, put=note)
    m = pvproperty(value=1.0, put=note)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="x:", desc=LiveIoc.__doc__)
    ioc = LiveIoc(**ioc_options)
    pvdb = dict(ioc.pvdb)
    pvdb["x:int64"] = ChannelInt64(1, name="x:int64")
    run(pvdb, **run_options)
