"""An IOC whose hooks run by themselves: scans by SCAN, hooks of fields, records of its own."""

from typing import Any

from ioc_ops.ca import ChannelType
from ioc_ops.server import PVGroup, pvproperty
from ioc_ops.server.records import MotorFields, register_record


@register_record
class WanderingMotorFields(MotorFields):
    """A motor that reports its position by itself."""

    _record_type = "wandering_motor"

    user_readback_value = pvproperty(name="RBV", dtype=ChannelType.DOUBLE, read_only=True)
    turns = pvproperty(name="TURN", value=0)

    @user_readback_value.scan(period=0.05)
    async def user_readback_value(self, instance: Any, async_lib: Any) -> None:
        await instance.write(self.parent.value + 0.25)
        await self.dial_readback_value.write(self.parent.value - 1.0)
        await self.turns.write(self.turns.value + 1)

    async def value_write_hook(self, instance: Any, value: float) -> None:
        await self.done_moving_to_value.write(0)


class Running(PVGroup):
    """What the tests look at."""

    fence = pvproperty(record="longout")
    motor = pvproperty(value=2.0, record="wandering_motor")
    clock = pvproperty(value=0, record="longin")
    scanned = pvproperty(value=0, record="longin")
    odd = pvproperty(value=0, record="longin")
    started = pvproperty(value=0.0, record="ai")

    @clock.scan(period=0.03)
    async def clock(self, instance: Any, async_lib: Any) -> None:
        await instance.write(instance.value + 1)

    @scanned.scan(period=0.1, use_scan_field=True)
    async def scanned(self, instance: Any, async_lib: Any) -> None:
        await instance.write(instance.value + 1)

    @odd.scan(period=0.07, use_scan_field=True)
    async def odd(self, instance: Any, async_lib: Any) -> None:
        await instance.write(instance.value + 1)

    @started.fields.DESC.startup
    async def started(fields: Any, instance: Any, async_lib: Any) -> None:  # noqa: N805
        await instance.write(f"started as {fields.parent.name}")

    @started.fields.PHAS.scan(period=0.05)
    async def started(fields: Any, instance: Any, async_lib: Any) -> None:  # noqa: N805
        await instance.write((instance.value + 1) % 1000)

    @started.fields.DESC.shutdown
    async def started(fields: Any, instance: Any, async_lib: Any) -> None:  # noqa: N805
        fields.log.warning("stopped %s", instance.name)


def running() -> PVGroup:
    """Our IOC."""
    return Running(prefix="R:")
