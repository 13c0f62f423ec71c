"""An IOC for the tests: a PV that clients write, an array, a PV that is refused on request."""

import os

import numpy as np

from ioc_ops.server import PVGroup, SubGroup, ioc_arg_parser, pvproperty, run
from ioc_ops.status import StatisticsHelper


class WatchedIOC(PVGroup):
    """
    Statistics under Stats: of x, of all that match big*, and of what $ALSO names.
    """

    x = pvproperty(value=0.0, units="mm", precision=2)
    big = pvproperty(value=np.zeros(300_000), max_length=300_000)
    state = pvproperty(value=False)
    stats = SubGroup(
        StatisticsHelper,
        prefix="Stats:",
        watch=("x", "big*", *os.environ.get("ALSO", "").split()),
        windows=(2.0, 60.0),
        period=0.1,
    )


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="w:", desc=WatchedIOC.__doc__)
    ioc = WatchedIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
