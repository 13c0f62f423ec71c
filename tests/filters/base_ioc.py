"""An IOC of EPICS Base with the records of filtered_ioc.py; ends with its standard input."""

import os
import sys
import tempfile

from epicscorelibs import ioc

ALWAYS = 'field(MDEL,"-1") field(ADEL,"-1")'
RECORDS = f"""
record(ao, "F:ao") {{ {ALWAYS} field(PREC,"3") field(UDFS,"NO_ALARM")
  field(EGU,"mm") field(HOPR,"90")
  field(HIHI,"90") field(HIGH,"50") field(LOW,"-50") field(LOLO,"-90")
  field(HHSV,"MAJOR") field(HSV,"MINOR") field(LSV,"MINOR") field(LLSV,"MAJOR") }}
record(longout, "F:lo") {{ {ALWAYS} }}
record(mbbo, "F:mbb") {{ field(ZRST,"zero") field(ONST,"one") field(TWST,"two") }}
record(bo, "F:bo") {{ field(ZNAM,"no") field(ONAM,"yes") }}
record(stringout, "F:so") {{ field(MPST,"Always") field(APST,"Always") }}
record(lso, "F:lso") {{ field(SIZV,"81") field(MPST,"Always") field(APST,"Always") }}
record(waveform, "F:wf") {{ field(FTVL,"DOUBLE") field(NELM,"10") }}
record(waveform, "F:wl") {{ field(FTVL,"LONG") field(NELM,"10") }}
record(waveform, "F:ws") {{ field(FTVL,"STRING") field(NELM,"4") }}
record(waveform, "F:wc") {{ field(FTVL,"UCHAR") field(NELM,"10") }}
record(waveform, "F:big") {{ field(FTVL,"DOUBLE") field(NELM,"70000") }}
record(bo, "F:red") {{ field(DTYP,"Db State") field(OUT,"@red")
  field(ZNAM,"off") field(ONAM,"on") }}
"""

with tempfile.NamedTemporaryFile("w", suffix=".db") as db:
    db.write(RECORDS)
    db.flush()
    ioc.start_ioc(dbs=[(db.name, "")])
print("READY", flush=True)
sys.stdin.read()
os._exit(0)  # Base's threads do not end by themselves
