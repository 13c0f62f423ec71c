"""Where to listen, whom to tell: EPICS_CAS_* and EPICS_CA_* as EPICS Base reads them.

``caservertask.c``: EPICS_CAS_SERVER_PORT falls back to EPICS_CA_SERVER_PORT, the beacon port
to EPICS_CA_REPEATER_PORT, the beacon period to EPICS_CA_BEACON_PERIOD, beacon addresses to
EPICS_CA_ADDR_LIST, EPICS_CAS_AUTO_BEACON_ADDR_LIST to EPICS_CA_AUTO_ADDR_LIST.
"""

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ioc_ops.ca import REPEATER_PORT, SERVER_PORT
from ioc_ops.errors import ConfigurationError

__all__ = ["Address", "Settings"]

Address = tuple[str, int]
"""Dotted IPv4 address and port."""

ANY = "0.0.0.0"
_DEFAULT_BEACON_PERIOD = 15.0


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
        if not interfaces or list(interfaces) == [ANY]:
            interfaces = environment.get("EPICS_CAS_INTF_ADDR_LIST", "").split() or [ANY]
        listen = tuple([_host(item, resolve, "interface") for item in interfaces])
        port = _port(environment, ("EPICS_CAS_SERVER_PORT", "EPICS_CA_SERVER_PORT"), SERVER_PORT)
        beacon_port = _port(
            environment, ("EPICS_CAS_BEACON_PORT", "EPICS_CA_REPEATER_PORT"), REPEATER_PORT
        )
        listed = _first(environment, ("EPICS_CAS_BEACON_ADDR_LIST", "EPICS_CA_ADDR_LIST"))
        addresses = [_address(item, beacon_port, resolve) for item in listed.split()]
        auto = _first(environment, ("EPICS_CAS_AUTO_BEACON_ADDR_LIST", "EPICS_CA_AUTO_ADDR_LIST"))
        if auto.strip().upper() in ("", "YES"):  # envGetBoolConfigParam takes nothing else for yes
            addresses += [(host, beacon_port) for host in broadcasts(listen)]
        unheard = "EPICS_CAS_IGNORE_ADDR_LIST"
        ignored = [_host(item, resolve, unheard) for item in environment.get(unheard, "").split()]
        return cls(
            interfaces=listen,
            port=port,
            beacon_addresses=tuple(dict.fromkeys(addresses)),
            beacon_period=_period(environment),
            ignored=frozenset(ignored),
        )


def _first(environment: Mapping[str, str], names: Iterable[str]) -> str:
    for name in names:
        if environment.get(name, "").strip():
            return environment[name]
    return ""


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


def _host(item: str, resolve: Callable[[str], str], where: str) -> str:
    host = item.partition(":")[0]
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        pass
    try:
        if host:  # an empty one would be every interface
            return resolve(host)
    except (OSError, UnicodeError):
        pass
    raise ConfigurationError(f"{where}: {item!r} is no IPv4 address or host name")


def _address(item: str, port: int, resolve: Callable[[str], str]) -> Address:
    host, _, own = item.partition(":")
    if own and not (own.isdecimal() and 0 < int(own) < 65536):
        raise ConfigurationError(f"address {item!r}: {own!r} is no port")
    return _host(host, resolve, "address list"), int(own) if own else port
