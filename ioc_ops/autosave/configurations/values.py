"""Named configurations and the PVs: read afresh to save, written and verified to load."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ioc_ops.autosave.compare import Tolerance, equal
from ioc_ops.autosave.files.thread import Clock
from ioc_ops.autosave.restore import fitting, short
from ioc_ops.autosave.snapshot import Snapshot, current_value
from ioc_ops.autosave.untyped import typed
from ioc_ops.autosave.values import UntypedValue, Value
from ioc_ops.channel import AlarmSeverity, AlarmStatus, ChannelData, ChannelNumeric, ChannelType
from ioc_ops.errors import AutosaveError, ChannelError

__all__ = ["ConfigReport", "LoadPlan", "TaskClock", "load_values", "plan_load", "read_values"]

_NAMED_PVS = 20
_TURN_SECONDS = 0.002
# Elements of an array that are converted in one go: the event loop wants its turn.
_SLICE = 8192
# What synApps writes of a float has 7 digits, of a double 14.
_FLOAT, _DOUBLE = Tolerance(relative=1e-6), Tolerance(relative=1e-12)


class TaskClock(Clock, Protocol):
    """What this needs of the async library: also to give up on a hook that hangs."""

    async def gather(self, work: Iterable[Awaitable[None]], seconds: float) -> bool: ...


@dataclass(frozen=True, slots=True)
class ConfigReport:
    """What loading a configuration did."""

    name: str = ""
    #: PVs that were written and have the value of the file, in the order in which they were.
    written: tuple[str, ...] = ()
    #: PVs that have not the value of the file, and why.
    failed: Mapping[str, str] = field(default_factory=dict)
    #: PVs of the configuration that the file has no value for, left as they were, and why.
    absent: Mapping[str, str] = field(default_factory=dict)
    #: PVs of the file that are not served, or not part of the configuration; not written.
    foreign: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything in the file is in the PVs, and every PV was in the file."""
        return not (self.failed or self.absent or self.foreign)

    def __str__(self) -> str:
        """For the log and the message PV: what went wrong first."""
        total = len(self.written) + len(self.failed)
        text = f"loaded {self.name}: {total} PVs written and verified"
        if self.failed:
            reasons = "; ".join(_some([f"{pv}: {why}" for pv, why in self.failed.items()]))
            text = f"{len(self.failed)} of {total} differ: {reasons}"
        if self.absent:
            text += f"; not in the file: {', '.join(_some(list(self.absent)))}"
        if self.foreign:
            text += f"; not part of this configuration: {', '.join(_some(list(self.foreign)))}"
        return text


def _some(items: list[str]) -> list[str]:
    more = len(items) - _NAMED_PVS
    return items if more <= 0 else [*items[:_NAMED_PVS], f"and {more} more"]


class _Turns:
    """Gives the event loop its turn whenever a task has taken long.

    No async generator: curio does not like one that a cancelled task has left behind.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = clock.monotonic() + _TURN_SECONDS

    async def give(self) -> None:
        if self._clock.monotonic() >= self._until:
            await self._clock.sleep(0)
            self._until = self._clock.monotonic() + _TURN_SECONDS


# --- to save ------------------------------------------------------------------------------------


async def read_values(
    channels: Mapping[str, ChannelData], clock: TaskClock, limit: float
) -> dict[str, Value]:
    """The values of some PVs; those with a getter are read afresh.

    Args:
        channels: by the name under which they are saved.
        clock: the async library.
        limit: seconds that a getter may take.

    Raises:
        AutosaveError: a value cannot be had; names every such PV.
    """
    values: dict[str, Value] = {}
    troubles: dict[str, str] = {}
    turns = _Turns(clock)
    for name, channel in channels.items():
        await turns.give()
        trouble = await _refresh(channel, clock, limit)
        try:
            values[name] = current_value(channel)
        except AutosaveError as error:
            trouble = trouble or str(error)
        if trouble:
            troubles[name] = trouble
    if troubles:
        reasons = "; ".join(_some([f"{name}: {why}" for name, why in troubles.items()]))
        raise AutosaveError(f"not saved: {reasons}")
    return values


async def _refresh(channel: ChannelData, clock: TaskClock, limit: float) -> str:
    """Run the getter, if there is one; why it failed."""
    if channel.getter is None:
        return ""
    return await _attempt(channel.read, channel, "getter", clock, limit)


async def _attempt(
    act: Callable[[], Awaitable[Any]],
    channel: ChannelData,
    hook: str,
    clock: TaskClock,
    limit: float,
) -> str:
    """Await what runs a hook, for a limited time; why it failed, or nothing."""
    trouble = ""

    async def guarded() -> None:
        nonlocal trouble
        try:
            await act()
        except ChannelError as error:
            trouble = str(error).removeprefix(f"{channel.name}: ")
        except Exception as error:  # a hook may raise what it likes
            trouble = f"{type(error).__name__}: {error}"

    if await clock.gather([guarded()], limit):
        return trouble
    channel.alarm.change(AlarmStatus.TIMEOUT, AlarmSeverity.MAJOR_ALARM)
    return f"its {hook} has not ended within {limit:g} s"


# --- to load ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What is to be written, in the order of the file."""

    name: str
    steps: tuple[tuple[str, ChannelData, Value], ...]
    failed: Mapping[str, str]
    absent: Mapping[str, str]
    foreign: tuple[str, ...]


