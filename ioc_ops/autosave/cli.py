"""``python -m ioc_ops autosave``: save files at the command line.

Exit status: 0, all is well; 1, files differ, do not verify or could not be converted whole; 2, a
file cannot be used or the command line is wrong.
"""

import argparse
import math
import time
from collections.abc import Callable
from typing import TextIO

from ioc_ops.autosave.cli_convert import run_convert
from ioc_ops.autosave.cli_list import run_list, run_verify
from ioc_ops.autosave.cli_show import run_diff, run_show
from ioc_ops.autosave.formats.table import FORMATS
from ioc_ops.errors import AutosaveError

__all__ = ["add_arguments", "run"]

TROUBLE = 2
"""Exit status: a file cannot be used."""

_FORMATS = "JSON of ioc_ops and caproto, .sav of synApps autosave, .softsav of pythonSoftIOC"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands to a parser; what it then parses is for `run`."""
    parser.description = f"Work with save files: {_FORMATS}."
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    command = commands.add_parser("list", help="the history of a save directory")
    command.add_argument("path", help="directory, or a save file to list with its copies")
    command.set_defaults(command=run_list)

    command = commands.add_parser("show", help="the values in a file")
    command.add_argument("file", help="a save file")
    command.add_argument("pv", nargs="*", help="only these PVs; * and ? stand for any text")
    command.set_defaults(command=run_show)

    command = commands.add_parser(
        "diff", help="what differs in two files; exit status 1 if something does"
    )
    command.add_argument("old", help="a save file")
    command.add_argument("new", help="another one, also in another format")
    command.add_argument("--atol", type=_tolerance, default=0.0, help="absolute tolerance")
    command.add_argument("--rtol", type=_tolerance, default=0.0, help="relative tolerance")
    command.set_defaults(command=run_diff)

    command = commands.add_parser("verify", help="whether files are whole and undamaged")
    command.add_argument("files", nargs="+", metavar="file", help="a save file")
    command.set_defaults(command=run_verify)

    command = commands.add_parser("convert", help="write a file in another format")
    command.add_argument("source", help="a save file")
    command.add_argument("target", help="the file to write")
    formats = [name for name, item in FORMATS.items() if item.dumps is not None]
    command.add_argument("--to", choices=formats, help="the format, if the suffix does not tell")
    command.add_argument("--force", action="store_true", help="replace the target if it is there")
    command.set_defaults(command=run_convert)


def _tolerance(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no tolerance: a number from 0 on")
    return value


def run(
    options: argparse.Namespace,
    out: TextIO,
    errors: TextIO,
    clock: Callable[[], float] = time.time,
) -> int:
    """Do what the command line says.

    Args:
        options: what the parser of `add_arguments` made of it.
        out: for results.
        errors: for the one line of an error.
        clock: Unix time.

    Returns:
        The exit status.
    """
    try:
        status: int = options.command(options, out, clock)
    except AutosaveError as error:
        errors.write(f"error: {error}\n")
        return TROUBLE
    return status
