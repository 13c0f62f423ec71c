"""``dec``: let every n-th update pass (``decimate.c``)."""

from dataclasses import dataclass

from ioc_ops.ca.json5 import Json
from ioc_ops.channel.filters.options import Kind, Option, read_options
from ioc_ops.channel.filters.update import PROPERTY, Filter, States, Step, Update
from ioc_ops.errors import ConversionError

__all__ = ["Decimation"]

_OPTIONS = (Option("n", Kind.INTEGER, "n", required=True),)


@dataclass(frozen=True, slots=True)
class Decimation(Filter):
    """The first update passes, the next n - 1 do not. Property events pass uncounted."""

    n: int

    @classmethod
    def make(cls, options: Json, states: States) -> "Decimation":
        """From ``{n:NUMBER}``. Raises ConversionError."""
        n = int(read_options("dec", _OPTIONS, options).get("n", 0))
        if n < 1:
            raise ConversionError(f"filter dec: n is a positive integer, not {n}")
        return cls(n)

    def start(self) -> Step:
        seen = 0

        def step(update: Update) -> Update | None:
            nonlocal seen
            if update.reading or update.events & PROPERTY:
                return update
            passes = seen == 0
            seen = (seen + 1) % self.n
            return update if passes else None

        return step
