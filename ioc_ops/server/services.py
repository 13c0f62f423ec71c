"""What runs beside the CA server, found by name: the layers above offer, this one asks.

Installed packages declare services under the entry point group ``ioc_ops.services``.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

from ioc_ops.errors import ConfigurationError

if TYPE_CHECKING:
    from ioc_ops.server.context import Context

__all__ = ["Service", "ServiceFactory", "load_service"]


class Service(Protocol):
    """Something with a life of its own beside the IOC."""

    @property
    def url(self) -> str:
        """Where it answers, once started."""

    def start(self, context: "Context") -> None:
        """Begin, once the IOC listens. Raises ConfigurationError."""

    def stop(self) -> None:
        """End within a second; called in a worker thread."""


class ServiceFactory(Protocol):
    """Makes a service for a host and port."""

    def __call__(
        self,
        host: str,
        port: int,
        *,
        pvs: Sequence[str] = (),
        pv_limit: int = 1000,
        sd_dir: str | os.PathLike[str] | None = None,
    ) -> Service:
        """Make it.

        Args:
            host: address to listen on.
            port: 0 takes any free one.
            pvs: patterns of the PVs whose values it shows.
            pv_limit: how many of them at most.
            sd_dir: directory in which to say where it answers, None for nowhere.
        """


def load_service(name: str) -> ServiceFactory:
    """The factory that an installed package offers.

    Raises:
        ConfigurationError: no package does, or it cannot be imported.
    """
    from importlib.metadata import entry_points

    for entry in entry_points(group="ioc_ops.services", name=name):
        try:
            return cast("ServiceFactory", entry.load())
        except ImportError as problem:
            raise ConfigurationError(f"the {name} service cannot be loaded: {problem}") from problem
    raise ConfigurationError(f"no {name} service is installed: pip install ioc-ops")
