"""The IOC that the benchmark measures: what `load/README.md` asks of a server.

``B:ao00000`` ... (--npv writable doubles), ``B:wf1k`` and ``B:wf1m`` (1,000 and 1,000,000
doubles), and with --scan N ``S:00000`` ... N doubles that the IOC itself changes at 10 Hz.
Listens on EPICS_CAS_INTF_ADDR_LIST and EPICS_CAS_SERVER_PORT; ends on SIGTERM.
"""

import argparse
import sys

import numpy as np

from ioc_ops.server import PVGroup, PvpropertyData, pvproperty, run

PERIOD = 0.1


def make_group(npv: int, scan: int) -> PVGroup:
    """A group with the PVs of the benchmark, declared as any IOC declares its own."""
    body: dict[str, object] = {
        f"ao{i}": pvproperty(value=0.0, name=f"B:ao{i:05d}") for i in range(npv)
    }
    body["wf1k"] = pvproperty(value=np.zeros(1_000), name="B:wf1k")
    body["wf1m"] = pvproperty(value=np.zeros(1_000_000), name="B:wf1m")
    body |= {f"s{i}": pvproperty(value=0.0, name=f"S:{i:05d}") for i in range(scan)}
    if scan:
        body["ticks"] = pvproperty(value=0, name="S:ticks")
        body["ticks"] = body["ticks"].scan(PERIOD)(tick)
    return type("BenchIOC", (PVGroup,), body)(prefix="")


async def tick(group: PVGroup, instance: PvpropertyData, async_lib: object) -> None:
    """Change every scanned PV."""
    number = instance.value + 1
    await instance.write(number)
    for name, channel in group.pvdb.items():
        if name.startswith("S:0"):
            await channel.write(float(number))


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--npv", type=int, default=10_000)
    parser.add_argument("--scan", type=int, default=0)
    parser.add_argument(
        "--no-uvloop", action="store_true", help="plain asyncio, as if it were absent"
    )
    arguments = parser.parse_args()
    if arguments.no_uvloop:
        sys.modules["uvloop"] = None  # type: ignore[assignment]  # importing it fails now
    run(make_group(arguments.npv, arguments.scan).pvdb)


if __name__ == "__main__":
    main()
