"""What writing a format that cannot hold everything gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Written"]


@dataclass(frozen=True, slots=True)
class Written:
    """A file, and what became of PVs that do not fit into its format."""

    content: bytes
    #: PVs that are not in the file, and why.
    lost: Mapping[str, str] = field(default_factory=dict)
    #: PVs that are in the file, but are not the same for whoever reads it, and why.
    inexact: Mapping[str, str] = field(default_factory=dict)
