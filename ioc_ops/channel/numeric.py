"""Numeric PVs: scalars are Python numbers, arrays are big-endian numpy arrays."""

import struct
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from typing import Any, ClassVar, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from ioc_ops.ca import ChannelType
from ioc_ops.ca.dbr import LAYOUTS, NATIVE_DTYPES, NATIVE_SIZES
from ioc_ops.ca.payload import elements, pack_strings, unpack_strings
from ioc_ops.channel.convert import INTEGER_RANGES, decode_text, format_number, parse_number
from ioc_ops.channel.convert import to_integers as _to_integers
from ioc_ops.channel.data import ChannelData
from ioc_ops.channel.deadband import Deadband
from ioc_ops.channel.metadata import METADATA_FIELDS, NO_ALARM, PLAIN, Metadata, declared_metadata
from ioc_ops.channel.state import Payload, Value, pack_scalar_time
from ioc_ops.errors import ConversionError, LimitError, ProtocolError

__all__ = [
    "ChannelDouble",
    "ChannelFloat",
    "ChannelInt64",
    "ChannelInteger",
    "ChannelNumeric",
    "ChannelShort",
]

_T = TypeVar("_T")
_NATIVE_NUMPY = ("", "i2", "f4", "u2", "u1", "i4", "f8")
_METADATA = frozenset(METADATA_FIELDS)
_DOUBLE = struct.Struct(">d")
_LARGEST_FLOAT = float(np.finfo(np.float32).max)


