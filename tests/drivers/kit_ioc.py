"""The IOC of the demo with all the helpers there are."""

from ioc_ops.examples.demo_ioc import DemoIOC
from ioc_ops.server import SubGroup, ioc_arg_parser, lifecycle, run
from ioc_ops.status import MemoryTracingHelper


class KitIOC(DemoIOC):
    memory = SubGroup(MemoryTracingHelper, prefix="Mem:")


if __name__ == "__main__":
    # That the last save is complete is what counts here, not how busy the machine and its disk are.
    lifecycle._SHUTDOWN_TIME = lifecycle._SAVE_TIME = 15.0
    ioc_options, run_options = ioc_arg_parser(default_prefix="kit:", desc="")
    run(KitIOC(**ioc_options).pvdb, **run_options)
