"""The seam to the async library: sockets, tasks, timers, threads. No Channel Access in here."""

from ioc_ops.server.drivers.layer import AsyncLibraryLayer, Driver, Listener, UdpEndpoint
from ioc_ops.server.drivers.registry import DRIVERS, load_driver

__all__ = ["DRIVERS", "AsyncLibraryLayer", "Driver", "Listener", "UdpEndpoint", "load_driver"]
