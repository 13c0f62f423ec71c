"""MemoryTracingHelper: where the memory of an IOC goes."""

import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ioc_ops.channel import AlarmSeverity, AlarmStatus, ChannelData, ChannelType
from ioc_ops.group import PVGroup, PvpropertyData, pvproperty
from ioc_ops.server import AsyncLibraryLayer
from ioc_ops.status.button import asked, button, release
from ioc_ops.status.formats import clip, time_of_day
from ioc_ops.status.host import Host, LocalHost
from ioc_ops.status.memory_trace import (
    TRACEMALLOC_FILTERS,
    CollectorReading,
    Tracer,
    TraceReading,
)

__all__ = ["MemoryTracingHelper"]

_LIST_LENGTH = 20_000  # bytes, as in caproto
_SWITCH = ("Disable", "Enable")


def _number(name: str, doc: str, units: str = "", precision: int = 0) -> pvproperty:
    return pvproperty(
        name=name,
        value=0.0,
        doc=doc,
        record="ai",
        read_only=True,
        units=units,
        precision=precision,
    )


def _list(name: str, doc: str) -> pvproperty:
    return pvproperty(
        name=name,
        value="",
        dtype=ChannelType.CHAR,
        max_length=_LIST_LENGTH,
        doc=doc,
        record="waveform",
        read_only=True,
    )


