"""The PVs of an IOC as a scrape sees them: from another thread, while they come and go."""

from collections.abc import Mapping, Reversible
from contextlib import suppress

from ioc_ops.channel import ChannelData

__all__ = ["PvdbWatch", "copy_of"]


def copy_of(pvdb: Mapping[str, ChannelData]) -> dict[str, ChannelData]:
    """What ``pvdb`` holds at one moment."""
    while True:
        try:
            return dict(pvdb)  # of a dictionary that is one atomic step, of others it is not
        except RuntimeError:
            continue


class PvdbWatch:
    """Tells at the price of two look-ups whether PVs have come or gone.

    A new key of a dictionary is its last one, so that one which comes while another goes is
    noticed as well.
    """

    def __init__(self, pvdb: Mapping[str, ChannelData]) -> None:
        """The first ``changed()`` says yes."""
        self._pvdb = pvdb
        self._seen: tuple[int, str | None, int] | None = None

    def changed(self) -> bool:
        """Whether something has changed since the last call."""
        last = None
        if isinstance(self._pvdb, Reversible):
            with suppress(RuntimeError):  # it changes just now
                last = next(reversed(self._pvdb), None)
        seen = (len(self._pvdb), last, 0 if last is None else id(self._pvdb.get(last)))
        changed = seen != self._seen
        self._seen = seen
        return changed
