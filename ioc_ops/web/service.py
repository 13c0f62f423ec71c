"""HTTP beside Channel Access: uvicorn in a thread of its own with a loop of its own.

A stuck loop of the IOC cannot stop it from answering, and whichever async library the IOC uses,
this stays the same.
"""

import asyncio
import errno
import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from ioc_ops.errors import ConfigurationError
from ioc_ops.server import Context
from ioc_ops.web.app import build_app

__all__ = ["HttpService"]

_log = logging.getLogger(__name__)

# stop() is bounded by 1 s: first wait for answers under way, then drop the connections.
_GRACE = 0.6
_ABORT = 0.3

_TICK = 1.0

_LAST_PORT = 65535
_OTHER_PORT = "choose another --metrics-port (0 takes any free one)"
_OTHER_HOST = "give --metrics-host an address of this machine"


def _bind(host: str, port: int) -> socket.socket:
    """A listening socket, or ConfigurationError in one line that says what to do."""

    def refusal(why: object, remedy: str) -> ConfigurationError:
        return ConfigurationError(f"cannot serve HTTP on {host} port {port}: {why}; {remedy}")

    # The C library takes 65536 for 0 without a word.
    if not 0 <= port <= _LAST_PORT:
        raise refusal("no such port", _OTHER_PORT)
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise refusal(error, _OTHER_HOST) from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        wrong_host = error.errno == errno.EADDRNOTAVAIL
        raise refusal(error.strerror, _OTHER_HOST if wrong_host else _OTHER_PORT) from error
    return listener


class _Server(uvicorn.Server):
    """uvicorn that is told to stop, where the original looks ten times a second.

    Looking costs an idle IOC more CPU than all that it does itself.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

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
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
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
        host, port = self._address
        return f"http://[{host}]:{port}/metrics" if ":" in host else f"http://{host}:{port}/metrics"

    def start(self, context: Context) -> None:
        """Listen, and answer from now on; returns at once.

        Raises:
            ConfigurationError: host or port cannot be used.
        """
        listener = _bind(self.host, self.port)
        host, port = listener.getsockname()[:2]
        self._address = (host, port)
        self._server = _Server(
            uvicorn.Config(
                build_app(context),
                # Named, not "auto": what else is installed must not change how this behaves.
                loop="asyncio",
                http="h11",
                ws="none",
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

    def stop(self) -> None:
        """Stop within 1 s: answers under way go out, whoever does not read them is dropped.

        Callable from any thread but the service's own, more than once, and before ``start``.
        """
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
