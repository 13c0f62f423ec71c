"""The life of an IOC, phase by phase.

construct -> restore -> bind sockets -> start hooks and scans -> ready -> (SIGTERM, SIGINT,
SYSRESET) -> stop taking new work -> shutdown hooks -> final save -> close -> exit status
"""

import gc
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from typing import Any

from ioc_ops.errors import ConfigurationError
from ioc_ops.group import unsaved_marks
from ioc_ops.records import surroundings
from ioc_ops.server import sockets
from ioc_ops.server.beacons import beacons
from ioc_ops.server.circuit import Circuit, Transport
from ioc_ops.server.context import Context
from ioc_ops.server.drivers.layer import Driver, Event, UdpEndpoint
from ioc_ops.server.notify import Notifier
from ioc_ops.server.processing import Processing
from ioc_ops.server.running import RunningHooks
from ioc_ops.server.search import answer_search
from ioc_ops.server.services import Service
from ioc_ops.server.settings import Settings

__all__ = ["RESTART", "StartupHook", "serve"]

log = logging.getLogger("ioc_ops.server")

RESTART = 75
"""Exit status that asks a supervisor for a restart (EX_TEMPFAIL of sysexits.h)."""

StartupHook = Callable[[Any], Awaitable[None]]

# Seconds. With what tasks are given to end before (0.5) and what is left of them behind (0.4),
# a stop in which everything is stuck still takes less than 3.
_SHUTDOWN_TIME = 0.7
_SAVE_TIME = 1.0

# Of very many PVs with one trouble the log names these.
_NAMED_PVS = 5

# Seconds between signs of life, and between two looks at how late the loop comes.
_PULSE = 0.5
_BEAT = 0.1


async def serve(
    driver: Driver,
    context: Context,
    settings: Settings,
    *,
    notifier: Notifier,
    service: Service | None = None,
    startup_hook: StartupHook | None = None,
    log_pv_names: bool = False,
) -> int:
    """Live the whole life of an IOC.

    Args:
        driver: async library to run on; this coroutine runs inside of its ``run``.
        context: the IOC.
        settings: network addresses.
        notifier: service manager to tell.
        service: runs beside the CA server, or None.
        startup_hook: awaited as a task with the driver as its argument.
        log_pv_names: list the PVs when ready.

    Returns:
        The exit status: 0 after a stop that was asked for, RESTART or what
        ``Context.request_stop`` said.

    Raises:
        ConfigurationError: the start is impossible as configured.
    """
    stop, restored = driver.Event(), driver.Event()

    def ask_to_stop() -> None:
        stop.set()
        restored.set()  # a restore that hangs is not waited for

    context.attach(driver.call_soon, driver.spawn, ask_to_stop, driver.task_count)
    surroundings.set(Processing(context, driver))
    hooks = RunningHooks(context, driver)
    driver.on_signals(ask_to_stop)
    log.info("%s server starting up...", driver.name.capitalize())
    with ExitStack() as opened:
        try:
            # The PVs stay to the end: collections need not look at them again, which would stop
            # the loop for longer the more PVs there are, and make restoring slower.
            gc.freeze()
            context.heartbeat = driver.monotonic()
            driver.spawn(_pulse(driver, context, notifier), "pulse")
            if service is not None:
                # Before restore, so that one can see what an IOC is waiting for.
                service.start(context)
                log.info("Metrics at %s", service.url)
            await _restore(driver, context, hooks, restored)
            if stop.is_set():
                return context.exit_status
            gc.freeze()  # likewise what restoring has made
            endpoints = await _bind(driver, context, settings, opened)
            context.state = "starting"
            if startup_hook is not None:
                driver.spawn(_run_startup_hook(driver, context, startup_hook), "startup_hook")
                # It comes to its first wait before the hooks of PVs begin, which may need what it
                # makes: trio takes tasks that were spawned together in any order.
                await driver.sleep(0)
            hooks.start()
            driver.spawn(_send_beacons(driver, context, settings, endpoints[-1]), "beacons")
            context.state = "ready"
            log.info("Server startup complete.")
            if log_pv_names:
                log.info("PVs available:\n%s", "\n".join(f"    {name}" for name in context.pvdb))
            notifier.tell("READY=1")
            await stop.wait()
        finally:
            await _stop(driver, context, hooks, opened, notifier, service)
    return context.exit_status


async def _restore(driver: Driver, context: Context, hooks: RunningHooks, restored: Event) -> None:
    """Run the restore hooks one after the other, until ``restored`` is set."""
    context.state = "restoring"
    impossible: list[ConfigurationError] = []

    async def restore() -> None:
        try:
            await hooks.restore()
        except ConfigurationError as problem:
            impossible.append(problem)
        finally:
            restored.set()

    _warn_of_unsaved(context)
    driver.spawn(restore(), "restore")
    await restored.wait()
    for problem in impossible:
        raise problem


