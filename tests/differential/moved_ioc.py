"""The IOC of this folder, written for caproto; for ours its imports are replaced, nothing else.

Every PV that a test writes keeps what its putter was given in `came`. `reset` puts all PVs back to
what they were, without an alarm. A write of N to `inside` does entry N of INSIDE: a write from
within the IOC, and `came` then says how that went.
"""

from enum import IntEnum

import numpy as np
from caproto import AlarmSeverity, AlarmStatus, ChannelType, SkipWrite
from caproto.server import PVGroup, PvpropertyDouble, SubGroup, get_pv_pair_wrapper, pvproperty, run

pair = get_pv_pair_wrapper(setpoint_suffix="", readback_suffix="_RBV")


class Mode(IntEnum):
    IDLE = 0
    MOVING = 1
    FAULT = 3


class Inner(PVGroup):
    x = pvproperty(value=4, alarm_group="x")


def alone(name, **arguments):
    """A PV with an alarm of its own."""
    return pvproperty(alarm_group=name, **arguments)


class MovedIOC(PVGroup):
    """One PV of each kind."""

    number = alone("number", value=1)
    limited = alone(
        "limited",
        value=10.0,
        units="mm",
        precision=3,
        lower_ctrl_limit=-100.0,
        upper_ctrl_limit=100.0,
        lower_disp_limit=-50.0,
        upper_disp_limit=50.0,
        lower_alarm_limit=-80.0,
        upper_alarm_limit=80.0,
        lower_warning_limit=-60.0,
        upper_warning_limit=60.0,
    )
    counted = alone(
        "counted",
        value=5,
        units="counts",
        lower_ctrl_limit=0,
        upper_ctrl_limit=10,
        lower_alarm_limit=1,
        upper_alarm_limit=9,
        lower_warning_limit=2,
        upper_warning_limit=8,
    )
    real = alone("real", value=2.5)
    hinted = alone("hinted", value=2.25, dtype=PvpropertyDouble)
    single = alone("single", value=1.25, dtype=ChannelType.FLOAT, precision=2)
    short = alone("short", value=-5, dtype=ChannelType.INT)
    text = alone("text", value="abc", max_length=20)
    unsized = alone("unsized", value="abc")
    untold = alone("untold", dtype=str)
    reported = alone("reported", value="hello", max_length=60, report_as_string=True)
    raw = alone("raw", value=b"ab", max_length=8)
    flag = alone("flag", value=True)
    named = alone("named", value="b", dtype=ChannelType.ENUM, enum_strings=("a", "b", "c"))
    first = alone("first", dtype=ChannelType.ENUM, enum_strings=("a", "b", "c"))
    mode = alone("mode", value=Mode.MOVING)
    string = alone("string", value="xyz", dtype=ChannelType.STRING)
    numbers = alone("numbers", value=[1, 2, 3])
    reals = alone("reals", value=[1.5, 2.5], max_length=5)
    shorts = alone("shorts", value=[1, 2], dtype=ChannelType.INT, max_length=4)
    singles = alone("singles", value=[1.5, 2.5], dtype=ChannelType.FLOAT, max_length=4)
    strings = alone("strings", value=["one", "2"], dtype=ChannelType.STRING, max_length=3)
    padded = alone("padded", value=3.0, max_length=4)
    array = alone("array", value=np.array([1.0, 2.0, 3.0]), dtype=float)

    fixed = alone("fixed", value=7.0, read_only=True)
    fixed_mode = alone("fixed_mode", value=Mode.IDLE, read_only=True)
    doubled = alone("doubled", value=1.0)
    skipping = alone("skipping", value=1.0)
    skipping_too = alone("skipping_too", value=1.0)
    refusing = alone("refusing", value=1.0)
    warning = alone("warning", value=1.0)
    typed = alone("typed", value=1.0)
    got = alone("got", value=0)
    pair = pair(value=1.0, alarm_group="pair")
    inner = SubGroup(Inner)

    one = pvproperty(value=1.0, lower_alarm_limit=-1.0, upper_alarm_limit=5.0)
    other = pvproperty(value=1.0, lower_alarm_limit=-1.0, upper_alarm_limit=5.0)

    came = alone("came", value="", max_length=200)
    reset = alone("reset", value=0)
    inside = alone("inside", value=0)
    slow = alone("slow", value=0.0)
    order = alone("order", value="", max_length=200)

    def __init__(self, *arguments, **options):
        self.last = "-"
        super().__init__(*arguments, **options)
        self.initial = {attr: pv.value for attr, pv in self.attr_pvdb.items()}

    def note(self, value):
        if isinstance(value, (np.ndarray, np.generic)):
            value = value.tolist()
        self.last = f"{type(value).__name__} {value!r}"

    async def group_write(self, instance, value):
        self.note(value)
        return value

    @came.getter
    async def came(self, instance):
        return self.last

    @came.putter
    async def came(self, instance, value):
        return None

    @doubled.putter
    async def doubled(self, instance, value):
        self.note(value)
        return 2 * value

    @typed.putter
    async def typed(self, instance, value):
        self.last = "numpy" if isinstance(value, np.generic) else "plain"

    @skipping.putter
    async def skipping(self, instance, value):
        raise SkipWrite

    @skipping_too.putter
    async def skipping_too(self, instance, value):
        return SkipWrite

    @refusing.putter
    async def refusing(self, instance, value):
        raise ValueError("no")

    @warning.putter
    async def warning(self, instance, value):
        await instance.alarm.write(status=AlarmStatus.HIGH, severity=AlarmSeverity.MINOR_ALARM)

    @got.getter
    async def got(self, instance):
        return instance.value + 1

    @slow.putter
    async def slow(self, instance, value):
        await self.async_lib.library.sleep(value)
        await self.order.write(f"{self.order.value} {value}", verify_value=False)

    @reset.putter
    async def reset(self, instance, value):
        for attr, initial in self.initial.items():
            if attr not in ("reset", "came"):
                await self.attr_pvdb[attr].write(
                    initial,
                    verify_value=False,
                    status=AlarmStatus.NO_ALARM,
                    severity=AlarmSeverity.NO_ALARM,
                )
        self.last = "-"

    @inside.putter
    async def inside(self, instance, value):
        attr, given, options = INSIDE[value]
        pv = self.attr_pvdb[attr]
        try:
            await pv.write(given, **options)
        except Exception:
            self.last = "refused"
        else:
            seen = pv.value.tolist() if isinstance(pv.value, np.ndarray) else pv.value
            self.last = f"done: {type(seen).__name__} {seen!r}"