def plan_load(
    name: str,
    snapshot: Snapshot,
    channels: Mapping[str, ChannelData],
    is_own: Callable[[str], bool],
) -> LoadPlan:
    """Match a file with the PVs of a configuration; converts arrays, so not for the event loop.

    Args:
        name: of the configuration.
        snapshot: what is in its file.
        channels: the PVs, by the name under which they are saved.
        is_own: tells of a name in the file that the menu has put it there for itself.
    """
    steps: list[tuple[str, ChannelData, Value]] = []
    failed: dict[str, str] = {}
    foreign: list[str] = []
    for pv, value in snapshot.values.items():
        channel = channels.get(pv)
        if channel is not None:
            try:
                steps.append((pv, channel, _array(value, channel)))
            except AutosaveError as error:
                failed[pv] = str(error)
        elif not is_own(pv):
            foreign.append(pv)
    absent = {
        pv: snapshot.unreadable.get(pv, "the file does not have it")
        for pv in channels
        if pv not in snapshot.values
    }
    # A PV that was not connected when it was saved is no loss; a line that makes no sense may be.
    foreign += [line for line in snapshot.unreadable if " " in line]
    return LoadPlan(name, tuple(steps), failed, absent, tuple(foreign))


def _array(value: Value, channel: ChannelData) -> Value:
    """Numbers of an array as an array; what is small is converted when it is written."""
    if not isinstance(value, UntypedValue) or isinstance(value.text, str):
        return value
    value = typed(value, channel)
    if isinstance(value, list) and value and isinstance(channel, ChannelNumeric):
        slices = [np.array(value[i : i + _SLICE]) for i in range(0, len(value), _SLICE)]
        return np.concatenate(slices)
    return value


async def load_values(
    plan: LoadPlan, clock: TaskClock, limit: float, tolerance: Tolerance | None
) -> ConfigReport:
    """Write the PVs one after the other, then read all of them back.

    Args:
        plan: from `plan_load`.
        clock: the async library.
        limit: seconds that the hooks of one PV may take.
        tolerance: within which numbers count as equal; None stands for that of their type.
    """
    failed = dict(plan.failed)
    turns = _Turns(clock)
    for name, channel, value in plan.steps:
        await turns.give()
        trouble = await _write(channel, value, clock, limit)
        if trouble:
            failed[name] = trouble
    # Not before all are written: the putter of one may change another.
    for name, channel, value in plan.steps:
        await turns.give()
        if name not in failed:
            trouble = await _refresh(channel, clock, limit) or _difference(
                channel, value, tolerance
            )
            if trouble:
                failed[name] = trouble
    written = tuple([name for name, _, _ in plan.steps if name not in failed])
    return ConfigReport(plan.name, written, failed, plan.absent, plan.foreign)


async def _write(channel: ChannelData, value: Value, clock: TaskClock, limit: float) -> str:
    try:
        fit = fitting(channel, value)
    except (AutosaveError, ChannelError) as error:
        return str(error).removeprefix(f"{channel.name}: ")

    async def write() -> None:
        await channel.write(fit)

    if channel.hooked:
        return await _attempt(write, channel, "putter", clock, limit)
    try:
        await write()  # 100,000 PVs without hooks need no task each
    except Exception as error:
        return str(error).removeprefix(f"{channel.name}: ")
    return ""


def _difference(channel: ChannelData, value: Value, tolerance: Tolerance | None) -> str:
    if tolerance is None:
        tolerance = _FLOAT if channel.data_type == ChannelType.FLOAT else _DOUBLE
    try:
        wanted = channel.present(channel.convert(fitting(channel, value)))
    except (AutosaveError, ChannelError) as error:  # states may have changed with the other PVs
        return str(error)
    have = channel.value
    if isinstance(wanted, np.ndarray) and isinstance(have, np.ndarray):
        floats = wanted.dtype.kind == have.dtype.kind == "f"
        if np.array_equal(wanted, have, equal_nan=floats):  # at once, also for a large one
            return ""
    return "" if equal(wanted, have, tolerance) else f"is {short(have)}, not {short(wanted)}"
