"""``utag``: updates whose user tag, masked with M, is V (``utag.c``). A PV here has the tag 0."""

from dataclasses import dataclass

from ioc_ops.ca.json5 import Json
from ioc_ops.channel.filters.options import Kind, Option, read_options
from ioc_ops.channel.filters.update import PROPERTY, Filter, States, Step, Update

__all__ = ["UserTag"]

_OPTIONS = (
    Option("M", Kind.INTEGER, "mask", converts=True),
    Option("V", Kind.INTEGER, "value", converts=True),
)


@dataclass(frozen=True, slots=True)
class UserTag(Filter):
    """The first update passes, later ones when the tag is the wanted one, properties always."""

    value: int = 0

    @classmethod
    def make(cls, options: Json, states: States) -> "UserTag":
        """From ``{M:MASK, V:VALUE}``. Raises ConversionError."""
        # 0 is 0 behind any mask.
        return cls(int(read_options("utag", _OPTIONS, options).get("value", 0)))

    def start(self) -> Step:
        first = True

        def step(update: Update) -> Update | None:
            nonlocal first
            if update.reading or update.events & PROPERTY:
                return update
            passes = first or self.value == 0
            first = False
            return update if passes else None

        return step
