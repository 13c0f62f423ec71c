"""PVs without a class: each is made from a PVSpec."""

from ioc_ops.channel import Value
from ioc_ops.server import PvpropertyData, PVSpec, ioc_arg_parser, run

DESCRIPTION = """
Three PVs that keep what is written to them, and an IOC that prints it.

a   a number, seen as a bi record
b   a float, seen as an ai record
c   up to three integers, seen as a waveform record
"""


async def tell(instance: PvpropertyData, value: Value) -> None:
    """Hooks of PVs that belong to no group begin with the PV itself."""
    print(f"{instance.name} becomes {value}", flush=True)


SPECS = (
    PVSpec(name="a", value=1, record="bi", doc="A number", put=tell),
    PVSpec(name="b", value=2.0, record="ai", doc="A float", put=tell),
    PVSpec(name="c", value=[1, 2, 3], record="waveform", doc="Three integers", put=tell),
)


def make_pvs(prefix: str) -> dict[str, PvpropertyData]:
    """All that run() needs: PVs by their full names."""
    pvs = [spec.create(group=None, pvname=f"{prefix}{spec.name}") for spec in SPECS]
    return {pv.name: pv for pv in pvs}


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="pvspec:", desc=DESCRIPTION)
    run(make_pvs(ioc_options["prefix"]), **run_options)
