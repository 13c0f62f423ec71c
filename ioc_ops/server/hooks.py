"""Runs the hooks of PVs, each on its own: what one raises stays with its PV."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ioc_ops.channel import AlarmSeverity, AlarmStatus, ChannelData
from ioc_ops.errors import ConfigurationError
from ioc_ops.group import PvpropertyData, PVSpec, ScanSpec
from ioc_ops.server.context import Context
from ioc_ops.server.drivers.layer import AsyncLibraryLayer

__all__ = ["run_restore", "run_scan", "run_startup", "run_stop", "with_hook"]

log = logging.getLogger("ioc_ops.hook")


def with_hook(channels: Iterable[ChannelData], kind: str) -> Iterator[PvpropertyData]:
    """The PVs that have a hook of a kind, in their order."""
    for channel in channels:
        spec = getattr(channel, "pvspec", None)
        if spec is not None and getattr(spec, kind) is not None:
            yield channel  # type: ignore[misc]


def _bound(channel: PvpropertyData, hook: Callable[..., Any]) -> Callable[..., Any]:
    return PVSpec.bind(hook, channel.group)


def _failed(
    context: Context,
    channel: PvpropertyData,
    kind: str,
    status: AlarmStatus,
    problem: Exception,
) -> None:
    context.counters.hook_failures[kind] += 1
    channel.alarm.change(status, AlarmSeverity.MAJOR_ALARM)
    log.error("%s: the %s hook failed", channel.name, kind, exc_info=problem)


async def run_restore(context: Context, channel: PvpropertyData, layer: AsyncLibraryLayer) -> None:
    """Await a restore hook. Raises ConfigurationError, nothing else."""
    try:
        await _bound(channel, channel.pvspec.restore)(channel, layer)
    except ConfigurationError:
        raise
    except Exception as problem:
        _failed(context, channel, "restore", AlarmStatus.READ, problem)


async def run_startup(context: Context, channel: PvpropertyData, layer: AsyncLibraryLayer) -> None:
    """Run a startup hook, which may go on for ever."""
    try:
        await _bound(channel, channel.pvspec.startup)(channel, layer)
    except Exception as problem:
        context.tasks_failed += 1
        _failed(context, channel, "startup", AlarmStatus.SOFT, problem)


async def run_stop(
    context: Context, channel: PvpropertyData, layer: AsyncLibraryLayer, kind: str
) -> None:
    """Await a shutdown or save hook."""
    try:
        await _bound(channel, getattr(channel.pvspec, kind))(channel, layer)
    except Exception as problem:
        _failed(context, channel, kind, AlarmStatus.SOFT, problem)


async def run_scan(context: Context, channel: PvpropertyData, layer: AsyncLibraryLayer) -> None:
    """Call a scan hook in its rhythm. Its exceptions become a SCAN alarm until it is well again."""
    scan: ScanSpec = channel.pvspec.scan
    hook = _bound(channel, scan.function)
    failing = False
    while True:
        began = layer.monotonic()
        try:
            await hook(channel, layer)
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
        await layer.sleep(max(scan.period - elapsed, 0.0))
