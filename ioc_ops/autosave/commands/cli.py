"""``python -m ioc_ops autosave``: save files at the command line.

Exit status: 0, all is well; 1, something is not as it should be, see the commands; 2, a file cannot
be used or the command line is wrong; 130, interrupted. That of ``diff`` is the number of
differences, as that of asVerify: at most 100, and 255 instead of 2.
"""

import argparse
import math
import time
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from ioc_ops.autosave.commands.console import Console
from ioc_ops.autosave.commands.convert import run_convert
from ioc_ops.autosave.commands.listing import run_list, run_verify
from ioc_ops.autosave.commands.live import LIVE, run_diff_or_live, run_snapshot
from ioc_ops.autosave.commands.output import add_output_options
from ioc_ops.autosave.commands.restore import run_restore
from ioc_ops.autosave.commands.show import run_show
from ioc_ops.errors import AutosaveError

__all__ = ["add_arguments", "run"]

TROUBLE = 2
"""Exit status: a file cannot be used."""
DIFF_TROUBLE = 255
"""The same of ``diff``, where 2 are two differences; asVerify has -1."""
INTERRUPTED = 130
"""Exit status: SIGINT, as shells have it."""

_FORMATS = "JSON of ioc_ops and caproto, .sav of synApps autosave, .softsav of pythonSoftIOC"
_CLIENT = "needs aioca: pip install ioc-ops[client]"


class _Parser(argparse.ArgumentParser):
    """Takes options between arguments, too, and ends with a status of the command's own."""

    def __init__(self, *args: Any, trouble: int = TROUBLE, **options: Any) -> None:
        super().__init__(*args, **options)
        self.trouble = trouble
        self._sorting = False

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As that of argparse, for which arguments that may be missing must stand together."""
        if self._sorting:
            return super().parse_known_args(args, namespace)
        self._sorting = True
        try:
            plain = "--" in (args or ())  # which it would forget
            parse = super().parse_known_args if plain else self.parse_known_intermixed_args
            known, unknown = parse(args, namespace)
        finally:
            self._sorting = False
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown

    def exit(self, status: int = 0, message: str | None = None) -> Any:
        """End the program; 2 is what argparse has for a wrong command line."""
        super().exit(self.trouble if status == TROUBLE else status, message)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands to a parser; what it then parses is for `run`."""
    parser.description = f"Work with save files: {_FORMATS}."
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    command = commands.add_parser("list", help="the history of a save directory")
    command.add_argument("path", help="directory, or a save file to list with its copies")
    command.set_defaults(command=run_list)

    command = commands.add_parser("show", help="the values in a file")
    command.add_argument("file", help="a save file")
    command.add_argument("pv", nargs="*", help="only these PVs; * and ? stand for any text")
    command.set_defaults(command=run_show)

    _add_diff(
        commands.add_parser(
            "diff",
            help="what differs in two files, or in a file and the running IOCs",
            trouble=DIFF_TROUBLE,
        )
    )

    command = commands.add_parser("verify", help="whether files are whole and undamaged")
    command.add_argument("files", nargs="+", metavar="file", help="a save file")
    command.set_defaults(command=run_verify)

    command = commands.add_parser("convert", help="write a file in another format")
    command.add_argument("source", help="a save file")
    command.add_argument("target", help="the file to write")
    add_output_options(command)
    command.set_defaults(command=run_convert)

    _add_restore(commands.add_parser("restore", help="write values of a file to running IOCs"))
    _add_snapshot(
        commands.add_parser("snapshot", help="write a file of what running IOCs serve now")
    )


