"""The IOC of the demo with all the helpers there are."""

from ioc_ops.examples.demo_ioc import DemoIOC
from ioc_ops.server import SubGroup, ioc_arg_parser, run
from ioc_ops.status import MemoryTracingHelper


class KitIOC(DemoIOC):
    memory = SubGroup(MemoryTracingHelper, prefix="Mem:")


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="kit:", desc="")
    run(KitIOC(**ioc_options).pvdb, **run_options)
