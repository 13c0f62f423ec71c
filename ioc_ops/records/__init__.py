"""Record types as data, and the few behaviours that tie fields to a PV."""

from ioc_ops.records.fields import Field, RecordFields, field_name
from ioc_ops.records.tables import FieldSpec, choices_of, fields_of, record_types

__all__ = [
    "Field",
    "FieldSpec",
    "RecordFields",
    "choices_of",
    "field_name",
    "fields_of",
    "record_types",
]
