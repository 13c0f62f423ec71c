"""Several states of an IOC under names, to go back to; screens of configMenu work on it."""

from typing import Any

from ioc_ops.autosave import AutosaveHelper, ConfigMenu, RotatingFileManager, autosaved
from ioc_ops.server import (
    PVGroup,
    PvpropertyData,
    SubGroup,
    get_pv_pair_wrapper,
    ioc_arg_parser,
    pvproperty,
    run,
)

pvproperty_with_rbv = get_pv_pair_wrapper(setpoint_suffix="", readback_suffix="_RBV")


class Amplifier(PVGroup):
    """One channel of an amplifier; what it is set to belongs to a configuration."""

    gain = autosaved(pvproperty_with_rbv(value=1.0, doc="Gain"))
    filter = autosaved(pvproperty(value=10.0, record="ao", units="Hz", doc="Cut-off frequency"))
    overload = pvproperty(value=False, read_only=True, doc="Is measured, and no setting")


class Detector(PVGroup):
    """
    Two amplifiers, and two menus of configurations for them.

    detectorMenu:...   all that is marked as autosaved: both amplifiers and the mode
    gainsMenu:...      the two gains alone

    Write a name to detectorMenu:SaveAs, later the same name to detectorMenu:Load. The files are
    state/configs/detector_NAME.cfg below the directory in which the IOC is started. Menus and
    settings survive a restart too: state/detector.json.
    """

    mode = autosaved(pvproperty(value="normal", doc="A text of the operators"))
    amp1 = SubGroup(Amplifier)
    amp2 = SubGroup(Amplifier)

    autosave = SubGroup(AutosaveHelper, file_manager=RotatingFileManager("state/detector.json"))
    configs = SubGroup(ConfigMenu, prefix="", config="detector", directory="state/configs")
    gains = SubGroup(
        ConfigMenu, prefix="", config="gains", directory="state/configs", pvs=["amp*:gain"]
    )

    @mode.putter
    async def mode(self, instance: PvpropertyData, value: str) -> Any:
        """Loading a configuration runs putters, so this is printed then too."""
        print(f"{instance.name} becomes {value}", flush=True)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="det:", desc=Detector.__doc__)
    ioc = Detector(**ioc_options)
    run(ioc.pvdb, **run_options)
