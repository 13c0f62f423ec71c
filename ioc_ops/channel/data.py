"""A PV: its state, and how it is read and written: limits, hooks, store, monitors."""

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from ioc_ops.ca import EventMask, TimeStamp
from ioc_ops.channel.alarm import AlarmSeverity, AlarmStatus
from ioc_ops.channel.state import PROCESSED, ChannelState, Value, clock, unix_ns
from ioc_ops.errors import AccessError, ConversionError, DefinitionError, SkipWrite

__all__ = ["ChannelData", "Watched"]

_PROPERTY = int(EventMask.PROPERTY)
_BY_VALUE = frozenset(
    AlarmStatus[name] for name in "NO_ALARM HIHI HIGH LOLO LOW STATE COS UDF".split()
)
"""What limits and states say; any other status is a hook's."""

_NEVER_CALLED = {
    "auth_read": "override check_access",
    "auth_write": "override check_access, verify_value or preprocess_value",
    "read": "give the PV a getter",
    "write_from_dbr": "override verify_value or preprocess_value",
}
"""What classes of users override in caproto, and would override here in vain."""

Putter = Callable[[Any, Value], Awaitable[Value]]


class Watched:
    """A putter, and behind it what hears of each value that the PV is about to take."""

    def __init__(self, putter: Putter | None, watch: Putter) -> None:
        self.putter = putter
        self.watch = watch

    async def __call__(self, instance: Any, value: Value) -> Value:
        answer = None if self.putter is None else await self.putter(instance, value)
        if answer is SkipWrite or isinstance(answer, SkipWrite):
            return answer
        await self.watch(instance, value if answer is None else answer)
        return answer


