"""Command numbers of Channel Access 4.13 (EPICS Base ``caProto.h``) and protocol constants."""

from enum import IntEnum, IntFlag

__all__ = [
    "DO_REPLY",
    "MINIMUM_MINOR",
    "MINOR_VERSION",
    "PRIORITY_MAX",
    "REPEATER_PORT",
    "SERVER_PORT",
    "AccessRights",
    "Command",
    "EventMask",
]

MINOR_VERSION = 13
"""The protocol that is spoken here: 4.13."""

MINIMUM_MINOR = 4
"""Clients older than 4.4 are told ECA_DEFUNCT, as EPICS Base does (CA_VSUPPORTED)."""

SERVER_PORT = 5064
REPEATER_PORT = 5065
PRIORITY_MAX = 99
DO_REPLY = 10
"""Data type of a search request whose client wants NOT_FOUND (``caProto.h`` DOREPLY)."""


class Command(IntEnum):
    """What the first field of a header says."""

    VERSION = 0
    EVENT_ADD = 1
    EVENT_CANCEL = 2
    READ = 3
    WRITE = 4
    SNAPSHOT = 5
    SEARCH = 6
    BUILD = 7
    EVENTS_OFF = 8
    EVENTS_ON = 9
    READ_SYNC = 10
    ERROR = 11
    CLEAR_CHANNEL = 12
    RSRV_IS_UP = 13
    NOT_FOUND = 14
    READ_NOTIFY = 15
    READ_BUILD = 16
    REPEATER_CONFIRM = 17
    CREATE_CHAN = 18
    WRITE_NOTIFY = 19
    CLIENT_NAME = 20
    HOST_NAME = 21
    ACCESS_RIGHTS = 22
    ECHO = 23
    REPEATER_REGISTER = 24
    SIGNAL = 25
    CREATE_CH_FAIL = 26
    SERVER_DISCONN = 27


class AccessRights(IntFlag):
    """Payload of ACCESS_RIGHTS."""

    NO_ACCESS = 0
    READ = 1
    WRITE = 2
    READ_WRITE = 3


class EventMask(IntFlag):
    """What a subscription wants to hear of (``caeventmask.h``, DBE_*)."""

    VALUE = 1
    LOG = 2
    ALARM = 4
    PROPERTY = 8