class MemoryTracingHelper(PVGroup):
    """Which lines of the program allocate memory, and which of them ever more.

    Nothing is traced until EnableTracing is written: tracing makes every allocation slower and
    costs memory of its own (TraceOverhead). From then on a snapshot is taken every TracePeriod
    seconds and compared with the one before (TraceDiffResults) and with the baseline
    (GrowthResults), in a worker thread; TraceSeconds is what that takes. While the traces are
    copied no Python code runs, so a large program stands still for a part of that time.

    The baseline is the first snapshot, or the one of the last write of 1 to SetBaseline. A leak
    stands at the top of GrowthResults, with file and line. Another TraceFilter makes another
    baseline. RSS and the garbage collector's counts are shown whether or not memory is traced.

    Args:
        prefix, macros, parent, name: as for every ``PVGroup``.
        filters: of ``tracemalloc``; default TRACEMALLOC_FILTERS. Operators add
            theirs by TraceFilter: patterns of file names, those to leave out with ``-`` in front.
        directory: where SaveSnapshot writes its files; clients cannot choose it.
        period: first value of TracePeriod, in seconds.
        host: what to read the resident memory with; by default this process.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        macros: Mapping[str, str] | None = None,
        parent: PVGroup | None = None,
        name: str | None = None,
        filters: Sequence[tracemalloc.Filter] | None = None,
        directory: str | Path = ".",
        period: float = 10.0,
        host: Host | None = None,
    ) -> None:
        super().__init__(prefix, macros=macros, parent=parent, name=name)
        self.filters = list(TRACEMALLOC_FILTERS if filters is None else filters)
        self.directory = Path(directory)
        self._tracer = Tracer(self.filters)
        self._host = LocalHost() if host is None else host
        self._wake: Callable[[], None] = _nobody
        self.traced_current = 0
        """Bytes that were traced at the last look; 0 while nothing is traced."""
        self.traced_peak = 0
        """Most bytes that were traced, likewise."""
        self.trace_period.restore(period)

    async def _hurry(self, instance: ChannelData, value: object) -> None:
        self._wake()  # runs once this write is done

    # -- what happens ------------------------------------------------------------------------

    async def _watch(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        changed = async_lib.Event()
        self._wake = changed.set
        try:
            while True:
                try:
                    await self._look(async_lib)
                except Exception:
                    self.log.exception("memory: cannot look")
                    await _undefine(self.trace_seconds)
                await changed.wait(float(self.trace_period.value))
                changed.clear()
        finally:
            self._tracer.stop()

    async def _look(self, async_lib: AsyncLibraryLayer) -> None:
        await self._show_process(await async_lib.run_in_thread(self._resident))
        rebase, save = asked(self.set_baseline), asked(self.save_snapshot)
        if self.enable_tracing.value == _SWITCH[1]:
            self._tracer.start()
            self._tracer.use(str(self.trace_filter.value))
            count = max(0, int(self.trace_count.value))
            reading = await async_lib.run_in_thread(self._take, count, rebase)
            await self._show_trace(reading)
            if reading.is_baseline:
                await self.baseline_time.write(time_of_day(time.time()))
            if save:
                await self._save(async_lib)
        else:
            await async_lib.run_in_thread(self._tracer.stop)
            await self._show_nothing()
            if save:
                await self._said("nothing is traced: write Enable to EnableTracing", failed=True)
        for wanted, pv in ((rebase, self.set_baseline), (save, self.save_snapshot)):
            if wanted:
                await release(pv)

    def _take(self, count: int, rebase: bool) -> TraceReading:
        return self._tracer.look(count, rebase=rebase)

    def _resident(self) -> int | None:
        try:
            return self._host.resident()
        except Exception as problem:  # whatever psutil raises costs this reading alone
            self.log.warning("memory: cannot read the resident memory: %s", problem)
            return None

    async def _show_process(self, resident: int | None) -> None:
        if resident is None:
            await _undefine(self.resident)
        else:
            await self.resident.write(float(resident))
        collector = CollectorReading.now()
        pvs = (self.young, self.middle, self.old)
        for pv, count in zip(pvs, collector.counts, strict=True):
            await pv.write(float(count))
        await self.collected.write(float(collector.collected))
        await self.uncollectable.write(float(collector.uncollectable))

    async def _show_nothing(self) -> None:
        """Nothing is traced. The lists stay: one may trace for a minute, and then read them."""
        self.traced_current = self.traced_peak = 0
        for pv in (self.current, self.peak, self.overhead):
            await pv.write(0.0)
        await self.baseline_time.write("")

    async def _show_trace(self, reading: TraceReading) -> None:
        self.traced_current, self.traced_peak = reading.current, reading.peak
        await self.current.write(float(reading.current))
        await self.peak.write(float(reading.peak))
        await self.growth.write(float(reading.growth))
        await self.overhead.write(float(reading.overhead))
        await self.trace_seconds.write(reading.seconds)
        for pv, text in (
            (self.top_allocations, reading.top),
            (self.diff_results, reading.difference),
            (self.growth_results, reading.since_baseline),
        ):
            await pv.write(clip(text, _LIST_LENGTH - 1))

    async def _save(self, async_lib: AsyncLibraryLayer) -> None:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime())
        path = self.directory / f"memory-{_file_name(self.prefix)}{stamp}.tracemalloc"
        try:
            size = await async_lib.run_in_thread(self._tracer.save, path)
        except (OSError, RuntimeError) as problem:
            self.log.error("memory: cannot write %s: %s", path, problem)
            await self._said(f"{path}: {problem}", failed=True)
        else:
            self.log.info("memory: %d bytes in %s", size, path)
            await self._said(str(path.absolute()), failed=False)

    async def _said(self, text: str, *, failed: bool) -> None:
        severity = AlarmSeverity.MAJOR_ALARM if failed else AlarmSeverity.NO_ALARM
        status = AlarmStatus.WRITE if failed else AlarmStatus.NO_ALARM
        size = self.snapshot_file.max_length - 1
        await self.snapshot_file.write(clip(text, size), status=status, severity=severity)

    enable_tracing = pvproperty(
        name="EnableTracing",
        value=_SWITCH[0],
        dtype=ChannelType.ENUM,
        enum_strings=_SWITCH,
        record="bo",
        doc="Trace allocations",
        put=_hurry,
        startup=_watch,
    )
    diff_results = _list("TraceDiffResults", "Where memory has grown since the look before")
    top_allocations = _list("TraceTopAllocations", "Where most memory has been allocated")
    trace_count = pvproperty(
        name="TraceCount", value=10, record="ao", doc="Places that the lists name", drive_high=1000
    )
    trace_filter = pvproperty(
        name="TraceFilter",
        value="",
        dtype=ChannelType.CHAR,
        max_length=256,
        record="waveform",
        doc="Patterns of files to look at; those with - in front are left out",
        put=_hurry,
    )
    trace_period = pvproperty(
        name="TracePeriod",
        value=10.0,
        record="ao",
        doc="Time between two looks",
        units="sec",
        precision=1,
        drive_low=0.1,
        drive_high=3600.0,
        put=_hurry,
    )
    current = _number("TracedCurrent", "Memory that is traced now", "byte")
    peak = _number("TracedPeak", "Most memory that was traced", "byte")
    resident = _number("RSS", "Resident memory of the process", "byte")
    young = _number("GcCount0", "Objects in generation 0 of the garbage collector")
    middle = _number("GcCount1", "Collections of generation 0 since one of generation 1")
    old = _number("GcCount2", "Collections of generation 1 since one of generation 2")
    collected = _number("GcCollected", "Objects that the garbage collector has freed")
    uncollectable = _number("GcUncollectable", "Objects that it found and could not free")
    growth = _number("TraceGrowth", "Traced memory more than at the baseline", "byte")
    growth_results = _list("GrowthResults", "Where memory has grown since the baseline")
    set_baseline = button(
        "SetBaseline", "Write 1 to compare with now from now on; back at 0 when done", _hurry
    )
    baseline_time = pvproperty(
        name="BaselineTime",
        value="",
        dtype=ChannelType.STRING,
        record="stringin",
        read_only=True,
        doc="When the baseline was set",
    )
    save_snapshot = button(
        "SaveSnapshot",
        "Write 1 to save a snapshot for tracemalloc.Snapshot.load; back at 0 when done",
        _hurry,
    )
    snapshot_file = pvproperty(
        name="SnapshotFile",
        value="",
        dtype=ChannelType.CHAR,
        max_length=1024,
        record="waveform",
        read_only=True,
        doc="The last snapshot, or why there is none",
    )
    overhead = _number("TraceOverhead", "Memory that tracing itself needs", "byte")
    trace_seconds = _number("TraceSeconds", "What the last look took", "sec", 3)


def _nobody() -> None:
    """Nothing waits yet."""


async def _undefine(pv: PvpropertyData) -> None:
    await pv.alarm.write(status=AlarmStatus.UDF, severity=AlarmSeverity.INVALID_ALARM)


def _file_name(prefix: str) -> str:
    """``prefix`` without what a file name should not have."""
    kept = "".join(c if c.isalnum() or c in "-_." else "-" for c in prefix)
    return kept.strip("-.") + "-" * bool(kept.strip("-."))