class ChannelData(ChannelState):
    """A PV. Subclasses are the native DBR types."""

    __slots__ = ("blocked", "getter", "puts", "putter")

    _writes: ClassVar[bool] = False
    _verifies: ClassVar[bool] = False
    getter: Callable[[Any], Awaitable[Value]] | None
    putter: Putter | None
    puts: Any
    """The server's queue of writes that wait for the putter; None when there are none."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        for method, instead in _NEVER_CALLED.items():
            if method in vars(cls):
                raise DefinitionError(f"{cls.__name__}.{method} would never be called: {instead}")
        cls._writes = cls.write is not ChannelData.write
        cls._verifies = cls._writes or cls.verify_value is not ChannelData.verify_value

    def __init__(self, value: Value, **state: Any) -> None:
        """Make a PV without hooks; see ChannelState for the arguments."""
        self.blocked = False
        self.getter = None
        self.putter = None
        self.puts = None
        super().__init__(value, **state)

    @property
    def hooked(self) -> bool:
        """Whether a client's write must be awaited: for user code, or for writes before it."""
        return self.putter is not None or self.puts is not None or self._verifies or self.blocked

    @property
    def puts_owner(self) -> "ChannelData":
        """In whose ``puts`` the writes to this PV wait for each other."""
        return self

    def preprocess_value(self, value: Value) -> Value:
        """Override to change what is written before it is verified."""
        return value

    async def verify_value(self, data: Value) -> Value:
        """Override to refuse (raise) or change what is written, before the putter sees it."""
        return data

    async def write(
        self,
        value: Value,
        *,
        flags: int = 0,
        verify_value: bool = True,
        update_fields: bool = True,
        timestamp: float | tuple[int, int] | TimeStamp | None = None,
        status: AlarmStatus | int | None = None,
        severity: AlarmSeverity | int | None = None,
        **metadata: Value,
    ) -> None:
        """Write as a client would: limits, putter, store, monitors.

        Args:
            value: what the PV's type takes.
            flags: events to post beside those that the write causes.
            verify_value: False skips control limits, ``verify_value`` and the putter; the alarm
                is that of the value all the same.
            update_fields: False skips ``value_write_hook`` of a record's fields.
            timestamp: of the value; default now.
            status: alarm status instead of the one that the limits give.
            severity: alarm severity, likewise.
            metadata: units, precision, limits as in ``write_metadata``.

        Raises:
            ConversionError: the value does not fit the type.
            LimitError: it lies beyond the control limits.
            Exception: what the putter raised; the PV is then in WRITE alarm.
        """
        stored = self.convert(self.preprocess_value(value))
        before = self.alarm.state
        putter = self.putter
        if putter is not None and not (verify_value and update_fields):
            putter = _part_of(putter, verify_value, update_fields)
        if verify_value or putter is not None:
            try:
                stored, value = await self._verified(stored, value, putter, verify_value)
            except SkipWrite:
                return
        if metadata:
            await self.write_metadata(publish=False, **metadata)
            flags |= _PROPERTY
        own = self._alarm_after(stored, before)
        self.commit(
            stored,
            clock() if timestamp is None else unix_ns(timestamp),
            own[0] if status is None else int(status),
            own[1] if severity is None else int(severity),
            flags | PROCESSED,
        )
        self._remember(value)

    async def put(self, stored: Value) -> None:
        """Write for a client, hooks included; the value comes decoded."""
        if self.blocked:
            raise AccessError(f"{self.name}: clients may not write while DISP is set")
        if self._writes:
            return await self.write(self.present(stored))
        before = self.alarm.state
        try:
            stored, _ = await self._verified(stored, None, self.putter)
        except SkipWrite:
            return
        self.commit(stored, clock(), *self._alarm_after(stored, before), PROCESSED)

    def _alarm_after(self, stored: Value, before: tuple[int, int]) -> tuple[int, int]:
        """What the hooks of this write have set stands; else what the limits say."""
        now = self.alarm.state
        return self.alarm_of(stored) if now == before else now

    async def _verified(
        self, stored: Value, value: Value, putter: Putter | None, verify: bool = True
    ) -> tuple[Value, Value]:
        """Limits if they count, then the hooks; what they return replaces the value.

        Raises:
            SkipWrite: a hook dropped the write.
        """
        if verify:
            stored = self.check(stored)
            if self._verifies:
                value = await self.verify_value(self.present(stored))
                stored = self.convert(value)
        if putter is not None:
            before = self.alarm.state
            try:
                answer = await putter(self, self.present(stored))
            except SkipWrite:
                raise
            except Exception:
                if self.alarm.state == before:  # what the hook itself has said stands
                    self.alarm.change(AlarmStatus.WRITE, AlarmSeverity.MAJOR_ALARM)
                raise
            if answer is SkipWrite or isinstance(answer, SkipWrite):
                raise SkipWrite
            if answer is not None:
                value, stored = answer, self.convert(answer)
        return stored, value

    async def read(self) -> Value:
        """Run the getter, store what it gives, return the value."""
        if self.getter is not None:
            before = self.alarm.state
            try:
                answer = await self.getter(self)
            except Exception:
                self.alarm.change(AlarmStatus.READ, AlarmSeverity.INVALID_ALARM)
                raise
            if answer is not None:
                # Not through the putter: reading a PV must not move what it stands for.
                stored = self.convert(answer)
                self.commit(stored, clock(), *self._alarm_after(stored, before))
                self._remember(answer)
        return self.value

    def processed(self) -> None:
        """Tell whom it concerns that the PV was processed."""
        for feed in self.feeds:
            if feed.mask & PROCESSED:
                feed.post()

    def restore(self, value: Value) -> None:
        """Set a saved value without running any hook; its time is now.

        Raises:
            ConversionError: type, length or state do not fit.
            LimitError: it lies beyond the control limits.
        """
        stored = self.convert(value)
        stored = self.check(stored)
        self.commit(stored, clock(), *self.alarm_of(stored))
        self._remember(value)

    async def write_metadata(self, *, publish: bool = True, **changes: Value) -> None:
        """Change what the PV says beside its value, and post it as PROPERTY.

        Args:
            publish: tell the monitors.
            changes: units, precision, limits, ... by name, timestamp, status and severity; None
                leaves what there is, as in caproto.

        Raises:
            ConversionError: this type of PV has no such metadata.
        """
        changes = {name: value for name, value in changes.items() if value is not None}
        timestamp = changes.pop("timestamp", None)
        if timestamp is not None:
            self.time_ns = unix_ns(timestamp)
        status, severity = changes.pop("status", None), changes.pop("severity", None)
        if changes:
            self._change_metadata(changes)
        if status is not None or severity is not None:
            await self.alarm.write(status=status, severity=severity, publish=publish)
        self.encoded.clear()
        if publish:
            self.post(_PROPERTY)

    def reassess(self) -> None:
        """Limits or severities have changed: enter the alarm that they give to the value.

        An alarm that a hook has set stands.
        """
        if self.alarm.status in _BY_VALUE:
            self.alarm.change(*self.alarm_of(self._stored))

    def update_metadata(self, *, publish: bool = True, **changes: Value) -> None:
        """As ``write_metadata``, at once. Raises ConversionError."""
        self._change_metadata(changes)
        self.post(_PROPERTY if publish else 0)

    def _change_metadata(self, changes: dict[str, Value]) -> None:
        raise ConversionError(f"{self.name}: {type(self).__name__} has no {', '.join(changes)}")


def _part_of(putter: Putter, verify: bool, update: bool) -> Putter | None:
    """What is left of the hooks of a write that asks for fewer than all."""
    if not isinstance(putter, Watched):
        return putter if verify else None
    if verify:
        return putter if update else putter.putter
    return putter.watch if update else None
