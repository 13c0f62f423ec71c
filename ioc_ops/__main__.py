"""``python -m ioc_ops``: the version, where to look, and commands for save files and metrics."""

import argparse
import io
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TextIO

import ioc_ops

WHERE_TO_LOOK = """\
  python -m ioc_ops.examples             the examples, one line each
  python -m ioc_ops.examples.simple -h   the options of one of them
  python -m ioc_ops.examples.demo        values that survive kill -9 (also: make demo)
  python -m ioc_ops autosave -h          list, compare, convert and restore save files
  python -m ioc_ops metrics -h           tell Prometheus which IOCs there are
"""

#: The output could not be written.
TROUBLE = 2
#: The reader of the output has gone (`| head`): what a shell shows of a program that SIGPIPE ends.
NOT_READ = 141


class Commands(NamedTuple):
    """Commands of one kind: what they add to a parser, and what runs them."""

    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, TextIO, TextIO], int]


def _autosave() -> Commands:
    from ioc_ops.autosave.commands import cli

    return Commands(cli.add_arguments, partial(cli.run, answers=sys.stdin))


def _metrics() -> Commands:
    from ioc_ops.web import cli

    return Commands(cli.add_arguments, cli.run)


# Imported when asked for: who looks at a save file needs no HTTP.
COMMANDS: dict[str, tuple[str, Callable[[], Commands]]] = {
    "autosave": ("work with save files", _autosave),
    "metrics": ("what Prometheus needs beside the IOCs", _metrics),
}


def parser(argv: list[str]) -> argparse.ArgumentParser:
    """The command line, in full for the commands in ``argv``; a broken one ends with status 2."""
    result = argparse.ArgumentParser(
        prog="python -m ioc_ops",
        description="EPICS Channel Access IOCs in Python with autosave, status PVs and metrics.",
        epilog=f"where to look:\n{WHERE_TO_LOOK}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("--version", action="version", version=ioc_ops.__version__)
    commands = result.add_subparsers(metavar="COMMAND")
    for name, (summary, load) in COMMANDS.items():
        command = commands.add_parser(name, help=summary)
        if name in argv:
            add_arguments, run = load()
            add_arguments(command)
            command.set_defaults(run=run)
    return result


def main(argv: list[str] | None = None) -> int:
    """Run a command; without one print the version and where to look.

    Returns:
        The exit status.
    """
    argv = sys.argv[1:] if argv is None else argv
    # Python has no stream where the shell has closed one (`>&-`).
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        # A value that the terminal has no letters for (LANG=C) ends no command half way.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = parser(argv).parse_args(argv)
    if not hasattr(options, "run"):
        print(f"ioc_ops {ioc_ops.__version__}\n\n{WHERE_TO_LOOK}", end="")
        return 0
    try:
        status: int = options.run(options, sys.stdout, sys.stderr)
        sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:
            raise
        # It is the output. Python must not flush it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return NOT_READ
        print(f"error: output: {error.strerror or error}", file=sys.stderr)
        return getattr(options, "trouble", TROUBLE)
    return status


def _nowhere() -> TextIO:
    return open(os.open(os.devnull, os.O_WRONLY), "w", closefd=False)


if __name__ == "__main__":
    sys.exit(main())
