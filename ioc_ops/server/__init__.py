"""The running server, and what an IOC is written with."""

from ioc_ops.group import (
    PVGroup,
    PvpropertyBoolEnum,
    PvpropertyBoolEnumRO,
    PvpropertyByte,
    PvpropertyByteRO,
    PvpropertyChar,
    PvpropertyCharRO,
    PvpropertyData,
    PvpropertyDouble,
    PvpropertyDoubleRO,
    PvpropertyEnum,
    PvpropertyEnumRO,
    PvpropertyFloat,
    PvpropertyFloatRO,
    PvpropertyInteger,
    PvpropertyIntegerRO,
    PvpropertyReadOnlyData,
    PvpropertyShort,
    PvpropertyShortRO,
    PvpropertyString,
    PvpropertyStringRO,
    PVSpec,
    ScanSpec,
    SubGroup,
    expand_macros,
    get_pv_pair_wrapper,
    pvfunction,
    pvproperty,
    scan_wrapper,
)
from ioc_ops.server.arguments import ioc_arg_parser, template_arg_parser
from ioc_ops.server.circuit import Circuit
from ioc_ops.server.context import Context, current_context
from ioc_ops.server.counters import Counters
from ioc_ops.server.drivers import AsyncLibraryLayer
from ioc_ops.server.drivers.layer import ThreadsafeQueue
from ioc_ops.server.lag import LoopLag
from ioc_ops.server.latency import Latency
from ioc_ops.server.lifecycle import RESTART
from ioc_ops.server.run import run
from ioc_ops.server.scans import ScanStats

__all__ = [
    "RESTART",
    "AsyncLibraryLayer",
    "Circuit",
    "Context",
    "Counters",
    "Latency",
    "LoopLag",
    "PVGroup",
    "PVSpec",
    "PvpropertyBoolEnum",
    "PvpropertyBoolEnumRO",
    "PvpropertyByte",
    "PvpropertyByteRO",
    "PvpropertyChar",
    "PvpropertyCharRO",
    "PvpropertyData",
    "PvpropertyDouble",
    "PvpropertyDoubleRO",
    "PvpropertyEnum",
    "PvpropertyEnumRO",
    "PvpropertyFloat",
    "PvpropertyFloatRO",
    "PvpropertyInteger",
    "PvpropertyIntegerRO",
    "PvpropertyReadOnlyData",
    "PvpropertyShort",
    "PvpropertyShortRO",
    "PvpropertyString",
    "PvpropertyStringRO",
    "ScanSpec",
    "ScanStats",
    "SubGroup",
    "ThreadsafeQueue",
    "current_context",
    "expand_macros",
    "get_pv_pair_wrapper",
    "ioc_arg_parser",
    "pvfunction",
    "pvproperty",
    "run",
    "scan_wrapper",
    "template_arg_parser",
]
