"""Runs commands for save files: a list of arguments as a JSON line on stdin, its outcome on stdout.

libca stays in a process once it is loaded, and its start takes longer than a command.
"""

import contextlib
import io
import json
import sys
import warnings

import aioca  # noqa: F401 - while the IOC starts

from ioc_ops.__main__ import main


def run(arguments: list[str]) -> dict[str, object]:
    """Exit status, output, errors."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            status: object = main(["autosave", *arguments])
        except SystemExit as end:
            status = end.code
    return {"status": status, "out": out.getvalue(), "errors": errors.getvalue()}


if __name__ == "__main__":
    warnings.simplefilter("error")
    # Of epicscorelibs, with numpy 2.5.
    warnings.filterwarnings("ignore", "Setting the shape on a NumPy array", DeprecationWarning)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
