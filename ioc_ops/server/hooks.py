"""Runs the hooks of PVs, each on its own: what one raises stays with its PV."""

import logging
from collections.abc import Callable, Iterable, Iterator
from types import MethodType
from typing import Any, NamedTuple

from ioc_ops.channel import AlarmSeverity, AlarmStatus, ChannelData
from ioc_ops.errors import ConfigurationError
from ioc_ops.group import PVSpec, ScanSpec
from ioc_ops.server.context import Context
from ioc_ops.server.drivers.layer import AsyncLibraryLayer

__all__ = [
    "BoundHook",
    "failed",
    "hooked_among",
    "hooks_of",
    "run_restore",
    "run_scan",
    "run_startup",
    "run_stop",
]

log = logging.getLogger("ioc_ops.hook")

_MENU_SCAN = (0.0, 0.0, 0.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1)
"""Seconds by index of menuScan; 0 for Passive, Event and I/O Intr, which are no periods."""


class BoundHook(NamedTuple):
    """A hook, the PV or field it is about, and how it is called: ``call(channel, async_lib)``.

    ``pv`` is the PV that it comes and goes with: the record where ``channel`` is a field.
    """

    channel: ChannelData
    kind: str
    call: Callable[[Any, Any], Any]
    scan: ScanSpec | None
    pv: ChannelData


def hooks_of(channels: Iterable[ChannelData], kind: str) -> Iterator[BoundHook]:
    """All hooks of a kind, in the order of the PVs, those of fields behind their record's own."""
    done: set[int] = set()
    for channel in channels:
        spec: PVSpec | None = getattr(channel, "pvspec", None)
        # A PV with an alias comes twice.
        if spec is None or kind not in spec.hook_kinds or id(channel) in done:
            continue
        done.add(id(channel))
        hook = getattr(spec, kind)
        if hook is not None:
            yield _bound(channel, kind, hook, getattr(channel, "group", None), channel)
        for field in spec.running_field_hooks:
            if field.kind == kind:
                fields = channel.fields  # type: ignore[attr-defined]  # what has a spec has fields
                yield _bound(fields[field.field], kind, field.hook, fields, channel)


def hooked_among(channels: Iterable[ChannelData]) -> list[ChannelData]:
    """Those that have hooks of any kind."""
    return [
        channel
        for channel in channels
        if (spec := getattr(channel, "pvspec", None)) is not None and spec.hook_kinds
    ]


def _bound(
    channel: ChannelData, kind: str, hook: Any, owner: object | None, pv: ChannelData
) -> BoundHook:
    scan = hook if isinstance(hook, ScanSpec) else None
    function = hook if scan is None else scan.function
    call = function if owner is None else MethodType(function, owner)
    return BoundHook(channel, kind, call, scan, pv)


def failed(context: Context, hook: BoundHook, status: AlarmStatus, problem: Exception) -> None:
    """A hook has raised: alarm, counter and log."""
    context.counters.hook_failures[hook.kind] += 1
    hook.channel.alarm.change(status, AlarmSeverity.MAJOR_ALARM)
    log.error("%s: the %s hook failed", hook.channel.name, hook.kind, exc_info=problem)


async def run_restore(context: Context, hook: BoundHook, layer: AsyncLibraryLayer) -> None:
    """Await a restore hook. Raises ConfigurationError, nothing else."""
    try:
        await hook.call(hook.channel, layer)
    except ConfigurationError:
        raise
    except Exception as problem:
        failed(context, hook, AlarmStatus.READ, problem)


async def run_startup(context: Context, hook: BoundHook, layer: AsyncLibraryLayer) -> None:
    """Run a startup hook, which may go on for ever."""
    try:
        await hook.call(hook.channel, layer)
    except Exception as problem:
        context.tasks_failed += 1
        failed(context, hook, AlarmStatus.SOFT, problem)


async def run_stop(context: Context, hook: BoundHook, layer: AsyncLibraryLayer) -> None:
    """Await a shutdown or save hook."""
    try:
        await hook.call(hook.channel, layer)
    except Exception as problem:
        failed(context, hook, AlarmStatus.SOFT, problem)


async def run_scan(context: Context, hook: BoundHook, layer: AsyncLibraryLayer) -> None:
    """Call a scan hook in its rhythm. Its exceptions become a SCAN alarm until it is well again."""
    channel, scan = hook.channel, hook.scan
    assert scan is not None  # noqa: S101 - only scan hooks come here
    rhythm = _ScanField(channel, scan.period, layer) if scan.use_scan_field else None
    failing = False
    while True:
        period = scan.period if rhythm is None else await rhythm.period()
        began = layer.monotonic()
        try:
            await hook.call(channel, layer)
        except Exception:
            context.counters.hook_failures["scan"] += 1
            channel.alarm.change(AlarmStatus.SCAN, scan.failure_severity)
            if not failing:  # the first of a row is worth a traceback
                log.exception("%s: the scan hook failed", channel.name)
            failing = True
            if scan.stop_on_error:
                context.tasks_failed += 1
                log.error("%s: the scan has ended", channel.name)
                return
        else:
            if failing and channel.alarm.status == AlarmStatus.SCAN:
                channel.alarm.change(AlarmStatus.NO_ALARM, AlarmSeverity.NO_ALARM)
            failing = False
        elapsed = layer.monotonic() - began if scan.subtract_elapsed else 0.0
        # A hook slower than its period still leaves the loop a chance in between.
        pause = max(period - elapsed, 0.0)
        await (layer.sleep(pause) if rhythm is None else rhythm.pause(pause))
        if scan.subtract_elapsed:
            context.scans[period].note(layer.monotonic() - began, period)


class _ScanField:
    """The SCAN field of a record as the clock of its scan hook; a Feed of that field."""

    mask = 1

    def __init__(self, record: Any, period: float, layer: AsyncLibraryLayer) -> None:
        self._field = record.fields["SCAN"]
        self._layer = layer
        self._changed = layer.Event()
        # A period that the menu does not have counts until somebody chooses one from it.
        self._own = 0.0
        if not self._field.raw_value:
            if period in _MENU_SCAN:
                self._field.restore(_MENU_SCAN.index(period))
            else:
                self._own = period
        self._field.subscribe(self)

    def post(self) -> None:
        self._own = 0.0
        self._changed.set()

    async def period(self) -> float:
        """Seconds; waits while the field names no period."""
        while not (seconds := self._own or _MENU_SCAN[self._field.raw_value]):
            self._changed.clear()
            await self._changed.wait()
        self._changed.clear()
        return seconds

    async def pause(self, seconds: float) -> None:
        """Wait, or until the field changes."""
        await (self._changed.wait(seconds) if seconds > 0 else self._layer.sleep(0))
