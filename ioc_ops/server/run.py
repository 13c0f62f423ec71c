"""run(): from a dictionary of PVs to a process that serves them."""

import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence

from ioc_ops.channel import ChannelData
from ioc_ops.errors import ConfigurationError
from ioc_ops.group import root_of_pv
from ioc_ops.server import sockets
from ioc_ops.server.access import AccessFile
from ioc_ops.server.context import Context
from ioc_ops.server.drivers import load_driver
from ioc_ops.server.lifecycle import StartupHook, serve
from ioc_ops.server.notify import Notifier
from ioc_ops.server.services import load_service
from ioc_ops.server.settings import Settings

__all__ = ["run"]

log = logging.getLogger("ioc_ops.server")

BAD_CONFIGURATION = 2


def run(
    pvdb: Mapping[str, ChannelData],
    *,
    async_lib: str = "asyncio",
    module_name: str | None = None,
    interfaces: Sequence[str] | None = None,
    log_pv_names: bool = False,
    startup_hook: StartupHook | None = None,
    metrics_port: int | None = None,
    metrics_host: str = "127.0.0.1",
    metrics_pvs: Sequence[str] = (),
    metrics_pv_limit: int = 1000,
    metrics_sd_dir: str | os.PathLike[str] | None = None,
    name: str | None = None,
    acf: str | os.PathLike[str] | None = None,
    acf_macros: str | Mapping[str, str] | None = None,
    acf_check_ip: bool | None = None,
) -> None:
    """Serve PVs until SIGTERM, SIGINT, SIGHUP or a request to stop.

    Args:
        pvdb: PVs by name; may change while they are served.
        async_lib: asyncio, trio or curio.
        module_name: as caproto names a library: "caproto.trio.server" means trio.
        interfaces: addresses to listen on; default EPICS_CAS_INTF_ADDR_LIST, else all.
        log_pv_names: list the PVs when ready.
        startup_hook: ``async def (async_lib)``, run as a task from the start on.
        metrics_port: serve /metrics and /healthz on this HTTP port; 0 picks a free one.
        metrics_host: address for that.
        metrics_pvs: show the values of these PVs as well; in names * and ? stand for any text.
        metrics_pv_limit: show at most so many.
        metrics_sd_dir: directory for a file that tells Prometheus where to scrape this IOC
            (file_sd); removed at the stop. Default the variable IOC_OPS_METRICS_SD, else none.
        name: of the IOC, for labels; default that of the group.
        acf: access configuration file; without one, PVs decide for themselves who may do what.
        acf_macros: for that file, as "P=x,Q=y" or by name.
        acf_check_ip: its rules compare hosts by address, not by the name that clients give;
            None leaves it to the variable asCheckClientIP (0 or 1).

    Raises:
        SystemExit: status 2 when the start is impossible as configured, RESTART when a restart
            was asked for. A stop that was asked for returns.
    """
    if module_name is not None:
        async_lib = module_name.split(".")[1] if "." in module_name else module_name
    if name is None:
        name = _name_of(pvdb)
    environment = dict(os.environ)
    try:
        driver = load_driver(async_lib)
        settings = Settings.from_environment(
            environment, interfaces, sockets.resolve, sockets.broadcasts
        )
        for unknown in settings.unknown:
            log.warning("%s: this host is not known, and left out", unknown)
        context = Context(pvdb, name=name, started_at=time.time(), environment=environment)
        if acf is not None:
            context.access.use_file(_access_file(acf, acf_macros, acf_check_ip, environment))
        service = None
        if metrics_port is not None:
            service = load_service("http")(
                metrics_host,
                metrics_port,
                pvs=metrics_pvs,
                pv_limit=metrics_pv_limit,
                sd_dir=metrics_sd_dir or environment.get("IOC_OPS_METRICS_SD") or None,
            )
        status = driver.run(
            lambda: serve(
                driver,
                context,
                settings,
                notifier=Notifier(environment, os.getpid()),
                service=service,
                startup_hook=startup_hook,
                log_pv_names=log_pv_names,
            )
        )
    except ConfigurationError as problem:
        sys.stderr.write(f"{os.path.basename(sys.argv[0])}: error: {problem}\n")
        sys.exit(BAD_CONFIGURATION)
    if status:
        sys.exit(status)


def _access_file(
    path: str | os.PathLike[str],
    macros: str | Mapping[str, str] | None,
    check_ip: bool | None,
    environment: Mapping[str, str],
) -> AccessFile:
    """Where the rules are. Raises ConfigurationError for macros that are none."""
    if check_ip is None:
        check_ip = environment.get("asCheckClientIP", "0").strip() not in ("", "0")
    from ioc_ops.server.access.rules import parse_macros

    values = parse_macros(macros) if isinstance(macros, str) else dict(macros or {})
    return AccessFile(path, values, sockets.resolve if check_ip else None)


def _name_of(pvdb: Mapping[str, ChannelData]) -> str:
    """The prefix of the outermost group, for labels."""
    root = root_of_pv(next(iter(pvdb.values()), None))
    return (root.prefix.rstrip(":.-_") if root is not None else "") or "ioc"
