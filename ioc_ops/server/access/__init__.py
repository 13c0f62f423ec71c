"""EPICS access security: who may read and write, and the log of who did."""

from ioc_ops.server.access.control import AccessControl, AccessFile
from ioc_ops.server.access.decision import Decision
from ioc_ops.server.access.putlog import PutTrap

__all__ = ["AccessControl", "AccessFile", "Decision", "PutTrap"]
