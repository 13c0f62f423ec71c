"""``python -m ioc_ops metrics``: what Prometheus needs beside the IOCs themselves.

Exit status: 0 after a stop that was asked for; 2, the command line is wrong or cannot be followed.
"""

import argparse
import logging
import os
import signal
from typing import TextIO

import uvicorn

from ioc_ops.errors import ConfigurationError
from ioc_ops.web.listening import bind, http_address
from ioc_ops.web.targets import build_targets_app

__all__ = ["add_arguments", "run"]

TROUBLE = 2
"""Exit status: it cannot be done."""

_PORT = 9109


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands to a parser; what it then parses is for `run`."""
    parser.description = "What Prometheus needs beside the IOCs."
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    command = commands.add_parser(
        "sd", help="tell Prometheus over HTTP which IOCs there are (http_sd)"
    )
    command.add_argument("directory", help="what the IOCs were given as --metrics-sd")
    command.add_argument("--host", default="127.0.0.1", help="address (default 127.0.0.1)")
    command.add_argument(
        "--port", type=int, default=_PORT, help=f"0 takes any free one (default {_PORT})"
    )
    command.set_defaults(command=_serve_targets)


def run(options: argparse.Namespace, out: TextIO, errors: TextIO) -> int:
    """Do what the command line says; the exit status.

    Args:
        options: what the parser of `add_arguments` made of it.
        out: for results.
        errors: for the one line of an error, and for the log.
    """
    handler = logging.StreamHandler(errors)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    try:
        status: int = options.command(options, out)
    except ConfigurationError as error:
        errors.write(f"error: {error}\n")
        return TROUBLE
    return status


def _serve_targets(options: argparse.Namespace, out: TextIO) -> int:
    directory = options.directory
    if not os.path.isdir(directory):
        raise ConfigurationError(
            f"{directory}: no such directory; the IOCs' --metrics-sd goes here"
        )
    listener = bind(options.host, options.port, ("--host", "--port"))
    config = uvicorn.Config(
        build_targets_app(directory),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    # uvicorn raises once more what it was told to stop by: here that is a stop like any other.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    address = http_address(*listener.getsockname()[:2])
    out.write(f"Targets of {directory} at http://{address}/\n")
    out.flush()
    with listener:
        uvicorn.Server(config).run(sockets=[listener])
    return 0