def _warn_of_unsaved(context: Context) -> None:
    names = unsaved_marks(list(context.pvdb.values()), context.groups)
    if names:
        shown = ", ".join(names[:_NAMED_PVS]) + (", ..." if len(names) > _NAMED_PVS else "")
        log.warning(
            "NOTHING SAVES %d PVs that are marked with autosaved(): %s; add "
            "autosave = SubGroup(AutosaveHelper) to the outermost group",
            len(names),
            shown,
        )


async def _bind(
    driver: Driver, context: Context, settings: Settings, opened: ExitStack
) -> list[UdpEndpoint]:
    context.state = "binding"

    def make_circuit(transport: Transport, host: str) -> Circuit:
        circuit = Circuit(context, transport, host)
        context.circuits.add(circuit)
        context.counters.connections += 1
        return circuit

    def receive(datagram: bytes, sender: tuple[str, int]) -> bytes | None:
        return None if sender[0] in settings.ignored else answer_search(context, datagram)

    listening, context.port = sockets.bind_tcp(settings.interfaces, settings.port)
    for sock in listening:
        opened.callback(sock.close)
    searching = sockets.bind_udp(settings.interfaces, settings.port)
    for sock in listening:
        opened.callback((await driver.listen_tcp(sock, make_circuit)).close)
    endpoints: list[UdpEndpoint] = []
    for sock in [*searching, sockets.sender()]:
        endpoints.append(await driver.open_udp(sock, receive))
        opened.callback(endpoints[-1].close)
    for host in settings.interfaces:
        log.info("Listening on %s:%d", host, context.port)
    return endpoints


async def _run_startup_hook(driver: Driver, context: Context, hook: StartupHook) -> None:
    try:
        await hook(driver)
    except Exception:
        context.tasks_failed += 1
        context.counters.hook_failures["startup"] += 1
        log.exception("the startup hook of the IOC failed")


async def _send_beacons(
    driver: Driver, context: Context, settings: Settings, endpoint: UdpEndpoint
) -> None:
    unreachable: set[tuple[str, int]] = set()
    for datagram, pause in beacons(context.port, settings.beacon_period):
        for address in settings.beacon_addresses:
            try:
                endpoint.send(datagram, address)
            except OSError as problem:
                if address not in unreachable:
                    unreachable.add(address)
                    log.warning("no beacons to %s:%d: %s", *address, problem)
                continue
            context.counters.beacons_sent += 1
            if address in unreachable:
                unreachable.discard(address)
                log.info("beacons to %s:%d go out again", *address)
        await driver.sleep(pause)


async def _pulse(driver: Driver, context: Context, notifier: Notifier) -> None:
    """Sign of life of the loop, how late it comes, and the watchdog of the service manager."""
    pulse = min(_PULSE, notifier.watchdog_period or _PULSE)
    beat = min(_BEAT, pulse)
    due = driver.monotonic()
    while True:
        began = context.heartbeat = driver.monotonic()
        if began > due - beat / 2:
            due = began + pulse
            if notifier.watchdog_period is not None and context.state == "ready":
                notifier.tell("WATCHDOG=1")
            context.access.poll()
        await driver.sleep(beat)
        now = driver.monotonic()
        context.lag.add(now - began - beat, now)


async def _stop(
    driver: Driver,
    context: Context,
    hooks: RunningHooks,
    opened: ExitStack,
    notifier: Notifier,
    service: Service | None,
) -> None:
    was_ready = context.state == "ready"
    context.state = "stopping"
    notifier.tell("STOPPING=1")
    if was_ready:
        log.info("Server task cancelled. Will shut down.")
    opened.close()  # no new client, no more searches
    for circuit in list(context.circuits):
        circuit.stop_reading()
    await driver.cancel_tasks()
    if was_ready:
        shutdown = hooks.last_hooks("shutdown")
        await _await_all(driver, "shutdown hooks", shutdown, _SHUTDOWN_TIME)
    last: list[Awaitable[None]] = [*hooks.last_hooks("save")] if was_ready else []
    if service is not None:
        last.append(driver.run_in_thread(service.stop))
    await _await_all(driver, "save hooks", last, _SAVE_TIME)
    context.outbox.flush()  # whoever asked for the stop by a put gets its answer
    for circuit in list(context.circuits):
        circuit.closed()
        circuit.transport.close()
    await driver.sleep(0)  # transports say goodbye in the next tick
    context.state = "stopped"
    log.info("Server exiting....")


async def _await_all(
    driver: Driver, what: str, work: Sequence[Awaitable[None]], seconds: float
) -> None:
    if not await driver.gather(work, seconds):
        log.error("%s were not through after %.1f s and were cancelled", what, seconds)
