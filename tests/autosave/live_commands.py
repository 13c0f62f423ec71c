"""Commands that reach IOCs, as the tests run them."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

WORKER = Path(__file__).parent / "cli_worker.py"
IOC = Path(__file__).parent / "live_ioc.py"
# libca looks anew only after 10 s for a PV whose circuit is about to close as it is found, which
# happens to one process that runs several commands.
PATIENCE = ["--timeout", "20"]


@dataclass
class Done:
    """What a command gave."""

    status: int
    lines: list[str]
    errors: str

    def row(self, pv: str) -> str:
        """The line of a PV in a table, without its name, one blank between words."""
        (line,) = [line for line in self.lines if line.split(maxsplit=1)[0] == pv]
        return " ".join(line.split()[1:])


class Commands:
    """A process that runs one command after the other; for IOCs on the ports of one test."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER)],
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def __call__(self, *arguments: object) -> Done:
        """Run `python -m ioc_ops autosave ARGUMENTS`, patiently unless they say how much."""
        asks = arguments[0] in ("restore", "snapshot") or "live" in arguments
        if asks and "--timeout" not in arguments:
            arguments = (*arguments, *PATIENCE)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([str(item) for item in arguments]) + "\n")
        line = self.process.stdout.readline()
        assert line, "the worker has died"
        reply = json.loads(line)
        return Done(reply["status"], reply["out"].splitlines(), reply["errors"])

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
