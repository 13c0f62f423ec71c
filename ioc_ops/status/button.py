"""A PV that clients write 1 to, and that is back at 0 when what it asks for has been done."""

from collections.abc import Awaitable, Callable

from ioc_ops.channel import ChannelType
from ioc_ops.group import PvpropertyData, pvproperty

__all__ = ["asked", "button", "release"]

_DONE, _ASKED = "Done", "Do it"


def button(name: str, doc: str, put: Callable[..., Awaitable[None]]) -> pvproperty:
    """The PV; ``put`` is its putter."""
    return pvproperty(
        name=name,
        value=_DONE,
        dtype=ChannelType.ENUM,
        enum_strings=(_DONE, _ASKED),
        record="bo",
        doc=doc,
        put=put,
    )


def asked(pv: PvpropertyData) -> bool:
    """Whether somebody has written 1."""
    return bool(pv.value == _ASKED)


async def release(pv: PvpropertyData) -> None:
    """It is done."""
    await pv.write(_DONE, verify_value=False)
