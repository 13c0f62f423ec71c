"""Names of the PVs that IOC scripts would serve, without serving them.

Arguments: the module whose `run` the scripts call, then scripts as "module --option value ...".
Prints a JSON object of lists, by module.
"""

import contextlib
import io
import json
import runpy
import shlex
import sys
from importlib import import_module
from typing import Any


def main(server: str, scripts: list[str]) -> None:
    found: dict[str, list[str]] = {}

    def note(pvdb: Any, **_: Any) -> None:
        found[module] = list(pvdb)

    vars(import_module(server))["run"] = note
    for script in scripts:
        module, *arguments = shlex.split(script)
        sys.argv = [module, *arguments]
        with contextlib.redirect_stdout(io.StringIO()):
            runpy.run_module(module, run_name="__main__")
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
