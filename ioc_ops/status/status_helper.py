"""The status PVs of an IOC in one SubGroup."""

import os
from collections.abc import Mapping

from ioc_ops.group import PVGroup, SubGroup
from ioc_ops.status.basic import BasicStatusHelper
from ioc_ops.status.host import LocalHost
from ioc_ops.status.periodic import PeriodicStatusHelper
from ioc_ops.status.probe import ProcessProbe

__all__ = ["StatusHelper"]


class StatusHelper(PVGroup):
    """What iocStats serves, so that its operator screens work on this IOC unchanged.

    Use it as ``status = SubGroup(StatusHelper, prefix="Ioc:")``.

    Args:
        prefix, macros, parent, name: as for every ``PVGroup``.
        environ: environment to show and to take ENGINEER, LOCATION and the startup script from;
            by default that of this process.
        probe: what to read with instead of this machine, this process and ``environ``.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        macros: Mapping[str, str] | None = None,
        parent: PVGroup | None = None,
        name: str | None = None,
        environ: Mapping[str, str] | None = None,
        probe: ProcessProbe | None = None,
    ) -> None:
        super().__init__(prefix, macros=macros, parent=parent, name=name)
        if probe is None:
            probe = ProcessProbe(LocalHost(), os.environ if environ is None else environ)
        self.basic.probe = self.periodic.probe = probe

    basic = SubGroup(BasicStatusHelper, prefix="")
    periodic = SubGroup(PeriodicStatusHelper, prefix="")
