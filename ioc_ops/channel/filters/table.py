"""Filters by the name that clients call them."""

from collections.abc import Callable

from ioc_ops.ca.json5 import Json
from ioc_ops.channel.filters.arr import Subarray
from ioc_ops.channel.filters.dbnd import Deadband
from ioc_ops.channel.filters.dec import Decimation
from ioc_ops.channel.filters.sync import Synchronize
from ioc_ops.channel.filters.ts import make_stamp
from ioc_ops.channel.filters.update import Filter, States
from ioc_ops.channel.filters.utag import UserTag
from ioc_ops.errors import ConversionError

__all__ = ["FILTERS", "make_filter"]

FILTERS: dict[str, Callable[[Json, States], Filter]] = {
    "ts": make_stamp,
    "dbnd": Deadband.make,
    "arr": Subarray.make,
    "sync": Synchronize.make,
    "dec": Decimation.make,
    "utag": UserTag.make,
}


def make_filter(name: str, options: Json, states: States) -> Filter:
    """A filter as a client asks for it.

    Raises:
        ConversionError: there is no such filter, or it does not take these options.
    """
    make = FILTERS.get(name)
    if make is None:
        raise ConversionError(f"there is no filter {name!r}; there are {', '.join(FILTERS)}")
    return make(options, states)
