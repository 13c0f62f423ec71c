"""Enumerated PVs: an index on the wire, a state's name for people; DBR_ENUM."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import nan
from typing import Any

import numpy as np

from ioc_ops.ca import ChannelType
from ioc_ops.ca.dbr import LAYOUTS, MAX_ENUM_STATES, MAX_ENUM_STRING_SIZE, NATIVE_DTYPES
from ioc_ops.ca.payload import elements, pack_strings, unpack_strings
from ioc_ops.channel.alarm import AlarmStatus
from ioc_ops.channel.convert import decode_text, parse_number
from ioc_ops.channel.data import ChannelData
from ioc_ops.channel.metadata import NO_ALARM
from ioc_ops.channel.state import Payload, Value, pack_scalar_time
from ioc_ops.errors import ConversionError, ProtocolError

__all__ = ["ChannelBoolEnum", "ChannelEnum", "StateAlarms", "states_of"]


def states_of(enum: type[IntEnum]) -> tuple[str, ...]:
    """Names of the members by value; holes are called ``unset_N``.

    Raises:
        ConversionError: there are none, or a value is no index of a state.
    """
    names = {int(member): member.name for member in enum}
    if not names:
        raise ConversionError(f"{enum.__name__} has no members")
    if min(names) < 0 or max(names) >= MAX_ENUM_STATES:  # codes, say: a name for each hole is many
        raise ConversionError(
            f"the members of {enum.__name__} are not all from 0 to {MAX_ENUM_STATES - 1}"
        )
    return tuple([names.get(i, f"unset_{i}") for i in range(max(names) + 1)])


@dataclass(frozen=True, slots=True)
class StateAlarms:
    """Alarm severities of an enumerated PV (``checkAlarms`` in ``mbboRecord.c``)."""

    states: tuple[int, ...] = (0,) * MAX_ENUM_STATES
    """Of each state: ZRSV to FFSV, or ZSV and OSV."""
    unknown: int = 0
    """Of an index that is no state: UNSV."""
    change: int = 0
    """Of any write that changes the state, until the next one: COSV."""

    def of(self, index: int, before: int) -> tuple[int, int]:
        """Status and severity of a state, the one before it in mind."""
        severity = self.states[index] if index < len(self.states) else self.unknown
        if index != before and self.change > severity:
            return AlarmStatus.COS, self.change
        return (AlarmStatus.STATE, severity) if severity else NO_ALARM


class ChannelEnum(ChannelData):
    """One of at most 16 states of at most 25 bytes."""

    __slots__ = ("_states", "state_alarms")
    data_type = ChannelType.ENUM

    def __init__(
        self, value: Value = 0, *, enum_strings: Sequence[str] | None = None, **common: Any
    ) -> None:
        """Make an enumerated PV.

        Args:
            value: a state's name or index, or a member of an IntEnum, which then names the states.
            enum_strings: names of the states.
            common: arguments of ``ChannelData``.

        Raises:
            ConversionError: more than 16 states, a name over 25 bytes, or no such state.
        """
        if enum_strings is None:
            enum_strings = states_of(type(value)) if isinstance(value, IntEnum) else ()
        self._states = self._checked_states(enum_strings, str(common.get("name", "")))
        self.state_alarms: StateAlarms | None = None
        super().__init__(value, **common)

    @staticmethod
    def _checked_states(states: Sequence[str], name: str) -> tuple[str, ...]:
        if len(states) > MAX_ENUM_STATES:
            raise ConversionError(f"{name}: {len(states)} states are more than {MAX_ENUM_STATES}")
        for state in states:
            if len(state.encode()) >= MAX_ENUM_STRING_SIZE:
                raise ConversionError(f"{name}: state {state!r} is longer than 25 bytes")
        return tuple(states)

    @property
    def enum_strings(self) -> tuple[str, ...]:
        """Names of the states, in the order of their indices."""
        return self._states

    @property
    def raw_value(self) -> int:
        """Index of the state."""
        index: int = self._stored
        return index

    def _length_of(self, value: Value) -> int:
        return 1

    def alarm_of(self, stored: Value) -> tuple[int, int]:
        alarms = self.state_alarms
        return NO_ALARM if alarms is None else alarms.of(stored, self._stored)

    def present(self, stored: Value) -> Value:
        return self._states[stored] if stored < len(self._states) else stored

    def convert(self, value: Value) -> Value:
        if isinstance(value, np.ndarray):
            value = value.reshape(-1).tolist()
        if isinstance(value, (list, tuple)) and len(value) == 1:
            value = value[0]
        if isinstance(value, bytes):
            value = decode_text(value, self.string_encoding)
        if isinstance(value, str):
            return self._index_of(value)
        try:
            index = int(value)
        except (TypeError, ValueError, OverflowError):
            raise ConversionError(f"{self.name}: {value!r} is no state") from None
        return self._checked_index(index)

    def _checked_index(self, index: int) -> int:
        # Without named states any index goes, as for an mbbo record that defines none.
        last = (len(self._states) or 0x10000) - 1
        if not 0 <= index <= last:
            raise ConversionError(f"{self.name}: state {index} is none of 0 to {last}")
        return index

    def _index_of(self, text: str) -> int:
        try:
            return self._states.index(text)
        except ValueError:
            pass
        try:
            number = parse_number(text)
        except ConversionError:
            number = nan
        if not isinstance(number, int):
            raise ConversionError(
                f"{self.name}: {text!r} is none of {', '.join(self._states) or 'no states'}"
            )
        return self._checked_index(number)

    def describe(self) -> dict[str, Any]:
        encoding = self.string_encoding
        return {"states": tuple([state.encode(encoding, "replace") for state in self._states])}

    def _change_metadata(self, changes: dict[str, Value]) -> None:
        if set(changes) != {"enum_strings"}:
            super()._change_metadata(changes)
        self._states = self._checked_states(changes["enum_strings"], self.name)
        self._value = None

    def _encode(self, data_type: int, count: int) -> tuple[Payload, int]:
        if data_type == ChannelType.TIME_ENUM and count < 2:
            return pack_scalar_time(self, ChannelType.ENUM, self._stored), 1
        return super()._encode(data_type, count)

    def wire(self, native: ChannelType, count: int) -> bytes:
        if native == ChannelType.STRING:
            text = str(self.present(self._stored))
            return pack_strings([text.encode(self.string_encoding, "replace")])
        return np.array(self._stored).astype(NATIVE_DTYPES[native]).tobytes()

    def decode(self, data_type: int, count: int, payload: Payload) -> Value:
        native = LAYOUTS[data_type].native
        if not count:
            raise ConversionError(f"{self.name}: no element for a scalar")
        try:
            raw = elements(data_type, 1, payload)
        except ProtocolError as problem:
            raise ConversionError(f"{self.name}: {problem}") from None
        if native == ChannelType.STRING:
            return self._index_of(decode_text(unpack_strings(raw, 1)[0], self.string_encoding))
        return self.convert(np.frombuffer(raw, NATIVE_DTYPES[native])[0].item())


class ChannelBoolEnum(ChannelEnum):
    """Two states."""

    __slots__ = ()

    def __init__(
        self, value: Value = False, *, enum_strings: Sequence[str] | None = None, **common: Any
    ) -> None:
        """Args: value, a bool, index or name; enum_strings, by default Off and On."""
        super().__init__(value, enum_strings=enum_strings or ("Off", "On"), **common)