class _Meta(Generic[_T]):
    """A field of the PV's Metadata as an attribute of the PV."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.field = name

    @overload
    def __get__(self, channel: None, owner: type) -> "_Meta[_T]": ...
    @overload
    def __get__(self, channel: "ChannelNumeric", owner: type) -> _T: ...
    def __get__(self, channel: "ChannelNumeric | None", owner: type) -> "_T | _Meta[_T]":
        return self if channel is None else getattr(channel.metadata, self.field)


class ChannelNumeric(ChannelData):
    """What all numbers share: metadata, limits, alarms by limits, deadbands, conversions."""

    __slots__ = ("deadband", "limit_passed", "metadata")

    element: ClassVar[struct.Struct]
    metadata: Metadata

    units = _Meta[str]()
    precision = _Meta["int | None"]()
    upper_disp_limit = _Meta[float]()
    lower_disp_limit = _Meta[float]()
    upper_alarm_limit = _Meta[float]()
    lower_alarm_limit = _Meta[float]()
    upper_warning_limit = _Meta[float]()
    lower_warning_limit = _Meta[float]()
    upper_ctrl_limit = _Meta[float]()
    lower_ctrl_limit = _Meta[float]()
    value_atol = _Meta["float | None"]()
    log_atol = _Meta["float | None"]()

    def __init__(self, value: Value = 0, **arguments: Any) -> None:
        """Make a numeric PV.

        Args:
            value: a number, or a list or array of numbers.
            arguments: fields of ``Metadata`` (units, precision, upper_alarm_limit, ...) and
                arguments of ``ChannelState``; None stands for what is not said.
        """
        self.metadata = PLAIN
        if not _METADATA.isdisjoint(arguments):
            given = [(name, arguments.pop(name, None)) for name in METADATA_FIELDS]
            said = [(name, value) for name, value in given if value is not None]
            if said:
                self.metadata = declared_metadata(*said)
        self.deadband: Deadband | None = None
        self.limit_passed: float | None = None
        super().__init__(value, **arguments)
        self._arm_deadband()

    def _arm_deadband(self) -> None:
        # Deadbands are a matter of scalars, as in EPICS Base.
        if not self.metadata.has_deadband or self.is_array:
            self.deadband = None
        elif self.deadband is None:
            self.deadband = Deadband(self._stored)

    def _change_metadata(self, changes: dict[str, Value]) -> None:
        try:
            self.metadata = replace(self.metadata, **changes)
        except TypeError:
            super()._change_metadata(changes)
        self._arm_deadband()

    # -- forms of the value -------------------------------------------------------------

    def _length_of(self, value: Value) -> int:
        return (np.size(value) or 1) if isinstance(value, (list, tuple, np.ndarray)) else 1

    def _remember(self, value: Value) -> None:
        # Lists read back as lists, of what the type has made of them.
        listed = self.is_array and isinstance(value, (list, tuple))
        self._value = self._stored.tolist() if listed else None

    def present(self, stored: Value) -> Value:
        if self.max_length > 1:
            return stored.astype(_NATIVE_NUMPY[self.data_type])
        return stored

    def count_of(self, stored: Value) -> int:
        return len(stored) if self.max_length > 1 else 1

    def convert(self, value: Value) -> Value:
        if self.max_length > 1:
            return self._convert_array(value)
        if isinstance(value, (list, tuple, np.ndarray)):
            try:
                elements = np.ravel(value)
            except ValueError:  # lists of different lengths in a list
                raise self._unfit(f"{value!r} is no number") from None
            if elements.size != 1:
                raise self._unfit(f"{elements.size} elements do not fit a scalar")
            value = elements[0]
        return self._convert_scalar(value)

    def _convert_scalar(self, value: Value) -> int | float:
        raise NotImplementedError

    def _convert_array(self, value: Value) -> NDArray[Any]:
        if not isinstance(value, np.ndarray):
            if isinstance(value, (str, bytes)):
                raise self._unfit(f"{value!r} is no array of numbers")
            given = value if isinstance(value, Sequence) else [value]
            try:
                value = np.array(given) if len(given) else np.zeros(0)
            except ValueError as problem:
                raise self._unfit(str(problem)) from None
        if value.dtype.kind not in "iufb":
            raise self._unfit(f"elements of type {value.dtype} are no numbers")
        if value.size > self.max_length:
            raise self._unfit(f"{value.size} elements are more than max_length={self.max_length}")
        return self._to_wire_array(value.reshape(-1))

    def _to_wire_array(self, values: NDArray[Any]) -> NDArray[Any]:
        """A big-endian copy: the writer may go on changing what it gave."""
        raise NotImplementedError

    def _unfit(self, why: str) -> ConversionError:
        return ConversionError(f"{self.name}: {why}")

    # -- limits -------------------------------------------------------------------------

    def check(self, stored: Value) -> Value:
        metadata = self.metadata
        if self.max_length > 1:
            return stored
        if metadata.checks_ctrl and not metadata.allows(stored):
            low, high = metadata.lower_ctrl_limit, metadata.upper_ctrl_limit
            limits = f"{low:g} to {high:g}"
            raise LimitError(f"{self.name}: {stored} is outside the control limits {limits}")
        if metadata.clamps:
            low, high = metadata.drive_low, metadata.drive_high
            if stored != stored:
                raise LimitError(f"{self.name}: nan has no place between {low:g} and {high:g}")
            if not low <= stored <= high:
                return self._convert_scalar(max(low, min(stored, high)))
        return stored

    def alarm_of(self, stored: Value) -> tuple[int, int]:
        metadata = self.metadata
        if metadata.checks_alarm and self.max_length == 1:
            if metadata.quiet_low < stored < metadata.quiet_high:
                self.limit_passed = None
                return NO_ALARM
            status, severity, self.limit_passed = metadata.level_of(stored, self.limit_passed)
            return status, severity
        return NO_ALARM

    def events_of(self, stored: Value) -> int:
        if self.deadband is None:
            return 3  # VALUE and LOG
        return self.deadband.events(stored, self.metadata.value_atol, self.metadata.log_atol)

    # -- the wire -----------------------------------------------------------------------

    def _encode(self, data_type: int, count: int) -> tuple[Payload, int]:
        # The one shape that hot paths ask for; everything else takes the general way.
        if data_type == self.data_type + 14 and count < 2 and self.max_length == 1:
            return pack_scalar_time(self, self.data_type, self._stored), 1
        return super()._encode(data_type, count)

    def describe(self) -> dict[str, Any]:
        metadata = self.metadata
        return {
            "units": metadata.units.encode(self.string_encoding, "replace"),
            "precision": metadata.precision or 0,
            "limits": metadata.limits,
        }

    def wire(self, native: ChannelType, count: int) -> Payload:
        if self.max_length == 1:
            return self._wire_scalar(native)
        values = self._stored[:count]
        if native == self.data_type:
            return memoryview(values).cast("B") if values.size else b""
        if native == ChannelType.STRING:
            precision = self.metadata.precision
            texts = [format_number(v, precision).encode() for v in values.tolist()]
            return pack_strings(texts)
        # Out of range wraps, as the C casts of EPICS Base do.
        with np.errstate(invalid="ignore", over="ignore"):
            if native == ChannelType.FLOAT or native == ChannelType.DOUBLE:
                return values.astype(NATIVE_DTYPES[native]).tobytes()  # type: ignore[no-any-return]
            return values.astype(np.int64).astype(NATIVE_DTYPES[native]).tobytes()  # type: ignore[no-any-return]

    def _wire_scalar(self, native: ChannelType) -> bytes:
        value = self._stored
        if native == self.data_type:
            return self.element.pack(value)
        if native == ChannelType.STRING:
            return pack_strings([format_number(value, self.metadata.precision).encode()])
        if native == ChannelType.DOUBLE:
            return _DOUBLE.pack(value)
        if native == ChannelType.FLOAT:
            with np.errstate(over="ignore"):
                return np.array(value, ">f4").tobytes()
        if not isfinite(value):
            value = 0
        size = NATIVE_SIZES[native]
        return (int(value) & (1 << 8 * size) - 1).to_bytes(size, "big")

    def decode(self, data_type: int, count: int, payload: Payload) -> Value:
        if self.max_length == 1 and data_type == self.data_type and count == 1:
            if len(payload) < self.element.size:
                raise self._unfit("the payload is cut")
            return self.element.unpack_from(payload)[0]
        native = LAYOUTS[data_type].native
        if count > self.max_length:
            count = self.max_length  # EPICS Base takes what fits (dbPut in dbAccess.c)
        try:
            raw = elements(data_type, count, payload)
        except ProtocolError as problem:
            raise self._unfit(str(problem)) from None
        if native == ChannelType.STRING:
            texts = unpack_strings(raw, count)
            try:
                numbers = [parse_number(decode_text(t, self.string_encoding)) for t in texts]
            except ConversionError as problem:
                raise self._unfit(str(problem)) from None
            return self.convert(numbers)
        values = np.frombuffer(raw, NATIVE_DTYPES[native])
        if self.max_length > 1:
            if native != self.data_type:
                return self._to_wire_array(values)
            # A part of something much larger would keep all of it.
            alone = not isinstance(raw, memoryview) or 2 * len(raw) > memoryview(raw.obj).nbytes
            return values if alone else values.copy()
        if not count:
            raise self._unfit("no element for a scalar")
        return self._convert_scalar(values[0].item())


class _Integers(ChannelNumeric):
    __slots__ = ()
    values: ClassVar[tuple[int, int]]
    """Smallest and largest number that fits."""

    def _convert_scalar(self, value: Value) -> int:
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            raise self._unfit(f"{value!r} is no integer") from None
        if isinstance(value, (str, bytes)):
            raise self._unfit(f"{value!r} is text, not an integer")
        low, high = self.values
        if not low <= number <= high:
            raise self._unfit(f"{number} is outside the range of {self.data_type.name}")
        return number

    def _to_wire_array(self, values: NDArray[Any]) -> NDArray[Any]:
        try:
            integers = _to_integers(values, self.data_type)
        except ConversionError as problem:
            raise self._unfit(str(problem)) from None
        return integers.astype(NATIVE_DTYPES[self.data_type])


class ChannelInteger(_Integers):
    """32-bit integers, DBR_LONG."""

    __slots__ = ()
    data_type = ChannelType.LONG
    element = struct.Struct(">i")
    values = INTEGER_RANGES[ChannelType.LONG]


class ChannelShort(_Integers):
    """16-bit integers, DBR_INT."""

    __slots__ = ()
    data_type = ChannelType.INT
    element = struct.Struct(">h")
    values = INTEGER_RANGES[ChannelType.INT]


class ChannelInt64(_Integers):
    """64-bit integers, which clients see as DBR_DOUBLE: CA has no larger integers. Scalars only."""

    __slots__ = ()
    data_type = ChannelType.DOUBLE
    element = _DOUBLE
    values = (-(1 << 63), (1 << 63) - 1)

    def decode(self, data_type: int, count: int, payload: Payload) -> Value:
        return self._convert_scalar(super().decode(data_type, count, payload))


class ChannelDouble(ChannelNumeric):
    """64-bit floating point, DBR_DOUBLE."""

    __slots__ = ()
    data_type = ChannelType.DOUBLE
    element = _DOUBLE

    def _convert_scalar(self, value: Value) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            raise self._unfit(f"{value!r} is no number") from None
        if isinstance(value, (str, bytes)):
            raise self._unfit(f"{value!r} is text, not a number")
        return number

    def _to_wire_array(self, values: NDArray[Any]) -> NDArray[Any]:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.array(values, NATIVE_DTYPES[self.data_type])


class ChannelFloat(ChannelDouble):
    """32-bit floating point, DBR_FLOAT; a value is what 32 bits hold of it."""

    __slots__ = ()
    data_type = ChannelType.FLOAT
    element = struct.Struct(">f")

    def _convert_scalar(self, value: Value) -> float:
        number = super()._convert_scalar(value)
        if isfinite(number) and abs(number) > _LARGEST_FLOAT:
            raise self._unfit(f"{number} is outside the range of FLOAT")
        return float(np.float32(number))