INSIDE = [
    ("limited", 200.0, {}),
    ("limited", 200.0, {"verify_value": False}),
    ("limited", 90.0, {}),
    ("limited", 20.0, {"timestamp": 1_000_000_000.25}),
    ("limited", 20.0, {"status": AlarmStatus.LINK, "severity": AlarmSeverity.INVALID_ALARM}),
    ("limited", float("nan"), {}),
    ("number", 5.7, {}),
    ("number", "abc", {}),
    ("number", [3], {}),
    ("number", [], {}),
    ("number", [3, 4], {}),
    ("named", "c", {}),
    ("named", 2, {}),
    ("named", "zzz", {}),
    ("named", 7, {}),
    ("named", -1, {}),
    ("mode", Mode.FAULT, {}),
    ("flag", False, {}),
    ("flag", "Off", {}),
    ("numbers", [7, 8], {}),
    ("numbers", 9, {}),
    ("numbers", [1, 2, 3, 4], {}),
    ("reals", np.array([4.0, 5.0, 6.0]), {}),
    ("reals", [], {}),
    ("strings", ["x", "yy", "zzz"], {}),
    ("strings", "x", {}),
    ("text", "longer than twenty characters", {}),
    ("text", "short", {}),
    ("unsized", "longer", {}),
    ("string", "x" * 60, {}),
    ("string", "x", {}),
    ("raw", b"xyz", {}),
    ("raw", b"", {}),
    ("fixed", 8.0, {}),
    ("doubled", 4.0, {}),
    ("skipping", 4.0, {}),
    ("refusing", 4.0, {}),
    ("got", 10, {}),
    ("one", 6.0, {}),
]


async def ready(async_lib):
    ioc.async_lib = async_lib
    print("ready", flush=True)


ioc = MovedIOC("m:")

if __name__ == "__main__":
    run(ioc.pvdb, startup_hook=ready)
