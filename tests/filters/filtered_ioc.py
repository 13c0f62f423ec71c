"""The PVs of base_ioc.py, of our own."""

from ioc_ops.channel import ChannelType
from ioc_ops.server import PVGroup, PvpropertyData, ioc_arg_parser, pvproperty, run


class FilteredIOC(PVGroup):
    """What the tests of filters connect to."""

    states = {"red": False}

    ao = pvproperty(
        value=0.0,
        precision=3,
        units="mm",
        upper_disp_limit=90,
        upper_alarm_limit=90,
        upper_warning_limit=50,
        lower_warning_limit=-50,
        lower_alarm_limit=-90,
    )
    lo = pvproperty(value=0)
    mbb = pvproperty(value="zero", dtype=ChannelType.ENUM, enum_strings=("zero", "one", "two"))
    bo = pvproperty(value=False, enum_strings=("no", "yes"))
    so = pvproperty(value="", dtype=ChannelType.STRING, long_string_max_length=40)
    lso = pvproperty(value="", dtype=ChannelType.STRING)
    wf = pvproperty(value=[], dtype=float, max_length=10, precision=0)
    wl = pvproperty(value=[], dtype=int, max_length=10)
    ws = pvproperty(value=[], dtype=ChannelType.STRING, max_length=4)
    wc = pvproperty(value=b"", dtype=bytes, max_length=10, strip_null_terminator=False)
    big = pvproperty(value=[], dtype=float, max_length=70000)
    red = pvproperty(value=False, enum_strings=("off", "on"))

    @red.putter
    async def red(self, instance: PvpropertyData, value: str) -> None:
        async with self.update_state("red", value == "on"):
            pass


if __name__ == "__main__":
    options, run_options = ioc_arg_parser(default_prefix="F:", desc=FilteredIOC.__doc__ or "")
    run(FilteredIOC(**options).pvdb, **run_options)
