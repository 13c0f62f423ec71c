"""Every exception that ioc_ops raises.

    IocOpsError
    ├── ConfigurationError      bad command line, port, directory: ends the start, status 2
    ├── DefinitionError         a PVGroup, pvproperty or hook is declared wrongly
    ├── ProtocolError           a peer sent bytes that are no Channel Access; its circuit is closed
    ├── ChannelError            a value or request that a PV does not accept
    │   ├── ConversionError     the value does not fit the PV's type or length
    │   ├── LimitError          the value lies outside the control limits
    │   ├── AccessError         the client may not do this
    │   └── UnknownChannelError no PV has this name
    └── AutosaveError           a save file cannot be written, read or verified

``SkipWrite`` is no error: a putter raises it to drop a write.
"""

__all__ = [
    "AccessError",
    "AutosaveError",
    "ChannelError",
    "ConfigurationError",
    "ConversionError",
    "DefinitionError",
    "IocOpsError",
    "LimitError",
    "ProtocolError",
    "SkipWrite",
    "UnknownChannelError",
]


class IocOpsError(Exception):
    """Base of all errors of this package."""


class ConfigurationError(IocOpsError):
    """The IOC cannot start as configured; the message is one line for its operator."""


class DefinitionError(IocOpsError):
    """A group, property or hook is declared wrongly; names the place in the source."""


class ProtocolError(IocOpsError):
    """Bytes from a peer that are not Channel Access."""


class ChannelError(IocOpsError):
    """A value or request that a PV does not accept; the PV and the client live on."""


class ConversionError(ChannelError, ValueError):
    """The value does not fit the PV's type, length or states."""


class LimitError(ChannelError, ValueError):
    """The value lies outside the control limits of the PV."""


class AccessError(ChannelError):
    """The client may not read or write this PV."""


class UnknownChannelError(ChannelError, KeyError):
    """No PV of this name is served."""


class AutosaveError(IocOpsError):
    """A save file cannot be written, read or verified."""


class SkipWrite(Exception):  # noqa: N818 - the name users of caproto know
    """Raised or returned by a putter to drop the write: success to the client, no change."""
