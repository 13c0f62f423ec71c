"""What the two parts of the status PVs have in common."""

import os
from collections.abc import Mapping

from ioc_ops.group import PVGroup
from ioc_ops.status.host import LocalHost
from ioc_ops.status.probe import ProcessProbe
from ioc_ops.status.properties import prepare

__all__ = ["ProbingGroup"]


class ProbingGroup(PVGroup):
    """Status PVs that show what a probe has read.

    Args:
        prefix, macros, parent, name: as for every ``PVGroup``.
        probe: what to read with; by default this machine and this process.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        macros: Mapping[str, str] | None = None,
        parent: PVGroup | None = None,
        name: str | None = None,
        probe: ProcessProbe | None = None,
    ) -> None:
        super().__init__(prefix, macros=macros, parent=parent, name=name)
        self.probe = ProcessProbe(LocalHost(), os.environ) if probe is None else probe
        prepare(self)
