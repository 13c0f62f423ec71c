"""Enumerated PVs, by lists of states and by an IntEnum."""

from enum import IntEnum

from ioc_ops import ChannelType
from ioc_ops.server import PVGroup, ioc_arg_parser, pvproperty, run


class MyEnum(IntEnum):
    """States with names and numbers."""

    off = 0
    on = 1
    unknown = 2


class EnumIOC(PVGroup):
    """
    Four PVs that are in one of several states.

    bo, bi      two states, in the fields ZNAM and ONAM
    mbbi        five states, in the fields ZRST, ONST, TWST ...
    enum_class  the states of an IntEnum of Python

    A client may write the name of a state or its number.
    """

    bo = pvproperty(
        value="One Value",
        enum_strings=["Zero Value", "One Value"],
        record="bo",
        dtype=ChannelType.ENUM,
        doc="A binary output",
    )
    bi = pvproperty(
        value="a",
        enum_strings=["a", "b"],
        record="bi",
        dtype=ChannelType.ENUM,
        doc="A binary input",
    )
    mbbi = pvproperty(
        value="one",
        enum_strings=["zero", "one", "two", "three", "four"],
        record="mbbi",
        dtype=ChannelType.ENUM,
        doc="A multi-bit binary input",
    )
    # The shortest way: type, states and first value in one.
    enum_class = pvproperty(value=MyEnum.on, record="mbbi", doc="One of MyEnum")


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="enum:", desc=EnumIOC.__doc__)
    ioc = EnumIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
