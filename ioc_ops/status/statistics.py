"""StatisticsHelper: what chosen PVs of the IOC did during the last minute."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ioc_ops.channel import AlarmSeverity, AlarmStatus, ChannelData, ChannelNumeric
from ioc_ops.errors import ConfigurationError, DefinitionError
from ioc_ops.group import PVGroup, PvpropertyData, PVSpec
from ioc_ops.server import AsyncLibraryLayer, current_context
from ioc_ops.status.button import asked, button, release
from ioc_ops.status.watched import Taken, Watched, find, is_pattern, why_not
from ioc_ops.status.window import Batch, SlidingWindow, Summary

__all__ = ["StatisticsHelper"]

_PRECISION = 3  # where the watched PV has none of its own
_SHORTEST = 0.05  # seconds
_LONG = 0.01  # seconds of work, after which three times as much are left to others
_AT_ONCE = 20  # PVs whose statistics are written before others get their turn

Watch = str | Mapping[str, str] | Iterable[str]


class _Shown(NamedTuple):
    """A PV of each watched PV and window: its name, how it is told, and what of the summary."""

    name: str
    doc: str
    of: Callable[[Summary], float | None]
    like_watched: bool = True
    units: str = ""


_SHOWN = (
    _Shown("Count", "Values", lambda s: s.count, like_watched=False),
    _Shown("Rate", "Updates per second", lambda s: s.rate, like_watched=False, units="1/s"),
    _Shown("Mean", "Mean", lambda s: s.mean),
    _Shown("StdDev", "Standard deviation", lambda s: s.deviation),
    _Shown("Min", "Least value", lambda s: s.least),
    _Shown("Max", "Largest value", lambda s: s.largest),
    _Shown("NonFinite", "Values that are NaN or infinite", lambda s: s.nonfinite, False),
    _Shown("Invalid", "Updates while the PV was INVALID", lambda s: s.invalid, False),
    _Shown("Skipped", "Updates too many to look at", lambda s: s.skipped, False),
)


def _shown(percentiles: Sequence[float]) -> tuple[_Shown, ...]:
    """What is shown of a PV, percentiles included."""

    def percentile(index: int) -> Callable[[Summary], float | None]:
        return lambda s: None if s.percentiles is None else s.percentiles[index]

    return _SHOWN + tuple(
        _Shown(f"P{_in_name(percent)}", f"{percent:g}th percentile", percentile(index))
        for index, percent in enumerate(percentiles)
    )


def _in_name(number: float) -> str:
    # What follows a dot in the name of a PV would be a field.
    return f"{number:g}".replace(".", "_")


@dataclass(slots=True)
class _Job:
    """A watched PV, its windows, and the PVs that show them."""

    watched: Watched
    windows: list[SlidingWindow]
    shown: list[list[PvpropertyData]]
    """By window, in the order of what is shown."""
    told: tuple[str, int] = ("", -1)
    """Units and precision that the PVs have."""
    failing: bool = False
    held: Batch | None = None
    """The value that the PV has, once it was asked for."""


class StatisticsHelper(PVGroup):
    """Count, rate, mean, spread, extremes and percentiles of chosen PVs over the last seconds.

    Use it as ``stats = SubGroup(StatisticsHelper, prefix="Stats:", watch={"Temp:":
    "temperature"})``: the PVs are ``Stats:Temp:Mean`` and so on. Every update that a monitor of
    the PV would get counts; of arrays, each of their elements. NaN and infinities are counted and
    left out, and so are updates while the PV is INVALID. Where no update came during a window,
    the value that the PV holds is told of, with a Count of 0; where there is no number to tell
    of, the PVs are UDF/INVALID.

    A window is as long as told, up to a sixtieth or a ``period`` more. Its memory is bounded,
    whatever comes (``ioc_ops.status.window``); percentiles are exact up to 400 values in a
    sixtieth of it, else of a rank that is off by less than 1 %. The work is done in a worker
    thread, every ``period`` seconds. Updates that would need more than a quarter of one CPU, such
    as those of many large arrays, are left out and counted as Skipped.

    Args:
        prefix, macros, parent, name: as for every ``PVGroup``.
        watch: PVs to watch, each an attribute (``"motor.velocity"``), a PV name, with or without
            the prefix of the group that this is part of, or a pattern of them (``"zone*:temp"``)
            that means all that hold numbers. As a mapping, by what the names of its statistics
            begin with; else that is what was given, or the name that matched, and a colon. A
            pattern in a mapping adds the names that match to its key.
        windows: lengths in seconds. The names of the first window's PVs have nothing to tell it,
            those of others begin with their length: ``Stats:Temp:3600s:Mean``.
        percentiles: 0 to 100; ``99.9`` makes a PV called ``P99_9``.
        period: seconds between two updates of the statistics.
        at_most: PVs that patterns may match, lest one of them matches too many by mistake.

    Raises:
        DefinitionError: windows, percentiles or period make no sense, or a name is there twice.
        ConfigurationError: at the start of the IOC: a PV does not exist, or holds text or states.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        macros: Mapping[str, str] | None = None,
        parent: PVGroup | None = None,
        name: str | None = None,
        watch: Watch,
        windows: Sequence[float] = (60.0,),
        percentiles: Sequence[float] = (50.0, 95.0, 99.0),
        period: float = 1.0,
        at_most: int = 256,
    ) -> None:
        super().__init__(prefix, macros=macros, parent=parent, name=name)
        self.windows = tuple(float(length) for length in windows)
        self.percentiles = tuple(float(percent) for percent in percentiles)
        self.period = float(period)
        self._at_most = at_most
        self._watch = tuple(_wanted(watch))
        self._check()
        self._shown = _shown(self.percentiles)
        # Those of patterns follow at the start, when all PVs are there to be matched.
        self._pvs = {key: self._make_pvs(key) for key, text in self._watch if not is_pattern(text)}
        self._jobs: list[_Job] = []
        self._wake: Callable[[], None] = _nobody

    def _check(self) -> None:
        if not self.period >= _SHORTEST:
            raise DefinitionError(f"{self.name}: the period must be {_SHORTEST} s or more")
        for what, numbers, fine in (
            ("windows", self.windows, lambda n: self.period <= n < math.inf),
            ("percentiles", self.percentiles, lambda n: 0 <= n <= 100),
        ):
            if not all(map(fine, numbers)) or len(set(numbers)) < len(numbers):
                raise DefinitionError(f"{self.name}: {what} make no sense: {numbers}")
        if not self.windows or not self._watch:
            raise DefinitionError(f"{self.name}: statistics need watch= and a window")

    def _make_pvs(self, key: str) -> list[list[PvpropertyData]]:
        """The PVs that show one PV, by window."""
        return [
            [self._make_pv(key, window, shown) for shown in self._shown] for window in self.windows
        ]

    def _make_pv(self, key: str, window: float, shown: _Shown) -> PvpropertyData:
        infix = "" if window == self.windows[0] else f"{_in_name(window)}s:"
        spec = PVSpec(
            value=0.0,
            record="ai",
            read_only=True,
            doc=f"{shown.doc}, last {window:g} s",
            name=f"{key}{infix}{shown.name}",
            cls_kwargs={"units": shown.units, "precision": _PRECISION if shown.units else 0},
        )
        pv = self.add_pv(f"{key}{infix}{shown.name}", spec)
        pv.alarm.change(AlarmStatus.UDF, AlarmSeverity.INVALID_ALARM)
        return pv

    # -- what happens ------------------------------------------------------------------------

    async def _find(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        """Before any client can connect: which PVs are meant."""
        context = current_context()
        matched: dict[str, ChannelData] = {}
        for key, text in self._watch:
            try:
                found = list(find(text, self.parent, context.find, context.pvdb))
            except ConfigurationError as problem:
                raise ConfigurationError(f"{self.name}: {problem}") from None
            if not is_pattern(text):
                self._begin(found[0][1], self._pvs[key])
                continue
            for label, channel in found:
                if not isinstance(getattr(channel, "group", None), StatisticsHelper):
                    matched[f"{key}{label}:"] = channel
        if len(matched) > self._at_most:
            raise ConfigurationError(
                f"{self.name}: the patterns match {len(matched)} PVs: narrow them, or give at_most="
            )
        for key, channel in matched.items():
            self._begin(channel, self._make_pvs(key))
        context.added.append(lambda pv: self._rebind(pv, context.find))
        context.removed.append(lambda pv: self._rebind(pv, context.find))

    def _rebind(self, pv: ChannelData, lookup: Callable[[str], ChannelData | None]) -> None:
        """A PV has come or gone: watch what bears the names of what we watch now."""
        for job in self._jobs:
            name = job.watched.channel.name
            if name != pv.name and not name.startswith(f"{pv.name}."):
                continue
            channel = lookup(name)
            if channel is not None and (reason := why_not(channel)):
                self.log.warning("no statistics of %s: %s", name, reason)
                channel = None
            job.watched.follow(channel)
            job.held = None

    def _begin(self, channel: ChannelData, shown: list[list[PvpropertyData]]) -> None:
        job = _Job(Watched(channel, self._hurry), [], shown)
        self._describe(job)
        self._jobs.append(job)

    def _hurry(self) -> None:
        self._wake()

    async def _put_reset(self, instance: ChannelData, value: object) -> None:
        self._wake()  # runs once this write is done

    async def _run(self, instance: ChannelData, async_lib: AsyncLibraryLayer) -> None:
        changed = async_lib.Event()
        self._wake = changed.set
        self._forget(async_lib.monotonic())
        for job in self._jobs:
            job.watched.take()  # what a restore has written is no update
        due = async_lib.monotonic() + self.period
        while True:
            await changed.wait(max(0.0, due - async_lib.monotonic()))
            changed.clear()
            taken = [job.watched.take() for job in self._jobs]
            now = async_lib.monotonic()
            summaries = await async_lib.run_in_thread(self._work, taken, now, now >= due)
            if asked(self.reset):
                self._forget(async_lib.monotonic())
                await release(self.reset)
            elif now >= due:
                await self._show(summaries, async_lib)
            worked = async_lib.monotonic() - now
            if worked > _LONG:
                await async_lib.sleep(3 * worked)
            if now >= due:
                # No drift, and no burst after a stall.
                due = max(due + self.period, now + self.period / 2)

    def _forget(self, now: float) -> None:
        """Begin all windows anew."""
        for job in self._jobs:
            job.windows = [SlidingWindow(length, now, self.period) for length in self.windows]

    def _work(self, taken: Sequence[Taken], now: float, show: bool) -> list[list[Summary] | None]:
        """In a worker thread. None for a PV whose statistics failed, or are not to be shown."""
        return [
            self._summaries(job, each, now, show)
            for job, each in zip(self._jobs, taken, strict=True)
        ]

    def _summaries(self, job: _Job, taken: Taken, now: float, show: bool) -> list[Summary] | None:
        def held() -> Batch | None:
            job.held = taken.held(job.held)
            return job.held

        try:
            if taken.updates:
                job.held = None
            batch = taken.digest()
            for window in job.windows:
                window.add(batch, now)
            if not show:
                return None
            summaries = [window.summary(self.percentiles, now, held) for window in job.windows]
        except Exception:  # costs this PV alone
            if not job.failing:
                self.log.exception("statistics: cannot look at %s", job.watched.channel.name)
            job.failing = True
            return None
        job.failing = False
        return summaries

    async def _show(
        self, summaries: Sequence[list[Summary] | None], async_lib: AsyncLibraryLayer
    ) -> None:
        for number, (job, windows) in enumerate(zip(self._jobs, summaries, strict=True)):
            if number % _AT_ONCE == _AT_ONCE - 1:
                await async_lib.sleep(0)
            self._describe(job)
            for index, pvs in enumerate(job.shown):
                for shown, pv in zip(self._shown, pvs, strict=True):
                    value = None if windows is None else shown.of(windows[index])
                    if value is None:
                        await pv.alarm.write(
                            status=AlarmStatus.UDF, severity=AlarmSeverity.INVALID_ALARM
                        )
                    else:
                        await pv.write(float(value))

    def _describe(self, job: _Job) -> None:
        """Units and precision are those of the watched PV, also when it changes them."""
        channel = job.watched.channel
        told = ("", 0)
        if isinstance(channel, ChannelNumeric):
            precision = channel.precision
            told = (channel.units, _PRECISION if precision is None else precision)
        if told == job.told:
            return
        job.told = told
        for pvs in job.shown:
            for shown, pv in zip(self._shown, pvs, strict=True):
                if shown.like_watched:
                    pv.update_metadata(units=told[0], precision=told[1])

    reset = button("Reset", "Write 1 to begin all windows anew; back at 0 when done", _put_reset)
    reset.pvspec = reset.pvspec.new(restore=_find, startup=_run)


def _wanted(watch: Watch) -> Iterator[tuple[str, str]]:
    """What the names of statistics begin with, and of what they are."""
    wanted: Iterable[tuple[str | None, str]]
    if isinstance(watch, Mapping):
        wanted = watch.items()
    else:
        wanted = [(None, text) for text in ([watch] if isinstance(watch, str) else watch)]
    for key, text in wanted:
        if not isinstance(text, str):
            raise DefinitionError(f"watch={watch!r}: PVs are named as text")
        if key is None:
            key = "" if is_pattern(text) else f"{text}:"  # what a pattern matches has its own name
        yield key, text


def _nobody() -> None:
    """Nothing waits yet."""
