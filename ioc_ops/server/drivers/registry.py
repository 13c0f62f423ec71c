"""Drivers by the name of their library."""

import sys
from importlib import import_module
from typing import cast

from ioc_ops.errors import ConfigurationError
from ioc_ops.server.drivers.layer import Driver

__all__ = ["DRIVERS", "load_driver"]

DRIVERS: dict[str, str] = {
    "asyncio": "ioc_ops.server.drivers.asyncio_driver",
    "curio": "ioc_ops.server.drivers.curio_driver",
    "trio": "ioc_ops.server.drivers.trio_driver",
}
"""Module of each driver; it has a function ``make_driver``."""


def load_driver(name: str, python: tuple[int, int] = sys.version_info[:2]) -> Driver:
    """A driver, its library imported.

    Args:
        name: one of DRIVERS.
        python: version that this runs on; what a failed import means depends on it.

    Raises:
        ConfigurationError: there is no such driver, or its library is not installed or does
            not support this Python.
    """
    if name not in DRIVERS:
        raise ConfigurationError(f"--async-lib {name}: choose one of {', '.join(DRIVERS)}")
    try:
        module = import_module(DRIVERS[name])
    except Exception as problem:
        raise ConfigurationError(f"--async-lib {name}: {_reason(name, python, problem)}") from None
    return cast("Driver", module.make_driver())


def _reason(name: str, python: tuple[int, int], problem: Exception) -> str:
    # The last release of curio, 1.6, uses a name that multiprocessing has lost in 3.12.
    if name == "curio" and python >= (3, 12):
        version = ".".join(map(str, python))
        return f"curio 1.6 does not support Python {version}, 3.11 is the last; try asyncio or trio"
    if isinstance(problem, ModuleNotFoundError) and problem.name == name:
        return f"{name} is not installed: pip install 'ioc-ops[{name}]'"
    what = str(problem).partition("\n")[0]
    return f"{name} cannot be imported: {type(problem).__name__}: {what}"
