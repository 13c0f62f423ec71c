"""A record type of one's own: a motor whose fields do something by themselves."""

import random
import time
from typing import Any

from ioc_ops import ChannelType
from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    ioc_arg_parser,
    pvproperty,
    run,
)
from ioc_ops.server.records import MotorFields, register_record

STEPS = 100_000  # of the motor in one unit of its position


@register_record
class CustomMotorFields(MotorFields):
    """The fields of a motor record; the readback is noisy and needs no motor."""

    _record_type = "my_motor"

    # What is declared here takes the place of the field of this name.
    user_readback_value = pvproperty(
        name="RBV", dtype=ChannelType.DOUBLE, read_only=True, doc="Where the motor is"
    )

    @user_readback_value.scan(period=0.1)
    async def user_readback_value(
        self: Any, instance: PvpropertyData, async_lib: AsyncLibraryLayer
    ) -> None:
        """All readbacks tell of the same moment. `self` is the fields, `self.parent` the PV."""
        position = self.parent.value + random.uniform(0, 0.01)
        now = time.time()
        await instance.write(position, timestamp=now)
        await self.dial_readback_value.write(position, timestamp=now)
        await self.raw_readback_value.write(int(position * STEPS), timestamp=now)


class RecordMockingIOC(PVGroup):
    """
    Two motors of a record type that this file defines.

    mock:motor1 and mock:motor2 have all fields of a motor record. .RBV is within 0.01
    of the value, a new one ten times a second; .DRBV and .RRBV say the same in their
    own units.
    """

    motor1 = pvproperty(value=1.0, record="my_motor", doc="The first")
    motor2 = pvproperty(value=2.0, record="my_motor", doc="The second")


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="mock:", desc=RecordMockingIOC.__doc__)
    ioc = RecordMockingIOC(**ioc_options)
    print("PVs:", *ioc.pvdb)
    print("Fields of motor1:", *ioc.motor1.fields, flush=True)
    run(ioc.pvdb, **run_options)
