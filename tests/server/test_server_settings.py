"""What the environment says about the network: every variable, every fallback, every nonsense."""

from typing import Any

import pytest

from ioc_ops.errors import ConfigurationError
from ioc_ops.server.settings import Settings

# An empty name means every interface to gethostbyname.
HOSTS = {"ioc-host": "10.1.2.3", "gateway": "10.9.9.9", "": "0.0.0.0"}


def resolve(host: str) -> str:
    try:
        return HOSTS[host]
    except KeyError:
        raise OSError("no such host") from None


def read(interfaces: list[str] | None = None, **environment: str) -> Settings:
    def broadcasts(listening: tuple[str, ...]) -> list[str]:
        return [host.rpartition(".")[0] + ".255" for host in listening]

    named = {f"EPICS_{name}": value for name, value in environment.items()}
    return Settings.from_environment(named, interfaces, resolve, broadcasts)


def test_without_a_word_it_listens_everywhere_on_the_ports_of_epics() -> None:
    settings = read()
    assert settings == Settings(
        interfaces=("0.0.0.0",),
        port=5064,
        beacon_addresses=(("0.0.0.255", 5065),),
        beacon_period=15.0,
        ignored=frozenset(),
    )


@pytest.mark.parametrize(
    ("environment", "port"),
    [
        ({"CAS_SERVER_PORT": "6000"}, 6000),
        ({"CA_SERVER_PORT": "6001"}, 6001),
        ({"CAS_SERVER_PORT": "6000", "CA_SERVER_PORT": "6001"}, 6000),
        ({"CAS_SERVER_PORT": "  ", "CA_SERVER_PORT": " 6001 "}, 6001),
    ],
)
def test_the_port_it_listens_on(environment: dict[str, str], port: int) -> None:
    assert read(**environment).port == port


@pytest.mark.parametrize(
    ("environment", "port"),
    [
        ({"CAS_BEACON_PORT": "6000"}, 6000),
        ({"CA_REPEATER_PORT": "6001"}, 6001),
        ({"CAS_BEACON_PORT": "6000", "CA_REPEATER_PORT": "6001"}, 6000),
    ],
)
def test_the_port_that_beacons_go_to(environment: dict[str, str], port: int) -> None:
    assert read(**environment).beacon_addresses == (("0.0.0.255", port),)


@pytest.mark.parametrize(
    ("interfaces", "environment", "listening"),
    [
        (None, {"CAS_INTF_ADDR_LIST": "127.0.0.1 10.0.0.7"}, ("127.0.0.1", "10.0.0.7")),
        (["0.0.0.0"], {"CAS_INTF_ADDR_LIST": "127.0.0.1"}, ("127.0.0.1",)),
        (["10.0.0.7"], {"CAS_INTF_ADDR_LIST": "127.0.0.1"}, ("10.0.0.7",)),
        (["ioc-host"], {}, ("10.1.2.3",)),
        ([], {}, ("0.0.0.0",)),
        (None, {"CAS_INTF_ADDR_LIST": "127.0.0.1:5064"}, ("127.0.0.1",)),
    ],
)
def test_the_interfaces_it_listens_on(
    interfaces: list[str] | None, environment: dict[str, str], listening: tuple[str, ...]
) -> None:
    assert read(interfaces, **environment).interfaces == listening


@pytest.mark.parametrize(
    ("environment", "addresses"),
    [
        ({"CAS_BEACON_ADDR_LIST": "10.0.0.1 10.0.0.2:7"}, [("10.0.0.1", 9), ("10.0.0.2", 7)]),
        ({"CA_ADDR_LIST": "10.0.0.3"}, [("10.0.0.3", 9)]),
        ({"CAS_BEACON_ADDR_LIST": "10.0.0.1", "CA_ADDR_LIST": "10.0.0.3"}, [("10.0.0.1", 9)]),
        ({"CAS_BEACON_ADDR_LIST": "gateway"}, [("10.9.9.9", 9)]),
        ({}, []),
    ],
)
def test_whom_beacons_go_to_beside_the_networks(
    environment: dict[str, str], addresses: list[tuple[str, int]]
) -> None:
    network = ("0.0.0.255", 9)
    settings = read(CAS_BEACON_PORT="9", **environment)
    assert settings.beacon_addresses == (*addresses, network)
    for no in ("CAS_AUTO_BEACON_ADDR_LIST", "CA_AUTO_ADDR_LIST"):
        only = read(CAS_BEACON_PORT="9", **{no: "NO"}, **environment)
        assert only.beacon_addresses == tuple(addresses)


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"CAS_AUTO_BEACON_ADDR_LIST": "YES", "CA_AUTO_ADDR_LIST": "NO"}, True),
        ({"CAS_AUTO_BEACON_ADDR_LIST": "yes"}, True),
        ({"CAS_AUTO_BEACON_ADDR_LIST": ""}, True),
        ({"CAS_AUTO_BEACON_ADDR_LIST": "no", "CA_AUTO_ADDR_LIST": "YES"}, False),
        # envGetBoolConfigParam of EPICS Base takes nothing but "yes" for yes.
        ({"CAS_AUTO_BEACON_ADDR_LIST": "false"}, False),
    ],
)
def test_whether_beacons_go_to_the_networks(environment: dict[str, str], wanted: bool) -> None:
    assert bool(read(**environment).beacon_addresses) is wanted


