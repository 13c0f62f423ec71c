"""What the IOCs that tests drive by hand have in common: a look at their PVs, and a write."""

from typing import Any

from virtual_clock import VirtualClock

from ioc_ops.channel import AlarmSeverity


class Driven:
    """An IOC whose PVs are called x:..., with a clock of the test's."""

    ioc: Any
    clock: VirtualClock

    def value(self, name: str) -> Any:
        return self.ioc.pvdb[f"x:{name}"].value

    def severity(self, name: str) -> AlarmSeverity:
        severity: AlarmSeverity = self.ioc.pvdb[f"x:{name}"].severity
        return severity

    async def set(self, name: str, value: object) -> None:
        await self.clock.until(self.ioc.pvdb[f"x:{name}"].write(value))
