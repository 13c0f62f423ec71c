"""The declarative layer: groups of PVs and what their PVs do."""

from ioc_ops.group import record_classes
from ioc_ops.group.function import pvfunction
from ioc_ops.group.group import PVGroup
from ioc_ops.group.macros import expand_macros
from ioc_ops.group.marks import unsaved_marks
from ioc_ops.group.masks import SubscriptionType
from ioc_ops.group.pairs import get_pv_pair_wrapper
from ioc_ops.group.pvdb import LivePVs
from ioc_ops.group.pvproperty import pvproperty
from ioc_ops.group.pvspec import PVSpec
from ioc_ops.group.record_fields import RecordFieldGroup, register_record
from ioc_ops.group.scan import ScanSpec, scan_wrapper
from ioc_ops.group.subgroup import SubGroup
from ioc_ops.group.tree import root_of, root_of_pv
from ioc_ops.group.types import (
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
    PvpropertyInt64,
    PvpropertyInt64RO,
    PvpropertyInteger,
    PvpropertyIntegerRO,
    PvpropertyReadOnlyData,
    PvpropertyShort,
    PvpropertyShortRO,
    PvpropertyString,
    PvpropertyStringRO,
)

__all__ = [
    "LivePVs",
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
    "PvpropertyInt64",
    "PvpropertyInt64RO",
    "PvpropertyInteger",
    "PvpropertyIntegerRO",
    "PvpropertyReadOnlyData",
    "PvpropertyShort",
    "PvpropertyShortRO",
    "PvpropertyString",
    "PvpropertyStringRO",
    "RecordFieldGroup",
    "ScanSpec",
    "SubGroup",
    "SubscriptionType",
    "expand_macros",
    "get_pv_pair_wrapper",
    "pvfunction",
    "pvproperty",
    "record_classes",
    "register_record",
    "root_of",
    "root_of_pv",
    "scan_wrapper",
    "unsaved_marks",
]
