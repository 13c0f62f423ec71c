"""Where to listen, whom to tell: EPICS_CAS_* and EPICS_CA_* as EPICS Base reads them.

``caservertask.c``: EPICS_CAS_SERVER_PORT falls back to EPICS_CA_SERVER_PORT, the beacon port
to EPICS_CA_REPEATER_PORT, the beacon period to EPICS_CA_BEACON_PERIOD, beacon addresses to
EPICS_CA_ADDR_LIST, EPICS_CAS_AUTO_BEACON_ADDR_LIST to EPICS_CA_AUTO_ADDR_LIST.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ioc_ops.ca import REPEATER_PORT, SERVER_PORT
from ioc_ops.errors import ConfigurationError

__all__ = ["Address", "Settings"]

Address = tuple[str, int]
"""Dotted IPv4 address and port."""

ANY = "0.0.0.0"
_DEFAULT_BEACON_PERIOD = 15.0
# Of a host: with a letter, or it would be an address.
_NAME = re.compile(r"(?=.*[A-Za-z])[\w.-]+")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything about the network that an IOC is told.

    ``beacon_period`` is the longest time between two beacons in seconds; ``ignored`` are the
    addresses whose searches are not answered.
    """

    interfaces: tuple[str, ...]
    port: int
    beacon_addresses: tuple[Address, ...]
    beacon_period: float
    ignored: frozenset[str]
    #: Host names of beacon addresses and ignored hosts that cannot be looked up, each behind the
    #: name of its variable. They are left out, as in EPICS Base: no IOC fails to start because
    #: it is up before the name server, or because some other host is gone.
    unknown: tuple[str, ...] = ()

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str],
        interfaces: Sequence[str] | None,
        resolve: Callable[[str], str],
        broadcasts: Callable[[tuple[str, ...]], Iterable[str]],
    ) -> "Settings":
        """Read the environment.

        Args:
            environment: of the process.
            interfaces: addresses to listen on; None or ["0.0.0.0"] leaves it to
                EPICS_CAS_INTF_ADDR_LIST.
            resolve: IPv4 address of a host name.
            broadcasts: broadcast addresses of the interfaces with the given addresses.

        Raises:
            ConfigurationError: a value is no port, number or address.
        """
        where = "interfaces"
        if not interfaces or list(interfaces) == [ANY]:
            where = "EPICS_CAS_INTF_ADDR_LIST"
            interfaces = environment.get(where, "").split() or [ANY]
        listen = tuple([_interface(item, resolve, where) for item in interfaces])
        port = _port(environment, ("EPICS_CAS_SERVER_PORT", "EPICS_CA_SERVER_PORT"), SERVER_PORT)
        beacon_port = _port(
            environment, ("EPICS_CAS_BEACON_PORT", "EPICS_CA_REPEATER_PORT"), REPEATER_PORT
        )
        unknown: list[str] = []
        addresses: list[Address] = []
        told, listed = _first(environment, ("EPICS_CAS_BEACON_ADDR_LIST", "EPICS_CA_ADDR_LIST"))
        for item in listed.split():
            host, port_there = _address(item, beacon_port, resolve, told)
            if host:
                addresses.append((host, port_there))
            else:
                unknown.append(f"{told}: {item!r}")
        _, auto = _first(
            environment, ("EPICS_CAS_AUTO_BEACON_ADDR_LIST", "EPICS_CA_AUTO_ADDR_LIST")
        )
        if auto.strip().upper() in ("", "YES"):  # envGetBoolConfigParam takes nothing else for yes
            addresses += [(host, beacon_port) for host in broadcasts(listen)]
        unheard = "EPICS_CAS_IGNORE_ADDR_LIST"
        items = environment.get(unheard, "").split()
        ignored = {item: _host(item, resolve, unheard) for item in items}
        unknown += [f"{unheard}: {item!r}" for item, host in ignored.items() if not host]
        return cls(
            interfaces=listen,
            port=port,
            beacon_addresses=tuple(dict.fromkeys(addresses)),
            beacon_period=_period(environment),
            ignored=frozenset(filter(None, ignored.values())),
            unknown=tuple(unknown),
        )


def _first(environment: Mapping[str, str], names: Iterable[str]) -> tuple[str, str]:
    """The first of these variables that says something, and what; two empty texts if none does."""
    for name in names:
        if environment.get(name, "").strip():
            return name, environment[name]
    return "", ""


def _port(environment: Mapping[str, str], names: Iterable[str], default: int) -> int:
    for name in names:
        text = environment.get(name, "").strip()
        if text:
            if not text.isdecimal() or not 0 < int(text) < 65536:
                raise ConfigurationError(
                    f"{name}={text!r} is no port: give a number from 1 to 65535"
                )
            return int(text)
    return default


def _period(environment: Mapping[str, str]) -> float:
    for name in ("EPICS_CAS_BEACON_PERIOD", "EPICS_CA_BEACON_PERIOD"):
        text = environment.get(name, "").strip()
        if text:
            try:
                period = float(text)
            except ValueError:
                period = 0.0
            if not 0 < period < float("inf"):
                raise ConfigurationError(f"{name}={text!r} is no period: give seconds above 0")
            return period
    return _DEFAULT_BEACON_PERIOD


def _interface(item: str, resolve: Callable[[str], str], where: str) -> str:
    host = _host(item, resolve, where)
    if not host:
        raise ConfigurationError(f"{where}: {item!r} is no IPv4 address or host name")
    return host


def _host(item: str, resolve: Callable[[str], str], where: str) -> str:
    """The IPv4 address; empty if the name cannot be looked up."""
    host = item.partition(":")[0]
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        pass
    if not _NAME.fullmatch(host):  # an empty one would be every interface
        raise ConfigurationError(f"{where}: {item!r} is no IPv4 address or host name")
    try:
        return resolve(host)
    except (OSError, UnicodeError):
        return ""


def _address(item: str, port: int, resolve: Callable[[str], str], where: str) -> Address:
    own = item.partition(":")[2]
    if own and not (own.isdecimal() and 0 < int(own) < 65536):
        raise ConfigurationError(f"{where}: {item!r}: {own!r} is no port")
    return _host(item, resolve, where), int(own) if own else port
