"""``python -m ioc_ops``: the version and where to look."""

import argparse
import sys
from importlib.metadata import version

WHERE_TO_LOOK = """\
  python -m ioc_ops.examples             the examples, one line each
  python -m ioc_ops.examples.simple -h   the options of one of them
  python -m ioc_ops.examples.demo        values that survive kill -9 (also: make demo)
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
    return result


def main(argv: list[str] | None = None) -> int:
    """Print the version and where to look; exit status 0."""
    parser().parse_args(argv)
    print(f"ioc_ops {version('ioc-ops')}\n\n{WHERE_TO_LOOK}", end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
