"""Drivers by the name of their library."""

from importlib import import_module
from typing import cast

from ioc_ops.errors import ConfigurationError
from ioc_ops.server.drivers.layer import Driver

__all__ = ["DRIVERS", "load_driver"]

DRIVERS: dict[str, str] = {"asyncio": "ioc_ops.server.drivers.asyncio_driver"}
"""Module of each driver; it has a function ``make_driver``."""


def load_driver(name: str) -> Driver:
    """A driver, its library imported.

    Raises:
        ConfigurationError: there is no such driver, or its library is not installed.
    """
    if name not in DRIVERS:
        raise ConfigurationError(f"--async-lib {name}: choose one of {', '.join(DRIVERS)}")
    try:
        module = import_module(DRIVERS[name])
    except ImportError as problem:
        raise ConfigurationError(
            f"--async-lib {name}: {problem}; pip install 'ioc-ops[{name}]'"
        ) from problem
    return cast("Driver", module.make_driver())
