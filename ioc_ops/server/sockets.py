"""Sockets as EPICS Base binds them (``caservertask.c``, ``osdSockAddrReuse.cpp``)."""

import errno
import ipaddress
import logging
import socket
from collections.abc import Iterator

from ioc_ops.errors import ConfigurationError
from ioc_ops.server.drivers.refusals import BACKLOG

__all__ = ["bind_tcp", "bind_udp", "broadcasts", "resolve", "sender"]

log = logging.getLogger("ioc_ops.server")

_ANY = "0.0.0.0"


def resolve(host: str) -> str:
    """IPv4 address of a host name. Raises OSError."""
    return socket.gethostbyname(host)


def _networks() -> Iterator[ipaddress.IPv4Interface]:
    # An IOC whose beacons have their addresses from the environment does not need it.
    import psutil

    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            if address.family == socket.AF_INET and address.netmask:
                yield ipaddress.IPv4Interface(f"{address.address}/{address.netmask}")


def broadcasts(interfaces: tuple[str, ...]) -> list[str]:
    """Broadcast addresses of the networks that the interfaces are on, loopback left out."""
    return [
        str(interface.network.broadcast_address)
        for interface in _networks()
        if (_ANY in interfaces or str(interface.ip) in interfaces)
        and not interface.ip.is_loopback
        and interface.network.prefixlen < 31
    ]


def bind_tcp(interfaces: tuple[str, ...], port: int) -> tuple[list[socket.socket], int]:
    """One socket an interface, all on one port: the wanted one, else a free one.

    Raises:
        ConfigurationError: an interface does not exist, or the port is not allowed.
    """
    try:
        return _bind_all(interfaces, port), port
    except OSError as problem:
        if problem.errno != errno.EADDRINUSE:
            raise _unusable(problem, port) from None
    # Another IOC of this host has it: searches will lead clients to ours, as with CAS.
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((interfaces[0], 0))
            free = probe.getsockname()[1]
        try:
            sockets = _bind_all(interfaces, free)
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:
                raise _unusable(problem, free) from None
            continue
        log.warning("TCP port %d is in use: this IOC listens on %d", port, free)
        return sockets, free
    raise ConfigurationError(f"no TCP port is free on {', '.join(interfaces)}")


def _bind_all(interfaces: tuple[str, ...], port: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        for host in interfaces:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setblocking(False)
            sock.bind((host, port))
            sock.listen(BACKLOG)
    except OSError as problem:
        for sock in sockets:
            sock.close()
        problem.filename = host
        raise
    return sockets


def _unusable(problem: OSError, port: int) -> ConfigurationError:
    host = problem.filename
    if problem.errno == errno.EADDRNOTAVAIL:
        return ConfigurationError(
            f"interface {host}: this host has no such address; see --interfaces and "
            "EPICS_CAS_INTF_ADDR_LIST"
        )
    return ConfigurationError(
        f"cannot listen on {host}:{port}: {problem.strerror}; see EPICS_CAS_SERVER_PORT"
    )


def bind_udp(interfaces: tuple[str, ...], port: int) -> list[socket.socket]:
    """Sockets for searches: each interface, and the broadcast address of its network.

    A socket bound to one address does not hear broadcasts, so those get one of their own.

    Raises:
        ConfigurationError: an address cannot be bound.
    """
    hosts = [*interfaces]
    hosts += [
        str(interface.network.broadcast_address)
        for interface in _networks()
        if str(interface.ip) in interfaces and interface.network.prefixlen < 31
    ]
    sockets: list[socket.socket] = []
    for host in dict.fromkeys(hosts):
        sock = sender()
        sockets.append(sock)
        # Several IOCs of a host share the port; each hears every broadcast.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            sock.bind((host, port))
        except OSError as problem:
            for opened in sockets:
                opened.close()
            problem.filename = host
            raise _unusable(problem, port) from None
    return sockets


def sender() -> socket.socket:
    """A UDP socket that may broadcast."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    return sock
