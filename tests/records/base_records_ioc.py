"""The oracle: EPICS Base serves a database file until it is told to stop."""

import os
import signal
import sys

from epicscorelibs import ioc


def main(database: str) -> None:
    ioc.start_ioc(dbs=[(database, "")])
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    print("Server startup complete.", file=sys.stderr, flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
