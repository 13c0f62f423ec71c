"""Status PVs that change while the IOC runs."""

import math
import time
from dataclasses import replace
from typing import Any

from ioc_ops.channel import ChannelData
from ioc_ops.errors import LimitError
from ioc_ops.group import SubGroup
from ioc_ops.server import AsyncLibraryLayer, Context, current_context
from ioc_ops.status.activity import TrafficWatch, read_loop
from ioc_ops.status.asker import Asker
from ioc_ops.status.family_rows import QUEUE_ROWS
from ioc_ops.status.formats import next_heartbeat
from ioc_ops.status.general_time import GeneralTime
from ioc_ops.status.probe import ProcessProbe, read_clock, read_server
from ioc_ops.status.probing import ProbingGroup
from ioc_ops.status.properties import show, status_pv
from ioc_ops.status.queues import QueueWatch
from ioc_ops.status.readings import (
    ClockReading,
    LoopReading,
    QueuesReading,
    Readings,
    ServerReading,
    TimeReading,
    TrafficReading,
)
from ioc_ops.status.row import Period
from ioc_ops.status.scan_monitor import ScanMonitors
from ioc_ops.status.schedule import TICK, Schedule, until_next_beat
from ioc_ops.status.table import SCHEDULED

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


class PeriodicStatusHelper(ProbingGroup):
    """The life signs of the IOC under the names of iocStats.

    HEARTBEAT, TOD, UPTIME, the queues, General Time and the lag of the event loop change every
    second, the scan monitors at the rates in their names, the others with the periods that
    CA_UPD_TIME, FD_UPD_TIME, LOAD_UPD_TIME and MEM_UPD_TIME hold (1 to 60 s; a new one counts
    within 1 s); a write to UPD_TIME, the one period of caproto, sets all four. START_CNT, ACCESS
    and the alarm limits that iocStats has saved are saved where the IOC has an ``AutosaveHelper``.

    Args:
        prefix, macros, parent, name: as for every ``PVGroup``.
        probe: what to read the process with; by default this one.
    """

    def __init__(self, prefix: str = "", **arguments: Any) -> None:
        super().__init__(prefix, **arguments)
        self._asker = Asker()
        self._queues = QueueWatch()
        self._traffic = TrafficWatch()
        self._time = GeneralTime()

    async def _count_start(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        # By now the value of the run before is back: restore comes before all startup hooks.
        await instance.write(instance.value + 1)

    async def _beat(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        context = current_context()
        first = async_lib.monotonic()
        periods = {Period.START, Period.SECOND}  # clock.started and sizes of queues never change
        while True:
            await instance.write(next_heartbeat(instance.value))
            await show(self, self._moment(context, time.time()), periods)
            periods = {Period.SECOND}
            await async_lib.sleep(until_next_beat(async_lib.monotonic() - first))

    def _moment(self, context: Context, now: float) -> Readings:
        """What is read every second; what fails costs neither the others nor the heartbeat."""
        ask = self._asker.ask
        return Readings(
            clock=ask("clock", lambda: read_clock(context.started_at, now)) or ClockReading(),
            queues=ask("queues", lambda: self._queues.read(context)) or QueuesReading(),
            time=ask("time", lambda: self._time.read(now)) or TimeReading(),
            loop=ask("event loop", lambda: read_loop(context)) or LoopReading(),
        )

    async def _watch(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        context = current_context()
        schedule: Schedule[Period] = Schedule()
        readings = Readings()
        while True:
            due = schedule.due(async_lib.monotonic(), self._periods())
            if due:
                readings = self._ask_server(context, async_lib.monotonic(), readings, due)
                if due - {Period.CA}:
                    readings = await async_lib.run_in_thread(_sweep, self.probe, readings, due)
                await show(self, readings, due)
            await async_lib.sleep(TICK)

    def _ask_server(
        self, context: Context, now: float, readings: Readings, due: frozenset[Period]
    ) -> Readings:
        ask = self._asker.ask
        server = ask("server", lambda: read_server(context)) or ServerReading()
        readings = replace(readings, server=server)
        if Period.CA in due:
            traffic = ask("traffic", lambda: self._traffic.read(context, now))
            readings = replace(readings, traffic=traffic or TrafficReading())
        return readings

    def _periods(self) -> dict[Period, float]:
        return {period: float(self.pvdb[self.prefix + period.value].value) for period in SCHEDULED}

    async def _put_period(self, instance: ChannelData, seconds: float) -> None:
        if math.isnan(seconds):
            raise LimitError(f"{instance.name}: a period must be a number")

    async def _put_all_periods(self, instance: ChannelData, seconds: float) -> None:
        for period in SCHEDULED:
            await self.pvdb[self.prefix + period.value].write(seconds)

    async def _reset_time(self, instance: ChannelData, state: str) -> None:
        self._time.reset()
        await self.time_errors.write(0, verify_value=False)

    access = status_pv("ACCESS")
    started = status_pv("STARTTOD")
    time_of_day = status_pv("TOD")
    heartbeat = status_pv("HEARTBEAT", startup=_beat)
    start_count = status_pv("START_CNT", startup=_count_start)
    uptime = status_pv("UPTIME")
    ca_clients = status_pv("CA_CLNT_CNT", startup=_watch)
    ca_channels = status_pv("CA_CONN_CNT")
    record_count = status_pv("RECORD_CNT")
    event_rate = status_pv("CA_EVENT_RATE")
    put_rate = status_pv("CA_PUT_RATE")
    get_rate = status_pv("CA_GET_RATE")
    loop_lag = status_pv("LOOP_LAG_MAX")
    loop_lag_p99 = status_pv("LOOP_LAG_P99")
    descriptor_limit = status_pv("FD_MAX")
    descriptors = status_pv("FD_CNT")
    descriptors_free = status_pv("FD_FREE")
    threads = status_pv("NumThreads")
    system_load = status_pv("SYS_CPU_LOAD")
    process_load = status_pv("IOC_CPU_LOAD")
    failed_tasks = status_pv("SUSP_TASK_CNT")
    memory_used = status_pv("MEM_USED")
    memory_free = status_pv("MEM_FREE")
    memory_total = status_pv("MEM_MAX")
    ca_period = status_pv("CA_UPD_TIME", put=_put_period)
    descriptors_period = status_pv("FD_UPD_TIME", put=_put_period)
    load_period = status_pv("LOAD_UPD_TIME", put=_put_period)
    memory_period = status_pv("MEM_UPD_TIME", put=_put_period)
    all_periods = status_pv("UPD_TIME", put=_put_all_periods)
    epics_time = status_pv("GTIM_TIME")
    time_reset = status_pv("GTIM_RESET", put=_reset_time)
    time_errors = status_pv("GTIM_ERR_CNT")
    time_source = status_pv("GTIM_CUR_SRC")
    time_event_source = status_pv("GTIM_EVT_SRC")
    time_highest_source = status_pv("GTIM_HI_SRC")
    queues = SubGroup({row.suffix.lower(): status_pv(row.suffix) for row in QUEUE_ROWS}, prefix="")
    scan_monitors = SubGroup(ScanMonitors, prefix="")
