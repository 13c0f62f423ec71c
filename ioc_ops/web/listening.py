"""A socket for HTTP, or one line that says why not."""

import errno
import socket
from collections.abc import Sequence

from ioc_ops.errors import ConfigurationError

__all__ = ["bind", "http_address"]

_LAST_PORT = 65535


def bind(host: str, port: int, options: Sequence[str]) -> socket.socket:
    """A listening socket.

    Args:
        host: address or name.
        port: 0 takes any free one.
        options: of the command line, for host and port, that errors name.

    Raises:
        ConfigurationError: host or port cannot be used; says what to do.
    """
    for_host, for_port = options
    other_host = f"give {for_host} an address of this machine"
    other_port = f"choose another {for_port} (0 takes any free one)"

    def refusal(why: object, remedy: str) -> ConfigurationError:
        return ConfigurationError(f"cannot serve HTTP on {host} port {port}: {why}; {remedy}")

    # The C library takes 65536 for 0 without a word.
    if not 0 <= port <= _LAST_PORT:
        raise refusal("no such port", other_port)
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise refusal(error, other_host) from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        wrong_host = error.errno == errno.EADDRNOTAVAIL
        raise refusal(error.strerror, other_host if wrong_host else other_port) from error
    return listener


def http_address(host: str, port: int) -> str:
    """``host:port`` as it stands in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
