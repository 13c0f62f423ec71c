"""What an IOC does when it starts and when it stops."""

from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    ioc_arg_parser,
    pvproperty,
    run,
)


class StartupAndShutdown(PVGroup):
    """
    An IOC that logs each of its hooks.

    At the start the hook of the IOC and the hooks of its PVs run side by side; at the
    stop, by SIGTERM or Ctrl+C, the shutdown hooks are awaited before the process ends.
    """

    thing = pvproperty(value=2, doc="An integer")

    async def __ainit__(self, async_lib: AsyncLibraryLayer) -> None:
        """The hook of the IOC: only what is handed to run() is called."""
        self.log.warning("1: the startup hook of the IOC begins")
        await async_lib.sleep(1.0)
        self.log.warning("1: the startup hook of the IOC is through")

    @thing.startup
    async def thing(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """The hook of a PV may go on for ever, or end at once as this one."""
        self.log.warning("2: the startup hook of %s", instance.name)

    @thing.shutdown
    async def thing(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Has 0.7 s, then it is cancelled."""
        self.log.warning("3: the shutdown hook of %s", instance.name)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(
        default_prefix="simple:", desc=StartupAndShutdown.__doc__
    )
    ioc = StartupAndShutdown(**ioc_options)
    run(ioc.pvdb, startup_hook=ioc.__ainit__, **run_options)
