"""Serves a group of this folder: `our_records_ioc.py MODULE FUNCTION`."""

import importlib
import sys

from ioc_ops.server import ioc_arg_parser, run

if __name__ == "__main__":
    module, function = sys.argv[1:3]
    del sys.argv[1:3]
    _, run_options = ioc_arg_parser(default_prefix="", desc="Records to compare.")
    run(getattr(importlib.import_module(module), function)().pvdb, **run_options)