def test_nobody_is_told_twice() -> None:
    settings = read(CAS_BEACON_ADDR_LIST="0.0.0.255 0.0.0.255 10.0.0.1", CAS_BEACON_PORT="9")
    assert settings.beacon_addresses == (("0.0.0.255", 9), ("10.0.0.1", 9))


@pytest.mark.parametrize(
    ("environment", "period"),
    [
        ({"CAS_BEACON_PERIOD": "3.5"}, 3.5),
        ({"CA_BEACON_PERIOD": "2"}, 2.0),
        ({"CAS_BEACON_PERIOD": "3.5", "CA_BEACON_PERIOD": "2"}, 3.5),
    ],
)
def test_the_period_of_beacons(environment: dict[str, str], period: float) -> None:
    assert read(**environment).beacon_period == period


def test_clients_that_are_not_answered() -> None:
    settings = read(CAS_IGNORE_ADDR_LIST="10.0.0.5 gateway 10.0.0.6:5064")
    assert settings.ignored == {"10.0.0.5", "10.9.9.9", "10.0.0.6"}


@pytest.mark.parametrize("variable", ["CAS_SERVER_PORT", "CA_SERVER_PORT"])
@pytest.mark.parametrize("value", ["abc", "0", "-1", "65536", "5064.5", "5064 5065"])
def test_what_is_no_port_is_named(variable: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"EPICS_{variable}='{value}' is no port"):
        read(**{variable: value})


@pytest.mark.parametrize("variable", ["CAS_BEACON_PORT", "CA_REPEATER_PORT"])
def test_what_is_no_beacon_port_is_named(variable: str) -> None:
    with pytest.raises(ConfigurationError, match=f"EPICS_{variable}='x' is no port"):
        read(**{variable: "x"})


@pytest.mark.parametrize("variable", ["CAS_BEACON_PERIOD", "CA_BEACON_PERIOD"])
@pytest.mark.parametrize("value", ["abc", "0", "-1", "inf", "nan"])
def test_what_is_no_period_is_named(variable: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"EPICS_{variable}='{value}' is no period"):
        read(**{variable: value})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CAS_INTF_ADDR_LIST", "nowhere"),
        ("CAS_INTF_ADDR_LIST", "::1"),
        ("CAS_INTF_ADDR_LIST", ":5064"),
        ("CAS_INTF_ADDR_LIST", "300.1.1.1"),
        ("CAS_IGNORE_ADDR_LIST", "nowhere!"),
        ("CAS_IGNORE_ADDR_LIST", "::1"),
        ("CAS_BEACON_ADDR_LIST", "300.1.1.1"),
        ("CAS_BEACON_ADDR_LIST", "nowhere:http"),
        ("CAS_BEACON_ADDR_LIST", "10.0.0.1:http"),
        ("CAS_BEACON_ADDR_LIST", "10.0.0.1:99999"),
        ("CAS_BEACON_ADDR_LIST", "10.0.0.1:0"),
        ("CA_ADDR_LIST", "[::1]"),
    ],
)
def test_what_is_no_address_is_named(variable: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        read(**{variable: value})
    assert f"EPICS_{variable}" in str(wrong.value)
    assert repr(value) in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_no_ioc_waits_for_a_name_server_to_say_where_its_beacons_go() -> None:
    """After a power cut IOCs start before it; clients find them all the same."""
    settings = read(
        CA_ADDR_LIST="gone.example.org ioc-host gone:6000",
        CA_AUTO_ADDR_LIST="NO",
        CAS_IGNORE_ADDR_LIST="gateway old_host",
    )
    assert settings.beacon_addresses == (("10.1.2.3", 5065),)
    assert settings.ignored == {"10.9.9.9"}
    assert settings.unknown == (
        "EPICS_CA_ADDR_LIST: 'gone.example.org'",
        "EPICS_CA_ADDR_LIST: 'gone:6000'",
        "EPICS_CAS_IGNORE_ADDR_LIST: 'old_host'",
    )


def test_a_name_that_cannot_be_looked_up_at_all_is_no_address() -> None:
    def fails(host: str) -> Any:
        raise UnicodeError("label too long")

    with pytest.raises(ConfigurationError, match="is no IPv4 address or host name"):
        Settings.from_environment({}, ["x" * 70], fails, lambda _: [])
