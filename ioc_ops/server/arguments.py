"""The command line that every IOC has."""

import argparse
import inspect
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import ioc_ops
from ioc_ops.group.macros import expand_known_macros
from ioc_ops.server.drivers import DRIVERS

__all__ = ["ioc_arg_parser", "template_arg_parser"]

Options = dict[str, Any]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"ioc_ops {ioc_ops.__version__}\n")
        parser.exit()


class _Formatter(logging.Formatter):
    """``[I 16:51:09.751 lifecycle:93] message``"""

    def __init__(self) -> None:
        form = "[%(initial)s %(asctime)s.%(msecs)03d %(module)s:%(lineno)d] %(message)s"
        super().__init__(form, "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        record.initial = record.levelname[0]
        return super().format(record)


def _configure_logging(level: int) -> None:
    root = logging.getLogger()
    if not root.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Formatter())
        root.addHandler(handler)
    root.setLevel(level)
    # Who wrote what is wanted however quiet the IOC is to be.
    logging.getLogger("ioc_ops.putlog").setLevel(logging.INFO)


def _port(text: str) -> int:
    number = int(text) if text.isdecimal() else -1
    if not 0 <= number < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to 65535")
    return number


def _add_options(parser: argparse.ArgumentParser, default_prefix: str) -> None:
    """The options of every IOC."""
    parser.add_argument("--version", action=_Version, help="show the version of ioc_ops")
    parser.add_argument("--prefix", default=default_prefix, help="of all PV names")
    talk = parser.add_mutually_exclusive_group()
    talk.add_argument("-q", "--quiet", action="store_true", help="say only what is wrong")
    talk.add_argument("-v", "--verbose", action="count", default=0, help="say more")
    parser.add_argument("--list-pvs", action="store_true", help="list all PVs when ready")
    parser.add_argument(
        "--interfaces",
        nargs="+",
        default=["0.0.0.0"],
        help="addresses to listen on (default: EPICS_CAS_INTF_ADDR_LIST, else all)",
    )
    parser.add_argument(
        "--metrics-port",
        type=_port,
        metavar="PORT",
        help="serve /metrics and /healthz on this HTTP port (0 picks a free one)",
    )
    parser.add_argument(
        "--metrics-host",
        default="127.0.0.1",
        metavar="HOST",
        help="address for --metrics-port (default 127.0.0.1)",
    )
    parser.add_argument(
        "--metrics-pvs",
        nargs="+",
        default=[],
        metavar="PATTERN",
        help="let the metrics show the values of these PVs; * and ? stand for any text",
    )
    parser.add_argument(
        "--metrics-sd",
        metavar="DIR",
        help="say in a file of this directory where to scrape (default IOC_OPS_METRICS_SD)",
    )
    parser.add_argument(
        "--acf", metavar="FILE", help="access configuration file: who may read and write what"
    )
    parser.add_argument(
        "--acf-macros", metavar="P=x,Q=y", help="values of the macros in the file of --acf"
    )
    parser.add_argument(
        "--acf-check-ip",
        action="store_true",
        default=None,
        help="compare hosts by address, not by the name that clients give",
    )


def _add_async_lib(
    parser: argparse.ArgumentParser, supported_async_libs: Sequence[str] | None
) -> None:
    """``--async-lib`` with the libraries that this IOC can run on."""
    wanted = supported_async_libs or list(DRIVERS)
    libraries = [name for name in DRIVERS if name in wanted]
    if not libraries:
        parser.error(f"this IOC runs on {', '.join(wanted)}; there is {', '.join(DRIVERS)}")
    parser.add_argument(
        "--async-lib",
        default=libraries[0],
        choices=libraries,
        help=f"async library to run on (default {libraries[0]})",
    )


def template_arg_parser(
    *,
    desc: str | None,
    default_prefix: str,
    argv: Sequence[str] | None = None,
    macros: Mapping[str, str | None] | None = None,
    supported_async_libs: Sequence[str] | None = None,
) -> tuple[argparse.ArgumentParser, Callable[[argparse.Namespace], tuple[Options, Options]]]:
    """A parser to add options to, and a function that splits what it parsed.

    Args:
        desc: shown by --help; the docstring of the IOC serves.
        default_prefix: of the PV names.
        argv: unused here; see ``ioc_arg_parser``.
        macros: default values by name, each with an option of its own; None makes it required.
        supported_async_libs: libraries that the IOC can run on; default all.

    Returns:
        The parser, and ``split(arguments) -> (ioc_options, run_options)``.
    """
    parser = _Parser(
        description=inspect.cleandoc(desc or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_options(parser, default_prefix)
    _add_async_lib(parser, supported_async_libs)
    names = dict(macros or {})
    for name, default in names.items():
        parser.add_argument(
            f"--{name}",
            default=default,
            required=default is None,
            help="Macro substitution, " + ("required" if default is None else "optional"),
        )

    def split(arguments: argparse.Namespace) -> tuple[Options, Options]:
        if arguments.metrics_port is None and (arguments.metrics_pvs or arguments.metrics_sd):
            parser.error("--metrics-pvs and --metrics-sd need --metrics-port")
        if arguments.verbose:
            _configure_logging(logging.DEBUG)
        else:
            _configure_logging(logging.WARNING if arguments.quiet else logging.INFO)
        values = {name: getattr(arguments, name.replace("-", "_")) for name in names}
        prefix = arguments.prefix
        if prefix != default_prefix:
            # The default is code, this was typed: its braces are those of the PV names.
            prefix = expand_known_macros(prefix, values)
        ioc_options: Options = {"prefix": prefix, "macros": values}
        run_options: Options = {
            "async_lib": arguments.async_lib,
            "interfaces": arguments.interfaces,
            "log_pv_names": arguments.list_pvs,
            "metrics_port": arguments.metrics_port,
            "metrics_host": arguments.metrics_host,
            "metrics_pvs": arguments.metrics_pvs,
            "metrics_sd_dir": arguments.metrics_sd,
            "acf": arguments.acf,
            "acf_macros": arguments.acf_macros,
            "acf_check_ip": arguments.acf_check_ip,
            "name": arguments.prefix.rstrip(":.-_") or None,
        }
        return ioc_options, run_options

    return parser, split


def ioc_arg_parser(
    *,
    desc: str | None,
    default_prefix: str,
    argv: Sequence[str] | None = None,
    macros: Mapping[str, str | None] | None = None,
    supported_async_libs: Sequence[str] | None = None,
) -> tuple[Options, Options]:
    """Parse the command line of an IOC.

    Args:
        desc: shown by --help; the docstring of the IOC serves.
        default_prefix: of the PV names.
        argv: arguments; default those of the process.
        macros: default values by name; None makes one required.
        supported_async_libs: libraries that the IOC can run on; default all.

    Returns:
        Arguments for the PVGroup, and arguments for ``run``.
    """
    parser, split = template_arg_parser(
        desc=desc,
        default_prefix=default_prefix,
        macros=macros,
        supported_async_libs=supported_async_libs,
    )
    return split(parser.parse_args(argv))
