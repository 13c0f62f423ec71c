"""HTTP beside Channel Access: uvicorn in a thread of its own with a loop of its own.

A stuck loop of the IOC cannot stop it from answering, and whichever async library the IOC uses,
this stays the same.
"""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import uvicorn

from ioc_ops.errors import ConfigurationError
from ioc_ops.group import root_of_pv
from ioc_ops.metrics import PV_LIMIT, Registration, Target, build_registry
from ioc_ops.server import Context
from ioc_ops.server.drivers.refusals import AT_ONCE, BACKLOG, Refusals
from ioc_ops.web.app import build_app
from ioc_ops.web.listening import bind, http_address

__all__ = ["HttpService"]

_log = logging.getLogger(__name__)

# stop() is bounded by 1 s: first wait for answers under way, then drop the connections.
_GRACE = 0.6
_ABORT = 0.3

_TICK = 1.0

_OPTIONS = ("--metrics-host", "--metrics-port")
_ANYWHERE = ("0.0.0.0", "::")


class _Server(uvicorn.Server):
    """uvicorn that is told to stop, where the original looks ten times a second.

    Looking costs an idle IOC more CPU than all that it does itself.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(Refusals(_log, "HTTP").handle)
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(BACKLOG)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        # The tick keeps the Date header right.
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), _TICK)

    def tell_to_stop(self) -> None:
        """Stop after the answers under way; callable from any thread."""
        self.should_exit = True
        self._call(self._told.set)

    def drop_connections(self) -> None:
        """Stop without them; callable from any thread."""
        self.force_exit = True
        self._call(self._abort)

    def _abort(self) -> None:
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()

    def _call(self, function: Callable[[], None]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop closed just now, which is what was wanted
                self._loop.call_soon_threadsafe(function)


class HttpService:
    """Serves /metrics, /healthz, /readyz and a page at / of a running IOC.

    Args:
        host: address or name to listen on, ``"127.0.0.1"`` unless others shall see it: there is
            no password.
        port: TCP port; 0 takes any free one, see ``url``.
        pvs: patterns of the names of PVs whose values /metrics shows, beside those marked with
            ``exported``; ``*`` and ``?`` stand for any text.
        pv_limit: how many of them at most.
        sd_dir: directory for a file that tells Prometheus where to scrape; None for none.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        pvs: Sequence[str] = (),
        pv_limit: int = PV_LIMIT,
        sd_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.pvs = tuple(pvs)
        self.pv_limit = pv_limit
        self.sd_dir = sd_dir
        self._registration: Registration | None = None
        self._address: tuple[str, int] | None = None
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Address of the metrics, e.g. ``"http://127.0.0.1:9100/metrics"``.

        Raises:
            RuntimeError: before ``start``.
        """
        if self._address is None:
            raise RuntimeError("the HTTP service has not been started")
        return f"http://{http_address(*self._address)}/metrics"

    def start(self, context: Context) -> None:
        """Listen, and answer from now on; returns at once.

        Raises:
            ConfigurationError: host, port or ``sd_dir`` cannot be used.
        """
        listener = bind(self.host, self.port, _OPTIONS)
        host, port = listener.getsockname()[:2]
        self._address = (host, port)
        try:
            self._register(context)
        except ConfigurationError:
            listener.close()
            raise
        registry = build_registry(context, pvs=self.pvs, pv_limit=self.pv_limit)
        self._server = _Server(
            uvicorn.Config(
                build_app(context, registry),
                # Named, not "auto": what else is installed must not change how this behaves.
                loop="asyncio",
                http="h11",
                ws="none",
                backlog=AT_ONCE,
                lifespan="off",
                log_config=None,
                log_level=logging.WARNING,
                access_log=False,
                server_header=False,
                proxy_headers=False,
            )
        )
        # A daemon, so that not even a bug in here keeps a stopped IOC from exiting.
        self._thread = threading.Thread(
            target=self._run, args=(self._server, listener), name="ioc_ops-http", daemon=True
        )
        self._thread.start()

    def _register(self, context: Context) -> None:
        if self.sd_dir is None or self._address is None:
            return
        host, port = self._address
        if host in _ANYWHERE:
            host = socket.gethostname()
        labels = {"ioc": context.name, "prefix": _prefix_of(context)}
        registration = Registration(self.sd_dir, context.name)
        registration.begin(Target(http_address(host, port), labels))
        self._registration = registration

    def stop(self) -> None:
        """Stop within 1 s: answers under way go out, whoever does not read them is dropped.

        Callable from any thread but the service's own, more than once, and before ``start``.
        """
        registration, self._registration = self._registration, None
        if registration is not None:
            registration.end()
        thread, server = self._thread, self._server
        if thread is None or server is None:
            return
        server.tell_to_stop()
        thread.join(_GRACE)
        if thread.is_alive():
            server.drop_connections()
            thread.join(_ABORT)
        if thread.is_alive():
            _log.warning("the HTTP service did not stop in time")
        self._thread = None

    def _run(self, server: _Server, listener: socket.socket) -> None:
        try:
            # Not in the main thread, so uvicorn leaves the signal handlers alone.
            asyncio.run(server.serve(sockets=[listener]))
        except Exception:
            _log.exception("the HTTP service died; Channel Access goes on")
        finally:
            listener.close()


def _prefix_of(context: Context) -> str:
    """Of the outermost group; empty for an IOC without groups."""
    root = root_of_pv(next(iter(context.pvdb.values()), None))
    return "" if root is None else root.prefix
