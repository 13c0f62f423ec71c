"""Where the servers of this folder listen, and what they are told of it."""

import os
from typing import NamedTuple


class Ports(NamedTuple):
    """Where the two servers listen."""

    base: int
    ours: int


def environment(port: int, beacon_port: int) -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("EPICS_", "CAPROTO_"))}
    beacons = str(beacon_port)
    return own | {
        "EPICS_CA_ADDR_LIST": "127.0.0.1",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_SERVER_PORT": str(port),
        "EPICS_CA_REPEATER_PORT": beacons,
        "EPICS_CAS_SERVER_PORT": str(port),
        "EPICS_CAS_INTF_ADDR_LIST": "127.0.0.1",
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": "127.0.0.1",
        "EPICS_CAS_BEACON_PORT": beacons,
    }
