"""Record types as data, and the few behaviours that tie fields to a PV."""

from ioc_ops.records.fields import Field
from ioc_ops.records.following import process, surroundings
from ioc_ops.records.record import RecordFields
from ioc_ops.records.tables import (
    FieldSpec,
    attributes_of,
    choices_of,
    fields_of,
    record_types,
)

__all__ = [
    "Field",
    "FieldSpec",
    "RecordFields",
    "attributes_of",
    "choices_of",
    "fields_of",
    "process",
    "record_types",
    "surroundings",
]
