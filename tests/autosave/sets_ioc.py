"""An IOC with save sets of every method, and a PV that comes and goes."""

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager, SaveSet, autosaved
from ioc_ops.channel import ChannelData
from ioc_ops.server import PVGroup, SubGroup, ioc_arg_parser, pvproperty, run


class SetsIoc(PVGroup):
    """Values in four files."""

    label = autosaved(pvproperty(value="nothing", max_length=80))
    position = autosaved(pvproperty(value=0.0), save_set="positions")
    shot = autosaved(pvproperty(value=0), save_set="shots")
    recipe = autosaved(pvproperty(value=0), save_set="recipes")
    fire = pvproperty(value=0)
    with_late = pvproperty(value=0, doc="1: the PV late is there")

    keeper = SubGroup(AutosaveHelper, prefix="", file_manager=RotatingFileManager("state/s.json"))
    positions = SubGroup(
        SaveSet,
        file_manager=RotatingFileManager("state/positions.json"),
        method="periodic",
        period=0.5,
    )
    shots = SubGroup(
        SaveSet,
        file_manager=RotatingFileManager("state/shots.json"),
        method="triggered",
        trigger="fire",
    )
    recipes = SubGroup(
        SaveSet, file_manager=RotatingFileManager("state/recipes.json"), method="manual"
    )

    @with_late.putter
    async def with_late(self, instance: ChannelData, value: int) -> None:
        if value and "late" not in self.attr_pvdb:
            self.add_pv("late", autosaved(pvproperty(value=1.0)))
        elif not value and "late" in self.attr_pvdb:
            self.remove_pv("late")


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="kinds:", desc=SetsIoc.__doc__)
    run(SetsIoc(**ioc_options).pvdb, **run_options)
