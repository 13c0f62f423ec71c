"""Record types by name: those of the tables, and those that users register."""

from ioc_ops.errors import DefinitionError
from ioc_ops.records import RecordFields

__all__ = ["record_class", "record_name", "records"]

records: dict[str, type[RecordFields]] = {}
"""Classes of fields by record type; filled where the classes are."""


def record_class(record: str) -> type[RecordFields]:
    """The fields of a record type. Raises DefinitionError: there is no such type."""
    try:
        return records[record]
    except KeyError:
        known = ", ".join(sorted(records))
        raise DefinitionError(f"record={record!r} is none of {known}") from None


def record_name(record: str | type[RecordFields]) -> str:
    """The name of a record type that is given by name or by its class.

    Raises:
        DefinitionError: there is no such type, or its class is not registered.
    """
    if isinstance(record, str):
        if "." in record:
            raise DefinitionError(f"record={record!r}: a record type has no dot in its name")
        record_class(record)
        return record
    for name, known in records.items():
        if known is record:
            return name
    raise DefinitionError(f"{record.__name__} is no record type: decorate it with @register_record")
