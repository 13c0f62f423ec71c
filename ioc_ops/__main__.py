"""``python -m ioc_ops``: the version, where to look, and commands for save files."""

import argparse
import os
import sys
from importlib.metadata import version

from ioc_ops.autosave import cli

WHERE_TO_LOOK = """\
  python -m ioc_ops.examples             the examples, one line each
  python -m ioc_ops.examples.simple -h   the options of one of them
  python -m ioc_ops.examples.demo        values that survive kill -9 (also: make demo)
  python -m ioc_ops autosave -h          list, compare, convert and restore save files
"""


def parser() -> argparse.ArgumentParser:
    """The command line; a broken one ends with exit status 2."""
    result = argparse.ArgumentParser(
        prog="python -m ioc_ops",
        description="EPICS Channel Access IOCs in Python with autosave, status PVs and metrics.",
        epilog=f"where to look:\n{WHERE_TO_LOOK}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("--version", action="version", version=version("ioc-ops"))
    commands = result.add_subparsers(metavar="COMMAND")
    cli.add_arguments(commands.add_parser("autosave", help="work with save files"))
    return result


def main(argv: list[str] | None = None) -> int:
    """Run a command; without one print the version and where to look.

    Returns:
        The exit status.
    """
    options = parser().parse_args(argv)
    if not hasattr(options, "command"):
        print(f"ioc_ops {version('ioc-ops')}\n\n{WHERE_TO_LOOK}", end="")
        return 0
    try:
        status = cli.run(options, sys.stdout, sys.stderr, answers=sys.stdin)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough (`| head`). Python must not try to flush once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


if __name__ == "__main__":
    sys.exit(main())
