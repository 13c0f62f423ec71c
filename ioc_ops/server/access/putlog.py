"""The log of puts under TRAPWRITE rules: one line each, its fields as attributes as well."""

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from ioc_ops.ca import ChannelType
from ioc_ops.channel import ChannelData

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit

__all__ = ["PutTrap", "key_value", "shown"]

log = logging.getLogger("ioc_ops.putlog")

_MOST_ELEMENTS = 10
_LONGEST = 120


class PutTrap:
    """One put of a client: what was there before, and who put what."""

    __slots__ = ("_channel", "_circuit", "_data_type", "_old")

    def __init__(self, circuit: "Circuit", channel: ChannelData, data_type: int) -> None:
        self._circuit = circuit
        self._channel = channel
        self._data_type = data_type
        self._old: str | None = None

    def begin(self) -> None:
        """The put is about to be applied."""
        if log.isEnabledFor(logging.INFO):
            self._old = shown(self._value)

    def applied(self) -> None:
        """It is in place: log it."""
        if self._old is None:
            return
        circuit = self._circuit
        fields = {
            "user": circuit.user,
            "host": circuit.context.access.host_of(circuit),
            "address": circuit.host,
            "pv": self._channel.name + _SUFFIXES.get(self._data_type, ""),
            "old": self._old,
            "new": shown(self._value),
            "time": _now(),
        }
        log.info("%s", key_value(fields), extra=fields)

    @property
    def _value(self) -> object:
        alarm = self._channel.alarm
        if self._data_type == ChannelType.PUT_ACKT:
            return int(alarm.must_acknowledge_transient)
        if self._data_type == ChannelType.PUT_ACKS:
            return alarm.severity_to_acknowledge
        return self._channel.value


_SUFFIXES = {int(ChannelType.PUT_ACKT): ".ACKT", int(ChannelType.PUT_ACKS): ".ACKS"}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def shown(value: Any) -> str:
    """A value in short: the first elements of an array, the first characters of a text."""
    if isinstance(value, (np.ndarray, list, tuple)):
        first = [_item(item) for item in value[:_MOST_ELEMENTS]]
        more = [f"... {len(value)} elements"] if len(value) > _MOST_ELEMENTS else []
        return f"[{', '.join(first + more)}]"
    return _item(value)


def _item(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        value = value[: _LONGEST + 1].decode("utf-8", "backslashreplace")
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def key_value(fields: dict[str, str]) -> str:
    """``key=value key="quoted value"``: what is empty or could be misread is quoted as in JSON."""
    return " ".join(f"{key}={_quoted(value)}" for key, value in fields.items())


def _quoted(value: str) -> str:
    plain = value.isascii() and value.isprintable() and not set(value) & set(' "=\\')
    return value if plain and value else json.dumps(value)
