"""The wire format of EPICS Channel Access 4.13: pure, no I/O, no clock, no environment."""

from ioc_ops.ca.commands import (
    DO_REPLY,
    MINIMUM_MINOR,
    MINOR_VERSION,
    PRIORITY_MAX,
    REPEATER_PORT,
    SERVER_PORT,
    AccessRights,
    Command,
    EventMask,
)
from ioc_ops.ca.datagram import (
    Beacon,
    SearchRequest,
    pack_beacon,
    pack_search_replies,
    pack_search_request,
    parse_beacon,
    parse_search_replies,
    parse_search_requests,
)
from ioc_ops.ca.dbr import LAST_TYPE, LAYOUTS, ChannelType, Family, Layout, Limits, payload_size
from ioc_ops.ca.header import Header, Message, pack_header, pack_message, parse
from ioc_ops.ca.json5 import Json, JsonMap, parse_json5
from ioc_ops.ca.limits import max_payload
from ioc_ops.ca.names import (
    LONGEST_NAME,
    ChannelName,
    FilterCall,
    name_ends,
    named_field,
    parse_name,
)
from ioc_ops.ca.payload import Extras, elements, pack_prefix, unpack_payload
from ioc_ops.ca.status import Eca
from ioc_ops.ca.timestamp import EPICS_EPOCH, TimeStamp

__all__ = [
    "DO_REPLY",
    "EPICS_EPOCH",
    "LAST_TYPE",
    "LAYOUTS",
    "LONGEST_NAME",
    "MINIMUM_MINOR",
    "MINOR_VERSION",
    "PRIORITY_MAX",
    "REPEATER_PORT",
    "SERVER_PORT",
    "AccessRights",
    "Beacon",
    "ChannelName",
    "ChannelType",
    "Command",
    "Eca",
    "EventMask",
    "Extras",
    "Family",
    "FilterCall",
    "Header",
    "Json",
    "JsonMap",
    "Layout",
    "Limits",
    "Message",
    "SearchRequest",
    "TimeStamp",
    "elements",
    "max_payload",
    "name_ends",
    "named_field",
    "pack_beacon",
    "pack_header",
    "pack_message",
    "pack_prefix",
    "pack_search_replies",
    "pack_search_request",
    "parse",
    "parse_beacon",
    "parse_json5",
    "parse_name",
    "parse_search_replies",
    "parse_search_requests",
    "payload_size",
    "unpack_payload",
]
