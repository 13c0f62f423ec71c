"""A setpoint and its readback as one declaration."""

from collections.abc import Callable, Mapping
from typing import Any

from ioc_ops.channel import Value
from ioc_ops.errors import DefinitionError
from ioc_ops.group.group import PVGroup
from ioc_ops.group.pvproperty import pvproperty
from ioc_ops.group.pvspec import Hook
from ioc_ops.group.subgroup import SubGroup

__all__ = ["get_pv_pair_wrapper"]


async def _copy_to_readback(group: Any, instance: Any, value: Value) -> None:
    await group.readback.write(value)


def get_pv_pair_wrapper(
    setpoint_suffix: str = "", readback_suffix: str = "_RBV"
) -> Callable[..., SubGroup]:
    """Make a function that declares pairs of PVs.

    Args:
        setpoint_suffix: of the PV that clients write.
        readback_suffix: of the PV that follows it.

    Returns:
        A function with the arguments of ``pvproperty`` and ``setpoint_kw``, ``readback_kw`` for
        what only one of the two gets. Without ``put``, a write to the setpoint is copied to the
        readback. ``get``, ``startup``, ``shutdown`` and ``scan`` belong to the readback.
    """

    def declare(
        *,
        get: Hook | None = None,
        put: Hook | None = None,
        startup: Hook | None = None,
        shutdown: Hook | None = None,
        scan: Any = None,
        name: str | None = None,
        doc: str | None = None,
        setpoint_kw: Mapping[str, Any] | None = None,
        readback_kw: Mapping[str, Any] | None = None,
        **both: Any,
    ) -> SubGroup:
        if "read_only" in both:
            raise DefinitionError("the setpoint is read-write and the readback read-only: always")
        setpoint = pvproperty(
            put=put or _copy_to_readback,
            name=setpoint_suffix,
            doc=doc,
            **{**both, **(setpoint_kw or {})},
        )
        readback = pvproperty(
            get=get,
            startup=startup,
            shutdown=shutdown,
            scan=scan,
            name=readback_suffix,
            doc=doc,
            read_only=True,
            **{**both, **(readback_kw or {})},
        )
        cls = type("PVPair", (PVGroup,), {"setpoint": setpoint, "readback": readback})
        return SubGroup(cls, prefix=name, attr_separator="", doc=doc)

    return declare
