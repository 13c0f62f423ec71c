"""The IOC that `kill_harness` kills: PVs of four kinds that clients write, and one that runs."""

from ioc_ops.autosave import AutosaveHelper, RotatingFileManager, autosaved
from ioc_ops.channel import ChannelData, ChannelType
from ioc_ops.server import AsyncLibraryLayer, PVGroup, SubGroup, ioc_arg_parser, pvproperty, run


class Written(PVGroup):
    """What one client writes."""

    long = autosaved(pvproperty(value=0))
    double = autosaved(pvproperty(value=0.0))
    text = autosaved(pvproperty(value="0", dtype=ChannelType.STRING))
    array = autosaved(pvproperty(value=[0], max_length=500, dtype=int))


class Keeper(AutosaveHelper):
    """Saves by itself as well, as often as it can."""

    period = 0.1
    debounce = 0.02


class Killed(PVGroup):
    """Three clients, and a PV that counts on from where it was."""

    clients = [SubGroup(Written, prefix=f"{number}:") for number in range(3)]
    client0, client1, client2 = clients
    ticks = autosaved(pvproperty(value=0))
    keeper = SubGroup(
        Keeper, file_manager=RotatingFileManager("state/kill.json", max_files_per_day=3)
    )

    @ticks.startup
    async def ticks(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        while True:
            await instance.write(instance.value + 1)
            await async_lib.sleep(0.005)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="kill:", desc=Killed.__doc__)
    run(Killed(**ioc_options).pvdb, **run_options)
