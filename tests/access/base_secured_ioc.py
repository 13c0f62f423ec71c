"""The PVs of `secured_ioc.py` as records of EPICS Base, under the same rules.

python base_secured_ioc.py PREFIX RULES MACROS
"""

import os
import signal
import sys
import tempfile
from pathlib import Path

from epicscorelibs import ioc

RECORDS = """
record(ao, "{prefix}gate") { field(VAL, "0") field(PINI, "YES") }
record(ao, "{prefix}plain") { field(VAL, "1") field(PINI, "YES") }
record(ao, "{prefix}guarded") { field(VAL, "2") field(PINI, "YES") field(ASG, "GUARDED") }
record(ao, "{prefix}shut") { field(VAL, "3") field(PINI, "YES") field(ASG, "SHUT") }
record(ao, "{prefix}stray") { field(VAL, "4") field(PINI, "YES") field(ASG, "NO SUCH") }
"""


def main(prefix: str, rules: str, macros: str) -> None:
    """Serve until SIGTERM."""
    ioc.dbCore.asSetFilename(rules.encode())
    ioc.dbCore.asSetSubstitutions(macros.encode())
    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder, "records.db")
        records.write_text(RECORDS.replace("{prefix}", prefix))
        ioc.start_ioc(dbs=[(str(records), "")])
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    print("Server startup complete.", file=sys.stderr, flush=True)
    while True:
        signal.pause()


main(*sys.argv[1:])
