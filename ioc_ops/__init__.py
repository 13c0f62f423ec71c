"""EPICS Channel Access IOCs in Python, with autosave, status PVs and Prometheus metrics."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("ioc-ops")
except PackageNotFoundError:  # run from a source tree that is not installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
