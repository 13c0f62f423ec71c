"""Scalars, arrays, text, bytes and an enum: what each declaration leads to."""

from ioc_ops import ChannelType
from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    ioc_arg_parser,
    pvproperty,
    run,
)


class ArrayIOC(PVGroup):
    """
    One PV of each kind.

    The first value says what type a PV is, and how many elements it has unless
    max_length does. Every second the IOC prints the values of the integers.
    """

    scalar_int = pvproperty(value=1, doc="An integer")
    scalar_int2 = pvproperty(value=[2], doc="A list of one element makes a scalar, too")
    array_int = pvproperty(value=3, max_length=5, doc="An array that begins as [3]")
    scalar_float = pvproperty(value=1.01, precision=5, doc="A float")
    array_float = pvproperty(value=3.01, max_length=5, precision=5, doc="Up to five floats")

    scalar_string = pvproperty(
        value="string1", dtype=ChannelType.STRING, doc="Text of at most 39 bytes"
    )
    array_string = pvproperty(
        value=["string1", "string2"],
        max_length=5,
        dtype=ChannelType.STRING,
        doc="Up to five such texts",
    )
    byte = pvproperty(value=b"byte0123", max_length=10, doc="Ten bytes that are no text")
    char = pvproperty(
        value="char0123", max_length=10, string_encoding="latin-1", doc="Text in an array of bytes"
    )
    enum = pvproperty(
        value="no",
        enum_strings=["no", "yes"],
        dtype=ChannelType.ENUM,
        record="bi",
        doc="One of two states",
    )

    @scalar_int.scan(period=1)
    async def scalar_int(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Show what clients have made of the integers."""
        integers = (self.scalar_int, self.scalar_int2, self.array_int)
        print(*(f"{pv.pvspec.attr}={pv.value}" for pv in integers), flush=True)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="arr:", desc=ArrayIOC.__doc__)
    ioc = ArrayIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
