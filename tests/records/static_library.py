"""Prints what dbStaticLib of EPICS Base says of its record types, as JSON."""

import ctypes
import json
import os

from epicscorelibs import ioc
from epicscorelibs.path import base_path

TYPES = (
    "STRING CHAR UCHAR SHORT USHORT LONG ULONG INT64 UINT64 FLOAT DOUBLE "
    "ENUM MENU DEVICE INLINK OUTLINK FWDLINK NOACCESS"
).split()


def main() -> None:
    core = ioc.dbCore
    core.dbAllocEntry.restype = ctypes.c_void_p
    core.dbGetMenuChoices.restype = ctypes.POINTER(ctypes.c_char_p)
    for name in ("dbGetRecordTypeName", "dbGetFieldName", "dbGetDefault"):
        getattr(core, name).restype = ctypes.c_char_p
    folder = os.path.join(base_path, "dbd")
    ioc.dbLoadDatabase(b"base.dbd", folder.encode(), None)
    entry = ctypes.c_void_p(core.dbAllocEntry(ioc.pdbbase))
    records = {}
    failed = core.dbFirstRecordType(entry)
    while not failed:
        fields = records[core.dbGetRecordTypeName(entry).decode()] = {}
        failed = core.dbFirstField(entry, 0)
        while not failed:
            kind = TYPES[core.dbGetFieldDbfType(entry)]
            default = core.dbGetDefault(entry)
            choices = []
            if kind in ("MENU", "DEVICE"):
                found = core.dbGetMenuChoices(entry)
                number = core.dbGetNMenuChoices(entry) if found else 0
                choices = [found[i].decode() for i in range(number)]
            fields[core.dbGetFieldName(entry).decode()] = (
                kind,
                default.decode() if default else "",
                choices,
            )
            failed = core.dbNextField(entry, 0)
        failed = core.dbNextRecordType(entry)
    print(json.dumps(records))


if __name__ == "__main__":
    main()
