"""A named state of the IOC that clients' monitors can go by."""

from typing import Any

from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    ioc_arg_parser,
    pvproperty,
    run,
)

STATE = "my_stately_state"


class StateIOC(PVGroup):
    """
    A counter, and a state that decides who hears of it.

    value             counts from 0 to 9 and on again, ten times a second
    enable_state      a write of any value sets the state
    disable_state     a write of any value clears it
    my_stately_state  1 while the state is set

    camonitor 'state:value.{"sync":{"m":"while","s":"my_stately_state"}}' shows the
    counter only while the state is set.
    """

    value = pvproperty(value=1, doc="The counter")
    disable_state = pvproperty(value=False, doc="Clears the state")
    enable_state = pvproperty(value=False, doc="Sets the state")
    my_stately_state = pvproperty(value=0, doc="Whether the state is set")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.states = {STATE: False}
        super().__init__(*arguments, **options)

    @value.scan(period=0.1)
    async def value(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Count."""
        await instance.write((instance.value + 1) % 10)

    @my_stately_state.getter
    async def my_stately_state(self, instance: PvpropertyData) -> int:
        """For readers; a monitor hears nothing of what only a getter knows."""
        return int(self.states[STATE])

    @disable_state.putter
    async def disable_state(self, instance: PvpropertyData, value: str) -> None:
        """Clear the state, whatever was written."""
        async with self.update_state(STATE, False):
            print("the state is cleared", flush=True)

    @enable_state.putter
    async def enable_state(self, instance: PvpropertyData, value: str) -> None:
        """Set the state, whatever was written."""
        async with self.update_state(STATE, True):
            print("the state is set", flush=True)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="state:", desc=StateIOC.__doc__)
    ioc = StateIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
