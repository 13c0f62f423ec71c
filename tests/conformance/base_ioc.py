"""The reference: records of EPICS Base served by its own C server, from the epicscorelibs wheel."""

import contextlib
import os
import signal
import sys
import tempfile
from pathlib import Path

from epicscorelibs import ioc

ACCESS = """
ASG(DEFAULT) { RULE(1, READ) RULE(1, WRITE) }
ASG(READING) { RULE(1, READ) }
ASG(NOTHING)
"""

LIMITS = """
    field(HOPR, "100") field(LOPR, "-100")
    field(HIHI, "80") field(HIGH, "70") field(LOW, "-70") field(LOLO, "-80")
    field(HHSV, "MAJOR") field(HSV, "MINOR") field(LSV, "MINOR") field(LLSV, "MAJOR")
"""

RECORDS = f"""
record(ao, "ao") {{
    field(VAL, "1.5") field(PREC, "3") field(EGU, "mm") field(PINI, "YES") {LIMITS}
}}
record(ao, "al") {{
    field(VAL, "1.5") field(PREC, "3") field(EGU, "mm") field(PINI, "YES") {LIMITS}
    field(DRVH, "90") field(DRVL, "-90")
}}
record(longout, "lo") {{ field(VAL, "7") field(EGU, "counts") field(PINI, "YES") {LIMITS} }}
record(mbbo, "mb") {{
    field(ZRST, "Off") field(ONST, "On") field(TWST, "Fault") field(VAL, "1") field(PINI, "YES")
}}
record(bo, "bo") {{ field(ZNAM, "Open") field(ONAM, "Closed") field(VAL, "0") field(PINI, "YES") }}
record(stringout, "so") {{ field(VAL, "hello") field(PINI, "YES") }}
record(ao, "ro") {{ field(VAL, "2.5") field(PREC, "3") field(PINI, "YES") field(ASG, "READING") }}
record(ao, "no") {{ field(VAL, "2.5") field(PREC, "3") field(PINI, "YES") field(ASG, "NOTHING") }}
"""
WAVEFORMS = {
    "wd": ("DOUBLE", 5),
    "wf": ("FLOAT", 5),
    "wl": ("LONG", 5),
    "ws": ("SHORT", 5),
    "wc": ("UCHAR", 12),
    "wt": ("STRING", 3),
    "f1": ("FLOAT", 1),
    "s1": ("SHORT", 1),
}
for name, (kind, size) in WAVEFORMS.items():
    numeric = size > 1 and kind not in ("UCHAR", "STRING")
    meta = 'field(PREC, "3") field(EGU, "mm") field(HOPR, "100") field(LOPR, "-100")'
    RECORDS += f"""
record(waveform, "{name}") {{
    field(FTVL, "{kind}") field(NELM, "{size}") field(PINI, "YES") {meta if numeric else ""}
}}
"""


def main() -> None:
    """Serve until SIGTERM."""
    with tempfile.TemporaryDirectory() as folder:
        records, access = Path(folder, "records.db"), Path(folder, "access.acf")
        records.write_text(RECORDS)
        access.write_text(ACCESS)
        ioc.dbCore.asSetFilename(str(access).encode())
        ioc.start_ioc(dbs=[(str(records), "")])
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    print("ready", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.read()  # ends with whoever started us


main()
