"""What a PV is: value, type, alarm, limits, timestamp, deadbands, monitors."""

from ioc_ops.ca import AccessRights, ChannelType, EventMask, TimeStamp
from ioc_ops.channel.alarm import Alarm, AlarmSeverity, AlarmStatus
from ioc_ops.channel.data import ChannelData, Watched
from ioc_ops.channel.enum import ChannelBoolEnum, ChannelEnum, StateAlarms, states_of
from ioc_ops.channel.filters import States
from ioc_ops.channel.metadata import Metadata
from ioc_ops.channel.numeric import (
    ChannelDouble,
    ChannelFloat,
    ChannelInt64,
    ChannelInteger,
    ChannelNumeric,
    ChannelShort,
)
from ioc_ops.channel.state import PROCESSED, STORED, ChannelState, Feed, Payload, Value
from ioc_ops.channel.text import ChannelByte, ChannelChar, ChannelString
from ioc_ops.channel.views import View, make_view

__all__ = [
    "PROCESSED",
    "STORED",
    "AccessRights",
    "Alarm",
    "AlarmSeverity",
    "AlarmStatus",
    "ChannelBoolEnum",
    "ChannelByte",
    "ChannelChar",
    "ChannelData",
    "ChannelDouble",
    "ChannelEnum",
    "ChannelFloat",
    "ChannelInt64",
    "ChannelInteger",
    "ChannelNumeric",
    "ChannelShort",
    "ChannelState",
    "ChannelString",
    "ChannelType",
    "EventMask",
    "Feed",
    "Metadata",
    "Payload",
    "StateAlarms",
    "States",
    "TimeStamp",
    "Value",
    "View",
    "Watched",
    "make_view",
    "states_of",
]
