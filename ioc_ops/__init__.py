"""EPICS Channel Access IOCs in Python, with autosave, status PVs and Prometheus metrics.

What IOCs import from ``caproto`` itself is found here under the same names, loaded when it is
first asked for: ``from ioc_ops import ChannelType, AlarmStatus, SkipWrite``.
"""

TYPE_CHECKING = False  # as type checkers know it, without the weight of ``typing``
if TYPE_CHECKING:
    from ioc_ops.ca import AccessRights, ChannelType, TimeStamp
    from ioc_ops.channel import Alarm as ChannelAlarm
    from ioc_ops.channel import (
        AlarmSeverity,
        AlarmStatus,
        ChannelByte,
        ChannelChar,
        ChannelData,
        ChannelDouble,
        ChannelEnum,
        ChannelFloat,
        ChannelInteger,
        ChannelNumeric,
        ChannelShort,
        ChannelString,
    )
    from ioc_ops.errors import AccessError as Forbidden
    from ioc_ops.errors import ConversionError as CaprotoConversionError
    from ioc_ops.errors import ConversionError as CaprotoValueError
    from ioc_ops.errors import DefinitionError as CaprotoRuntimeError
    from ioc_ops.errors import IocOpsError as CaprotoError
    from ioc_ops.errors import SkipWrite
    from ioc_ops.errors import UnknownChannelError as CaprotoKeyError
    from ioc_ops.group import SubscriptionType

    __version__: str

__all__ = [
    "AccessRights",
    "AlarmSeverity",
    "AlarmStatus",
    "CaprotoConversionError",
    "CaprotoError",
    "CaprotoKeyError",
    "CaprotoRuntimeError",
    "CaprotoValueError",
    "ChannelAlarm",
    "ChannelByte",
    "ChannelChar",
    "ChannelData",
    "ChannelDouble",
    "ChannelEnum",
    "ChannelFloat",
    "ChannelInteger",
    "ChannelNumeric",
    "ChannelShort",
    "ChannelString",
    "ChannelType",
    "Forbidden",
    "SkipWrite",
    "SubscriptionType",
    "TimeStamp",
    "__version__",
]

# Where a name of another module, or one that is called otherwise there, comes from; all other
# names are those of ioc_ops.channel.
_ELSEWHERE = {
    "CaprotoConversionError": ("ioc_ops.errors", "ConversionError"),
    "CaprotoError": ("ioc_ops.errors", "IocOpsError"),
    "CaprotoKeyError": ("ioc_ops.errors", "UnknownChannelError"),
    "CaprotoRuntimeError": ("ioc_ops.errors", "DefinitionError"),
    "CaprotoValueError": ("ioc_ops.errors", "ConversionError"),
    "ChannelAlarm": ("ioc_ops.channel", "Alarm"),
    "Forbidden": ("ioc_ops.errors", "AccessError"),
    "SkipWrite": ("ioc_ops.errors", "SkipWrite"),
    "SubscriptionType": ("ioc_ops.group", "SubscriptionType"),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'ioc_ops' has no attribute {name!r}")
    if name == "__version__":
        # On demand: reading the metadata of the installed package takes longer than all of ours.
        return _version()
    from importlib import import_module

    module, attribute = _ELSEWHERE.get(name, ("ioc_ops.channel", name))
    return globals().setdefault(name, getattr(import_module(module), attribute))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("ioc-ops")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "0+unknown"
