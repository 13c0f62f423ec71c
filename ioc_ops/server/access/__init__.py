"""EPICS access security: access configuration files and what they allow."""

from ioc_ops.server.access.acf import (
    DEFAULT_GROUP,
    AccessConfiguration,
    AccessGroup,
    Rule,
    parse_acf,
)
from ioc_ops.server.access.calc import Calc
from ioc_ops.server.access.control import AccessControl, AccessFile
from ioc_ops.server.access.policy import Decision, Policy
from ioc_ops.server.access.putlog import PutTrap
from ioc_ops.server.access.tokens import parse_macros

__all__ = [
    "DEFAULT_GROUP",
    "AccessConfiguration",
    "AccessControl",
    "AccessFile",
    "AccessGroup",
    "Calc",
    "Decision",
    "Policy",
    "PutTrap",
    "Rule",
    "parse_acf",
    "parse_macros",
]
