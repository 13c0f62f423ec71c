"""When a save set is saved: one loop for each method."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Protocol

from ioc_ops.autosave.files.thread import Clock
from ioc_ops.channel import ChannelData, EventMask
from ioc_ops.errors import ConfigurationError
from ioc_ops.group import PVGroup
from ioc_ops.server import AsyncLibraryLayer

__all__ = ["SAVED_AT_STOP", "Method", "Scheduled", "Trigger", "run"]

# Where PVs are written all the time with what they have, looking for changes may take this part of
# the time ...
_LOOK_SHARE = 0.005
# ... but comes after so many times the debounce time at the latest.
_LATEST_LOOK = 6


class Method(StrEnum):
    """When a save set is saved by itself; on request every one is."""

    ON_CHANGE = "on change"
    PERIODIC = "periodic"
    TRIGGERED = "triggered"
    MANUAL = "manual"


#: The file of the others is the state of the moment that somebody chose.
SAVED_AT_STOP = frozenset({Method.ON_CHANGE, Method.PERIODIC})


class Trigger:
    """A PV at each of whose updates something is done; a Feed of that PV."""

    mask = int(EventMask.VALUE)

    def __init__(self, channel: ChannelData) -> None:
        """Follow the PV; nobody takes notice yet."""
        self.notice: Callable[[], None] = _ignore
        self.follow(channel)

    @classmethod
    def of(cls, root: PVGroup, name: str) -> "Trigger":
        """Follow a PV of the tree, named with its prefix or without. Raises ConfigurationError."""
        channel = root.pvdb.get(name) or root.pvdb.get(root.prefix + name)
        if channel is None:
            raise ConfigurationError(f"autosave: trigger={name!r}: there is no PV of this name")
        return cls(channel)

    def follow(self, channel: ChannelData) -> None:
        """Follow this PV from now on: the other is gone, or this one has taken its place."""
        self.name = channel.name
        self._channel = channel
        channel.subscribe(self)

    def post(self) -> None:
        """The PV has been updated."""
        self.notice()

    def close(self) -> None:
        """Follow no longer."""
        self._channel.unsubscribe(self)


def _ignore() -> None:
    pass


class Scheduled(Protocol):
    """What the loops ask of a save set."""

    period: float
    debounce: float
    trigger: Trigger | None

    async def has_changes(self, clock: Clock) -> bool:
        """Whether there is something to save."""

    async def try_to_save(self, clock: Clock) -> None:
        """Save; what goes wrong is logged and shown."""


async def run(method: Method, target: Scheduled, async_lib: AsyncLibraryLayer) -> None:
    """Save by this method from now on."""
    await _LOOPS[method](target, async_lib)


async def _save_changes(target: Scheduled, async_lib: AsyncLibraryLayer) -> None:
    debounce = min(target.debounce, target.period)
    next_save = async_lib.monotonic()
    while True:
        # While changes go on there is no need to look before the next save is due.
        wait = next_save - async_lib.monotonic()
        if wait > 0:
            await async_lib.sleep(wait)
        began = async_lib.monotonic()
        if not await target.has_changes(async_lib):
            took = async_lib.monotonic() - began
            rest = max(debounce / 4, took / _LOOK_SHARE)
            await async_lib.sleep(min(rest, debounce * _LATEST_LOOK))
            continue
        if wait <= 0:
            # The first change after a quiet time is rarely alone.
            await async_lib.sleep(debounce * 3 / 4)
        await target.try_to_save(async_lib)
        next_save = async_lib.monotonic() + target.period


async def _save_periodically(target: Scheduled, async_lib: AsyncLibraryLayer) -> None:
    while True:
        await async_lib.sleep(target.period)
        await target.try_to_save(async_lib)


async def _save_when_triggered(target: Scheduled, async_lib: AsyncLibraryLayer) -> None:
    assert target.trigger is not None  # noqa: S101 - found when the set was restored
    updated = async_lib.Event()
    target.trigger.notice = updated.set
    try:
        while True:
            await updated.wait()
            updated.clear()
            await target.try_to_save(async_lib)
    finally:
        target.trigger.close()


async def _save_on_request_only(target: Scheduled, async_lib: AsyncLibraryLayer) -> None:
    pass


_LOOPS: dict[Method, Callable[[Scheduled, AsyncLibraryLayer], Awaitable[None]]] = {
    Method.ON_CHANGE: _save_changes,
    Method.PERIODIC: _save_periodically,
    Method.TRIGGERED: _save_when_triggered,
    Method.MANUAL: _save_on_request_only,
}
