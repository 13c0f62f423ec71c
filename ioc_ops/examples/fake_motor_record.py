"""Three motors that exist only as records."""

from typing import Any

from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    SubGroup,
    ioc_arg_parser,
    pvproperty,
    run,
)


class FakeMotor(PVGroup):
    """A motor record whose readback moves to what is written to it."""

    motor = pvproperty(value=0.0, name="", record="motor", doc="Where to go")

    def __init__(
        self,
        *arguments: Any,
        velocity: float = 0.1,
        precision: int = 3,
        acceleration: float = 1.0,
        resolution: float = 1e-6,
        user_limits: tuple[float, float] = (0.0, 100.0),
        tick_rate_hz: float = 10.0,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self.velocity = velocity
        self.precision = precision
        self.acceleration = acceleration
        self.resolution = resolution
        self.user_limits = user_limits
        self.tick = 1 / tick_rate_hz

    @motor.startup
    async def motor(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """What a controller does: wait for a position, go there, report."""
        fields = instance.field_inst
        low, high = self.user_limits
        self.wanted = async_lib.Event()
        await instance.write_metadata(
            precision=self.precision, lower_ctrl_limit=low, upper_ctrl_limit=high
        )
        await fields.velocity.write(self.velocity)
        await fields.seconds_to_velocity.write(self.acceleration)
        await fields.motor_step_size.write(self.resolution)
        await fields.user_low_limit.write(low)
        await fields.user_high_limit.write(high)
        while True:
            await self.wanted.wait()
            self.wanted.clear()
            if fields.user_readback_value.value == instance.value:
                continue
            await fields.done_moving_to_value.write(0)
            await fields.motor_is_moving.write(1)
            while fields.user_readback_value.value != instance.value:
                await async_lib.sleep(self.tick)
                await self.step(instance)
            await fields.motor_is_moving.write(0)
            await fields.done_moving_to_value.write(1)

    async def step(self, motor: PvpropertyData) -> None:
        """One tick of a move; SPMG and STOP may be written at any time."""
        fields = motor.field_inst
        position, target = fields.user_readback_value.value, motor.value
        command = fields.stop_pause_move_go.value
        if fields.stop.value or command == "Stop":
            await fields.stop.write(0)
            await motor.write(position)  # where it stands is where it shall be
            return
        if command == "Pause":
            return
        reach = fields.velocity.value * self.tick
        position += max(-reach, min(reach, target - position))
        await fields.user_readback_value.write(position)
        await fields.dial_readback_value.write(position)
        await fields.raw_readback_value.write(round(position / fields.motor_step_size.value))

    @motor.putter
    async def motor(self, instance: PvpropertyData, value: float) -> None:
        """Accept the position at once, as long as it lies within the limits."""
        self.wanted.set()


class FakeMotorIOC(PVGroup):
    """
    Three motor records, mtr1 to mtr3, with ranges and speeds of their own.

    caput sim:mtr1 5 starts a move; .RBV shows where the motor is, .DMOV is 1 when it has
    arrived, a 1 to .STOP ends the move where it is.
    """

    motor1 = SubGroup(FakeMotor, velocity=1.0, precision=3, user_limits=(0, 10), prefix="mtr1")
    motor2 = SubGroup(FakeMotor, velocity=2.0, precision=2, user_limits=(-10, 20), prefix="mtr2")
    motor3 = SubGroup(FakeMotor, velocity=3.0, precision=2, user_limits=(0, 30), prefix="mtr3")


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="sim:", desc=FakeMotorIOC.__doc__)
    ioc = FakeMotorIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