def _add_diff(command: _Parser) -> None:
    command.description = "The PVs that differ in two save files, or in one and the running IOCs."
    command.epilog = (
        "Exit status: the number of PVs that differ, at most 100; 255 if a file cannot be "
        "used or the command line is wrong."
    )
    command.add_argument("old", help="a save file")
    command.add_argument(
        "new",
        help=f"another one; or {LIVE!r}, what the IOCs serve now, which {_CLIENT}",
    )
    for short, long, kind in (
        ("--atol", "--abs-tol", "absolute"),
        ("--rtol", "--rel-tol", "relative"),
    ):
        command.add_argument(
            short, long, type=_tolerance, metavar="NUMBER", help=f"{kind} tolerance for numbers"
        )
    live = command.add_argument_group(
        f"with {LIVE!r}",
        "Without --atol and --rtol, FLOAT may differ by 1e-6 and DOUBLE by 1e-8, as for asVerify.",
    )
    live.add_argument(
        "--pv",
        action="append",
        default=[],
        metavar="PV",
        help="only these; * and ? stand for any text",
    )
    live.add_argument("--req", metavar="FILE", help="only the PVs that a request file names")
    _add_request_options(live)
    _add_timeout(live)
    command.set_defaults(command=run_diff_or_live, trouble=DIFF_TROUBLE)


def _add_restore(command: _Parser) -> None:
    command.description = (
        "Write values of a save file to the PVs of running IOCs, in the order of the "
        f"file, and read them back; {_CLIENT}."
    )
    command.epilog = (
        "Exit status: 0 if all PVs have their saved values now, 1 if one has not, 2 if the "
        "file cannot be used."
    )
    command.add_argument("file", help="a save file in any format")
    command.add_argument("pv", nargs="*", help="only these PVs; * and ? stand for any text")
    command.add_argument(
        "-n", "--dry-run", action="store_true", help="only say what would be written"
    )
    command.add_argument("-y", "--yes", action="store_true", help="do not ask on a terminal")
    command.add_argument(
        "--no-fields", dest="fields", action="store_false", help="leave out name.FIELD"
    )
    command.add_argument(
        "--all", action="store_true", help="write also PVs that have their saved value already"
    )
    command.add_argument(
        "--jobs", type=_count, default=1, metavar="N", help="PVs to write at the same time (1)"
    )
    command.add_argument(
        "--put-timeout",
        type=_seconds,
        default=30.0,
        metavar="SECONDS",
        help="for a PV to complete what a write starts (30)",
    )
    _add_timeout(command)
    command.set_defaults(command=run_restore)


def _add_snapshot(command: _Parser) -> None:
    command.description = (
        "Write a save file with the values that the PVs of a request file have now in "
        f"running IOCs; {_CLIENT}."
    )
    command.epilog = (
        "Exit status: 0 if all values are in the file, 1 if one is not, 2 if no file was written."
    )
    command.add_argument("req", help="a request file: one PV a line, and `file` to include others")
    command.add_argument("-o", "--output", required=True, metavar="FILE", help="the file to write")
    _add_request_options(command)
    add_output_options(command)
    _add_timeout(command)
    command.set_defaults(command=run_snapshot)


def _add_request_options(command: argparse._ActionsContainer) -> None:
    command.add_argument(
        "-m", "--macros", default="", metavar="P=x,Q=y", help="macros in the request file"
    )
    command.add_argument(
        "-I",
        "--include",
        action="append",
        default=[],
        metavar="DIRECTORY",
        help="where to look for the request files that it includes; its own directory comes first",
    )


def _add_timeout(command: argparse._ActionsContainer) -> None:
    command.add_argument(
        "--timeout",
        type=_seconds,
        default=5.0,
        metavar="SECONDS",
        help="within which all PVs must connect (5)",
    )


def _tolerance(text: str) -> float:
    return _number(text, "tolerance")


def _seconds(text: str) -> float:
    return _number(text, "time")


def _number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no {what}: a number from 0 on")
    return value


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def run(
    options: argparse.Namespace,
    out: TextIO,
    errors: TextIO,
    clock: Callable[[], float] = time.time,
    answers: TextIO | None = None,
) -> int:
    """Do what the command line says.

    Args:
        options: what the parser of `add_arguments` made of it.
        out: for results.
        errors: for the one line of an error, for progress and questions.
        clock: Unix time.
        answers: to questions; None: nobody can be asked.

    Returns:
        The exit status.
    """
    try:
        status: int = options.command(options, Console(out, errors, answers, clock))
    except AutosaveError as error:
        errors.write(f"error: {error}\n")
        return getattr(options, "trouble", TROUBLE)
    except KeyboardInterrupt:
        errors.write("interrupted\n")
        return INTERRUPTED
    return status
