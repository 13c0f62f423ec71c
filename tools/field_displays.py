"""What a field shows beside its value: units, precision, ranges. Asked of EPICS Base itself.

The functions get_units, get_precision, get_graphic_double and get_control_double of each record
type decide; the records of the wheel are made in this process, without any Channel Access, and
``dbGetField`` is asked. Those of motor are written from its documentation.
"""

import ctypes
import os
import struct
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Display = tuple[str, str, str, str]
Displays = Mapping[tuple[str, str], Display]
"""By record type and field: units, precision, display range, control range.

Units are EGU or a text, precision is PREC or a number. A range is ``low:high``, each a number or a
field's name; '' is the whole range of the field's type.
"""
NOTHING: Display = ("", "", "", "")

# Values that tell where a shown number comes from.
_SOURCES = {"LOPR": 11, "HOPR": 12, "DRVL": 13, "DRVH": 14, "NELM": 15, "MALM": 17, "PREC": 7}
_RANGES: dict[str, tuple[float, float]] = {
    "CHAR": (-128, 127),
    "UCHAR": (0, 255),
    "SHORT": (-32768, 32767),
    "USHORT": (0, 65535),
    "LONG": (-2147483648, 2147483647),
    "ULONG": (0, 4294967295),
    "INT64": (-(2.0**63), 2.0**63),
    "UINT64": (0, 2.0**64),
    "FLOAT": (-1e30, 1e30),
    "DOUBLE": (-1e300, 1e300),
    "NOACCESS": (-1e300, 1e300),
}
# Options of dbGetField (dbAccessDefs.h), and the layout of what they add before the value.
_UNITS, _PRECISION, _GRAPHIC, _CONTROL = 0x4, 0x8, 0x100, 0x400
_LAYOUT = struct.Struct("16sq4d")
_DBR_DOUBLE = 10


def probe(folder: Path, types: Mapping[str, Mapping[str, str]]) -> Displays:
    """Ask a record of each type about each of its numeric fields.

    Args:
        folder: with the .dbd files.
        types: database types of the fields, by record type and field.
    """
    from epicscorelibs import ioc

    with _silence():
        ioc.iocshRegisterCommon()
        ioc.dbLoadDatabase(b"base.dbd", str(folder).encode(), None)
        ioc.registerRecordDeviceDriver(ioc.pdbbase)
        with tempfile.NamedTemporaryFile("w", suffix=".db") as database:
            for kind, fields in types.items():
                said = {name: value for name, value in _SOURCES.items() if name in fields}
                if "EGU" in fields:
                    said["EGU"] = "EGU"
                body = " ".join(f'field({name}, "{value}")' for name, value in said.items())
                database.write(f'record({kind}, "{kind}") {{ {body} }}\n')
            database.flush()
            ioc.dbLoadRecords(database.name.encode(), b"")
        ioc.dbCore.iocBuildIsolated()
        return {
            (kind, name): _ask(ioc.dbCore, f"{kind}.{name}", dbf)
            for kind, fields in types.items()
            for name, dbf in fields.items()
            if dbf in _RANGES
        }


@contextmanager
def _silence() -> Any:
    """iocInit tells the terminal about itself."""
    with open(os.devnull, "w") as nowhere:
        kept = os.dup(1), os.dup(2)
        try:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            for target, saved in zip((1, 2), kept, strict=True):
                os.dup2(saved, target)
                os.close(saved)


def _ask(core: Any, name: str, dbf: str) -> Display:
    address, reply = ctypes.create_string_buffer(256), ctypes.create_string_buffer(1024)
    if core.dbNameToAddr(name.encode(), address):
        return NOTHING
    options = ctypes.c_long(_UNITS | _PRECISION | _GRAPHIC | _CONTROL)
    count = ctypes.c_long(0)
    core.dbGetField(address, _DBR_DOUBLE, reply, ctypes.byref(options), ctypes.byref(count), None)
    units, precision, high, low, upper, lower = _LAYOUT.unpack_from(reply.raw)
    said = options.value
    return (
        units.split(b"\0")[0].decode(),
        _source(precision) if said & _PRECISION and precision else "",
        _range(low, high, dbf) if said & _GRAPHIC else "0:0",
        _range(lower, upper, dbf) if said & _CONTROL else "0:0",
    )


def _source(number: float) -> str:
    return next((name for name, value in _SOURCES.items() if value == number), f"{number:g}")


def _range(low: float, high: float, dbf: str) -> str:
    return "" if (low, high) == _RANGES[dbf] else f"{_source(low)}:{_source(high)}"


def _motor() -> Displays:
    units = dict.fromkeys(("VELO", "VMAX", "BVEL", "VBAS", "JVEL", "HVEL"), "EGU/sec")
    units |= {"JAR": "EGU/s/s", "ACCL": "sec", "BACC": "sec", "UREV": "EGU/rev"}
    units |= {"S": "rev/sec", "SBAS": "rev/sec", "SBAK": "rev/sec", "SREV": "steps/rev"}
    ranges = {"VAL": "LLM:HLM", "RBV": "LLM:HLM", "DVAL": "DLLM:DHLM", "DRBV": "DLLM:DHLM"}
    ranges["VELO"] = "VBAS:VMAX"
    doubles = (
        "VAL RBV DVAL DRBV HLM LLM DHLM DLLM OFF VELO VMAX BVEL VBAS JVEL HVEL JAR ACCL BACC ACCS "
        "S SMAX SBAS SBAK UREV MRES ERES RRES BDST RDBD SPDB FRAC DLY TWV RLV DIFF LVAL LDVL LRLV "
        "HIHI LOLO HIGH LOW HOPR LOPR ADEL MDEL PCOF ICOF DCOF"
    ).split()
    shown = {("motor", name): (units.get(name, "EGU"), "PREC") for name in doubles}
    shown |= {("motor", "SREV"): ("steps/rev", ""), ("motor", "VERS"): ("", "2")}
    return {
        key: (*both, ranges.get(key[1], ""), ranges.get(key[1], "")) for key, both in shown.items()
    }


MOTOR_DISPLAYS: Displays = _motor()
