"""Status PVs that change while the IOC runs."""

import os
import time
from collections.abc import Mapping
from dataclasses import replace

from ioc_ops.channel import AlarmStatus, ChannelData
from ioc_ops.errors import SkipWrite
from ioc_ops.group import PVGroup
from ioc_ops.server import AsyncLibraryLayer, current_context
from ioc_ops.status.formats import next_heartbeat
from ioc_ops.status.host import LocalHost
from ioc_ops.status.probe import ProcessProbe, read_clock, read_server
from ioc_ops.status.properties import mark_unread, show, status_pv
from ioc_ops.status.readings import Readings
from ioc_ops.status.schedule import TICK, Schedule, until_next_beat
from ioc_ops.status.table import ACCESS_SEVERITIES, ACCESS_STATES, SCHEDULED, Period

__all__ = ["PeriodicStatusHelper"]


def _sweep(probe: ProcessProbe, readings: Readings, due: frozenset[Period]) -> Readings:
    """``readings`` with those replaced that are due. Asks the operating system: may block."""
    if Period.DESCRIPTORS in due:
        readings = replace(readings, descriptors=probe.descriptors())
    if Period.LOAD in due:
        readings = replace(readings, load=probe.load())
    if Period.MEMORY in due:
        readings = replace(readings, memory=probe.memory())
    return readings


class PeriodicStatusHelper(PVGroup):
    """The life signs of the IOC under the names of iocStats.

    HEARTBEAT, TOD and UPTIME change every second, the others with the periods that CA_UPD_TIME,
    FD_UPD_TIME, LOAD_UPD_TIME and MEM_UPD_TIME hold (1 to 60 s; a new one counts within 1 s).
    START_CNT and ACCESS are saved where the IOC has an ``AutosaveHelper``.

    Args:
        prefix, macros, parent, name: as for every ``PVGroup``.
        probe: what to read the process with; by default this one.
    """

    def __init__(
        self,
        prefix: str,
        *,
        macros: Mapping[str, str] | None = None,
        parent: PVGroup | None = None,
        name: str | None = None,
        probe: ProcessProbe | None = None,
    ) -> None:
        super().__init__(prefix, macros=macros, parent=parent, name=name)
        self._probe = ProcessProbe(LocalHost(), os.environ) if probe is None else probe
        mark_unread(self)

    async def _count_start(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        # By now the value of the run before is back: restore comes before all startup hooks.
        await instance.write(instance.value + 1)

    async def _beat(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        started_at = current_context().started_at
        first = async_lib.monotonic()
        while True:
            await instance.write(next_heartbeat(instance.value))
            clock = read_clock(started_at, time.time())
            await show(self, Readings(clock=clock), {Period.SECOND})
            await async_lib.sleep(until_next_beat(async_lib.monotonic() - first))

    async def _watch(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        context = current_context()
        schedule: Schedule[Period] = Schedule()
        readings = Readings(clock=read_clock(context.started_at, time.time()))
        await show(self, readings, {Period.START})
        while True:
            due = schedule.due(async_lib.monotonic(), self._periods())
            if due:
                readings = replace(readings, server=read_server(context))
                if due - {Period.CA}:
                    readings = await async_lib.run_in_thread(_sweep, self._probe, readings, due)
                await show(self, readings, due)
            await async_lib.sleep(TICK)

    def _periods(self) -> dict[Period, float]:
        return {period: float(self.pvdb[self.prefix + period.value].value) for period in SCHEDULED}

    async def _set_access(self, instance: ChannelData, state: str) -> None:
        severity = ACCESS_SEVERITIES[ACCESS_STATES.index(state)]
        status = AlarmStatus.STATE if severity else AlarmStatus.NO_ALARM
        await instance.write(state, verify_value=False, status=status, severity=severity)

    async def _put_access(self, instance: ChannelData, state: str) -> None:
        await self._set_access(instance, state)
        raise SkipWrite  # it is written, with the severity of its state

    async def _access_at_start(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        await self._set_access(instance, instance.value)

    access = status_pv("ACCESS", put=_put_access, startup=_access_at_start)
    started = status_pv("STARTTOD")
    time_of_day = status_pv("TOD")
    heartbeat = status_pv("HEARTBEAT", startup=_beat)
    start_count = status_pv("START_CNT", startup=_count_start)
    uptime = status_pv("UPTIME")
    ca_clients = status_pv("CA_CLNT_CNT", startup=_watch)
    ca_channels = status_pv("CA_CONN_CNT")
    record_count = status_pv("RECORD_CNT")
    descriptor_limit = status_pv("FD_MAX")
    descriptors = status_pv("FD_CNT")
    descriptors_free = status_pv("FD_FREE")
    threads = status_pv("NumThreads")
    system_load = status_pv("SYS_CPU_LOAD")
    process_load = status_pv("IOC_CPU_LOAD")
    process_load_alias = status_pv("LOAD")
    failed_tasks = status_pv("SUSP_TASK_CNT")
    memory_used = status_pv("MEM_USED")
    memory_free = status_pv("MEM_FREE")
    memory_total = status_pv("MEM_MAX")
    ca_period = status_pv("CA_UPD_TIME")
    descriptors_period = status_pv("FD_UPD_TIME")
    load_period = status_pv("LOAD_UPD_TIME")
    memory_period = status_pv("MEM_UPD_TIME")
