"""Save files in all formats: bytes to values and back, without I/O; and request files."""

from ioc_ops.autosave.formats.request import RequestedPV, parse_request, read_request
from ioc_ops.autosave.formats.sav import loads_sav
from ioc_ops.autosave.formats.savwrite import dumps_sav, is_sav_name
from ioc_ops.autosave.formats.softsav import loads_softsav
from ioc_ops.autosave.formats.table import FORMATS, Format, format_of, parse
from ioc_ops.autosave.formats.written import Written

__all__ = [
    "FORMATS",
    "Format",
    "RequestedPV",
    "Written",
    "dumps_sav",
    "format_of",
    "is_sav_name",
    "loads_sav",
    "loads_softsav",
    "parse",
    "parse_request",
    "read_request",
]
