"""A PV as it was at one moment: what filters work on, and monitors are sent later."""

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ioc_ops.ca.dbr import NATIVE_DTYPES
from ioc_ops.channel.alarm import Alarm
from ioc_ops.channel.data import ChannelData
from ioc_ops.channel.numeric import ChannelNumeric
from ioc_ops.channel.state import ChannelState, Value

__all__ = ["freeze", "numbers", "recast", "replace_value"]


def freeze(channel: ChannelData) -> ChannelData:
    """A copy with an alarm of its own, that nobody writes and nobody listens to."""
    frame = copy.copy(channel)
    frame.feeds = ()
    frame.encoded = {}
    alarm = channel.alarm
    frame.alarm = Alarm(alarm.status, alarm.severity)
    frame.alarm.must_acknowledge_transient = alarm.must_acknowledge_transient
    frame.alarm.severity_to_acknowledge = alarm.severity_to_acknowledge
    frame.alarm.alarm_string = alarm.alarm_string
    if isinstance(frame, ChannelNumeric):
        frame.deadband = None  # the PV goes on using the one they shared
    return frame


def replace_value(frame: ChannelData, stored: Value) -> ChannelData:
    """Give a frame another value in its stored form; time and alarm stay."""
    # Not the frame's own commit: what a subclass does on a change is done by the PV alone.
    ChannelState.commit(frame, stored, frame.time_ns, frame.alarm.status, frame.alarm.severity)
    return frame


def recast(frame: ChannelData, prototype: ChannelData, stored: Value) -> ChannelData:
    """A frame of another native type: value and length change, all else stays."""
    cast = copy.copy(prototype)
    cast.name = frame.name
    cast.feeds = ()
    cast.encoded = {}
    cast.alarm = frame.alarm
    cast.time_ns = frame.time_ns
    cast.string_encoding = frame.string_encoding
    cast.reported_record_type = frame.reported_record_type
    if isinstance(cast, ChannelNumeric) and isinstance(frame, ChannelNumeric):
        cast.metadata = frame.metadata
    return replace_value(cast, stored)


def numbers(frame: ChannelData) -> NDArray[Any]:
    """The elements of a numeric frame in their stored form: big-endian."""
    native = frame.data_type
    return np.frombuffer(frame.wire(native, frame.length), NATIVE_DTYPES[native])
