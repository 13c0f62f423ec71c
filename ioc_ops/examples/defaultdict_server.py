"""A server that has every PV that anybody asks for."""

from collections import defaultdict

from ioc_ops import ChannelData, ChannelInteger
from ioc_ops.server import ioc_arg_parser, run

DESCRIPTION = """
Whatever name a client asks for, here is an integer of that name: 0 at first, and
what was written to it from then on.

An IOC like this would take the PVs of all others from their clients. So it listens
on 127.0.0.1 alone, whatever --interfaces says.
"""


class EveryPV(defaultdict[str, ChannelData]):
    """Any mapping will do for run(); this one makes its PVs as they are asked for."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> ChannelData:
        print(f"{name} is new", flush=True)
        self[name] = channel = ChannelInteger(0, name=name)
        return channel


if __name__ == "__main__":
    _, run_options = ioc_arg_parser(default_prefix="", desc=DESCRIPTION)
    run_options["interfaces"] = ["127.0.0.1"]
    run(EveryPV(), **run_options)
