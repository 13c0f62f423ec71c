"""The language of access configuration files, and what its rules allow.

Imported where there is such a file: an IOC without one starts sooner.
"""

from ioc_ops.server.access.rules.acf import (
    DEFAULT_GROUP,
    AccessConfiguration,
    AccessGroup,
    Rule,
    parse_acf,
)
from ioc_ops.server.access.rules.calc import Calc
from ioc_ops.server.access.rules.policy import Policy
from ioc_ops.server.access.rules.tokens import parse_macros

__all__ = [
    "DEFAULT_GROUP",
    "AccessConfiguration",
    "AccessGroup",
    "Calc",
    "Policy",
    "Rule",
    "parse_acf",
    "parse_macros",
]
